"""What became of the day, for a brokerage manager: read from the client's own answers, then asked again in SQL.

Run by clients/demo, which leaves day.ndjson, answers.ndjson, stats.json, steps, window and first_us in --run.
Exit 1 if a count of the answers differs from the database's.
"""
import argparse
import collections
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

TODAY = "case_ref LIKE 'DAY-C%'"
PLACED_TODAY = (f"FROM calloff.read_package JOIN calloff.read_placement USING (shard, package_no) "
                f"WHERE {TODAY} AND ended_seq = 0")
WAITING_TODAY = (f"FROM calloff.read_package p WHERE {TODAY} AND state = 11 AND NOT EXISTS (SELECT FROM "
                 "calloff.read_placement m WHERE m.shard = p.shard AND m.package_no = p.package_no AND ended_seq = 0)")
QUERIES = {
    "submitted": f"SELECT count(*) FROM calloff.read_package WHERE {TODAY}",
    "framework": f"SELECT count(*) {PLACED_TODAY} AND role = 1 AND route = 1",
    "spot": f"SELECT count(*) {PLACED_TODAY} AND role = 1 AND route = 2",
    "placed": f"SELECT count(*) {PLACED_TODAY} AND role = 1",
    "polr": f"SELECT count(*) {PLACED_TODAY} AND role = 2 AND route = 4",
    "unsourced": f"SELECT count(*) {WAITING_TODAY}",
    "no_cover": f"SELECT count(*) {WAITING_TODAY} AND cover = 1",
    "minutes_week": f"SELECT coalesce(sum(carer_minutes_week), 0) {PLACED_TODAY}",
    "pence_week": f"SELECT coalesce(sum(price_pence_week), 0) {PLACED_TODAY}",
}
LOTS = f"""SELECT o.name, count(*), count(*) FILTER (WHERE role = 1 AND route = 1),
	count(*) FILTER (WHERE role = 1 AND route = 2), count(*) FILTER (WHERE role = 2 AND route = 4),
	count(*) FILTER (WHERE role IS NULL), coalesce(sum(carer_minutes_week), 0), coalesce(sum(price_pence_week), 0)
FROM calloff.read_package p
JOIN calloff.read_list l USING (shard, list_no)
JOIN calloff.read_lot o USING (shard, lot_no)
LEFT JOIN calloff.read_placement m ON m.shard = p.shard AND m.package_no = p.package_no AND m.ended_seq = 0
WHERE {TODAY} GROUP BY o.name ORDER BY o.name"""
EXPLAINED_MAX = 300  # of a flood, so many are explained


def plural(n, one, many):
    return f"{n:,} {one if n == 1 else many}"


def people(n):
    return plural(n, "person", "people")


def hours(minutes):
    return f"{minutes / 60:,.1f}"


def pounds(pence):
    return f"{pence / 100:,.2f}"


def seconds(us):
    return f"{us / 1e6:.2f} s" if us >= 10000 else f"{us / 1e3:.1f} ms"


def table(rows, left=1):
    """Columns in line: the first `left` to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(w) if i < left else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(row, widths))).rstrip()


class Day:
    def __init__(self, args):
        self.args, self.run = args, Path(args.run)
        asked = [json.loads(line) for line in (self.run / "day.ndjson").open()]
        self.packages = []  # (what was asked, the outcome, the placement or None)
        self.refused = []
        for line in (self.run / "answers.ndjson").open():
            answer = json.loads(line)
            outcome = answer.get("response", {}).get("outcome")
            if outcome is None:
                self.refused.append(answer)
            else:
                self.packages.append((asked[answer["line"] - 1], outcome, outcome.get("placement")))
        if len(self.packages) + len(self.refused) != len(asked):
            sys.exit(f"summary: {len(asked)} were sent, {len(self.packages) + len(self.refused)} answered")

    def counts(self):
        """The figures as the client was told them."""
        n = collections.Counter()
        for requirement, outcome, placement in self.packages:
            n["submitted"] += 1
            n["simulated"] += bool(outcome.get("simulated"))
            if placement is None:
                n["unsourced"] += 1
                n["no_cover"] += requirement.get("cover") == "none"
                continue
            n["minutes_week"] += placement.get("carer_minutes_week", 0)
            n["pence_week"] += placement.get("price_pence_week", 0)
            if placement["role"] == "main":
                n["placed"] += 1
                n[placement["route"]] += 1
            else:
                n["polr"] += 1
        return n

    def sql(self, query):
        """As the role that reporters have: it reads the views, nothing else."""
        done = subprocess.run([self.args.psql, "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h",
                               self.args.sockets, "-p", "5432", "-U", "postgres", "-d", "calloff", "-c",
                               "SET ROLE calloff_report", "-c", query], stdout=subprocess.PIPE, check=True, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def explain(self):
        """The decisions about those whom no framework provider took, then about as many others as there is room for."""
        def settled(package):
            placement = package[2]
            return placement is not None and placement["route"] == "framework"
        chosen = [p[1]["package"] for p in sorted(self.packages, key=settled)][:EXPLAINED_MAX]
        done = subprocess.run([self.args.calloff, "explain", "--json", *chosen], stdout=subprocess.PIPE, check=True,
                              text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]


def reason_texts(words):
    return dict(re.findall(r'X\(\w+, \d+, "([A-Z_]+)", "([^"]+)"\)', Path(words).read_text()))


def short_lists(explained, texts):
    """By list: how many people the framework could not take, and what its providers lacked."""
    lists = collections.defaultdict(lambda: [0, collections.Counter()])
    for e in explained:
        decision = e["decisions"][-1]
        framework = [c for c in decision.get("candidates", []) if c["route"] == "framework"]
        if any(c["reason"] == "CHOSEN" for c in framework):
            continue
        entry = lists[decision["list"]]
        entry[0] += 1
        entry[1].update(c["reason"] for c in framework)
    for code, (count, reasons) in sorted(lists.items(), key=lambda item: (-item[1][0], item[0])):
        top = ", ".join(f"{n} × {texts.get(reason, reason)}" for reason, n in reasons.most_common(3))
        yield code, count, top


def interesting(explained):
    """The package whose explanation shows most: somebody chosen after a provider lacked paired time, if any."""
    def weight(e):
        candidates = e["decisions"][-1].get("candidates", [])
        reasons = {c["reason"] for c in candidates}
        nominated = any(c["reason"] == "CHOSEN" and c["route"] == "framework" for c in candidates)
        return ("PAIR_SHORT" in reasons, nominated, "TIME_SHORT" in reasons, -len(candidates))
    return max(explained, key=weight)["package"]["package"]


def headline(n, seed):
    share = 100 * n["framework"] / n["submitted"]
    waiting = f"{n['unsourced']:,} still waiting"
    if n["unsourced"]:
        waiting += f", {n['no_cover']:,} of them with no cover"
    yield f"ESSEX DEMONSTRATION, one day (seed {seed}): invented people and firms, SIMULATED answers"
    yield ""
    yield (f"{people(n['submitted'])} today: {n['framework']:,} placed with framework providers ({share:.0f} %), "
           f"{n['spot']:,} by spot purchase,")
    yield f"{n['polr']:,} with the provider of last resort while the search goes on, {waiting}."
    yield f"Their care: {hours(n['minutes_week'])} hours a week for £{pounds(n['pence_week'])} a week."
    yield (f"{n['simulated']:,} of {n['submitted']:,} answers are SIMULATED: award style direct, confirmation "
           "automatic; no provider and no officer was asked.")


def by_lot(rows):
    shown = [["lot", "people", "framework", "spot", "last resort", "waiting", "hours/week", "£/week"]]
    sums = [0] * 7
    for name, *figures in rows:
        figures = [int(f) for f in figures]
        sums = [a + b for a, b in zip(sums, figures)]
        shown.append([name, *(f"{f:,}" for f in figures[:5]), hours(figures[5]), pounds(figures[6])])
    shown.append(["all", *(f"{f:,}" for f in sums[:5]), hours(sums[5]), pounds(sums[6])])
    return table(shown), sums


def histogram(run, name):
    stats = json.loads((run / "stats.json").read_text())
    return next((h for h in stats.get("histograms", []) if h["name"] == name), {})


def main():
    parser = argparse.ArgumentParser()
    for name in ("run", "words", "calloff", "psql", "sockets", "seed"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--started-us", type=int, required=True)
    parser.add_argument("--packages")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    out = sys.stderr if args.json else sys.stdout

    def say(*lines):
        print(*lines, sep="\n", file=out)

    day = Day(args)
    for answer in day.refused[:3]:
        say(f"not sourced: {json.dumps(answer)}")
    if not day.packages:
        sys.exit("summary: nobody was sourced")
    n, explained = day.counts(), day.explain()
    latency = histogram(day.run, "command_us")
    first_us = int((day.run / "first_us").read_text()) - args.started_us if (day.run / "first_us").exists() else None
    steps = [line.rstrip("\n").split("\t") for line in (day.run / "steps").open()]
    one_by_one = (day.run / "window").read_text().strip() == "1"

    say(*headline(n, args.seed), "")
    lot_lines, lot_sums = by_lot(day.sql(LOTS))
    say(*lot_lines, "")
    short = list(short_lists(explained, reason_texts(args.words)))
    if short:
        of_how_many = f", the first {EXPLAINED_MAX} of today's" if n["submitted"] > EXPLAINED_MAX else ""
        say(f"Lists whose framework providers could not take everybody{of_how_many}, and why they were passed over:",
            *table([[code, people(count), top] for code, count, top in short], left=3), "")

    say("Wall time")
    rows = [[name, seconds(int(us))] for us, name in steps]
    rows.append(["first nomination, from the start of this command", seconds(first_us) if first_us else "none"])
    rows.append(["a package, from its arrival to its answer: half within", seconds(latency.get("p50", 0))])
    rows.append(["  99 of 100 within", seconds(latency.get("p99", 0))])
    say(*table(rows))
    say("  (sent one after another; every answer waits until its commit is on disk)" if one_by_one
        else "  (256 under way at once; every answer waits until its commit is on disk)", "")

    say("The same counts from the database, in SQL (SET ROLE calloff_report)")
    wrong = len(day.refused)
    for name, query in QUERIES.items():
        found = int(day.sql(query)[0][0])
        wrong += found != n[name]
        verdict = "agrees" if found == n[name] else f"DIFFERS: the answers say {n[name]}"
        say(f"  {name} = {found}, {verdict}", f"    {query};")
    told = [n[k] for k in ("submitted", "framework", "spot", "polr", "unsourced", "minutes_week", "pence_week")]
    wrong += lot_sums != told
    say(f"  the table by lot {'agrees' if lot_sums == told else 'DIFFERS'}",
        *(f"    {line}" for line in f"{LOTS};".replace("\t", "    ").split("\n")))

    say("", "Three commands to try next"
        + ("" if args.serve else f" (on the same day: ./clients/demo --serve --seed {args.seed}"
           + (f" --packages {args.packages}" if args.packages else "") + ")"))
    say(f"  calloff explain {interesting(explained)}        why this provider, and why not the others",
        "  calloff queue                 who waits for somebody, oldest first",
        "  calloff audit verify          read the journal and recompute every hash")

    if args.json:
        print(json.dumps({
            "submitted": n["submitted"], "placed": n["placed"], "polr": n["polr"], "unsourced": n["unsourced"],
            "framework_share": round(n["framework"] / n["submitted"], 4),
            "wall_ms": (time.time_ns() // 1000 - args.started_us) // 1000,
            "submit_p50_us": latency.get("p50", 0), "submit_p99_us": latency.get("p99", 0),
            "framework": n["framework"], "spot": n["spot"], "unsourced_no_cover": n["no_cover"],
            "refused": len(day.refused), "simulated": n["simulated"], "answers": "SIMULATED",
            "carer_minutes_week": n["minutes_week"], "price_pence_week": n["pence_week"],
            "first_nomination_ms": first_us // 1000 if first_us else None,
            "steps_ms": {name: int(us) // 1000 for us, name in steps},
            "agrees_with_sql": wrong == 0, "seed": int(args.seed),
        }), flush=True)
    if wrong:
        sys.exit(f"summary: {wrong} figures do not agree")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may have seen enough
    main()
