#!/usr/bin/env python3
"""metrics.py: what Prometheus gets is well formed, complete, in base units and under the names it has always had."""
import os
import re
import signal
import stat
import subprocess
import sys
import threading

from engines import CLIENT, engine, main, rule, until
from exposition import Malformed, parse, value

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def scrape(e, *words):
    done = e.client("metrics", *words)
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)


@rule("the strict reader refuses what the format refuses")
def _(_):
    good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c\\"\\\\\\n"} 1\n'
    assert value(parse(good), "a_total", b='c"\\\n') == 1
    for bad in (good[:-1], good + good, good.replace("_total", ""), good.replace("\\n", "\n"), good.replace('\\"', '"'),
                good.replace("# HELP a_total x\n", ""), good.replace("counter", "meter"), good + 'a_total{b="c\\"\\\\\\n"} 2\n',
                good.replace("} 1", "}  1"), good.replace("} 1", "} one"), good.replace('"}', '",}'), good + "\n"):
        try:
            parse(bad)
        except Malformed:
            continue
        raise AssertionError(f"taken: {bad!r}")
    histogram = ('# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n')
    parse(histogram)
    for bad in (histogram.replace("h_count 3", "h_count 4"), histogram.replace('le="1"} 2', 'le="1"} 4'),
                histogram.replace("h_sum 4\n", ""), histogram.replace('h_bucket{le="+Inf"} 3\n', "")):
        try:
            parse(bad)
        except Malformed:
            continue
        raise AssertionError(f"taken: {bad!r}")


@rule("every counter and histogram of the engine is there with its text, under the golden names")
def _(db):
    with engine(db) as e:
        e.start()
        e.submit(1)
        families = scrape(e)
    with open(os.path.join(HERE, "metrics.names"), encoding="utf-8") as f:
        golden = f.read().splitlines()
    names = sorted(f"{family.kind} {name}" for name, family in families.items())
    assert names == golden, "\n".join(sorted(set(names) ^ set(golden)))
    with open(os.path.join(ROOT, "engine/server/stats.h"), encoding="utf-8") as f:
        listed = re.findall(r'X\((\w+),(?: "\w+",)? "([^"]+)"\)', f.read())
    texts = {family.help for family in families.values()}
    assert len(listed) >= 20 and not [text for _, text in listed if text not in texts], listed


@rule("the operations page speaks of figures that exist, and of every alarm")
def _(_):
    with open(os.path.join(ROOT, "engine/systemd/README.md"), encoding="utf-8") as f:
        page = f.read()
    with open(os.path.join(HERE, "metrics.names"), encoding="utf-8") as f:
        golden = {line.split()[1] for line in f}
    said = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"calloff_\w+", page)}
    users = {"calloff_engine", "calloff_metrics"}
    assert len(said) > 10 and said - users <= golden, said - users - golden
    with open(os.path.join(ROOT, "engine/server/stats.h"), encoding="utf-8") as f:
        alarms = {f"calloff_{name}_total" for name in re.findall(r'X\((\w+), "ALARM', f.read())}
    assert len(alarms) >= 2 and alarms <= said, alarms - said


@rule("figures are those of calloff stats, in seconds, and a histogram's sum and count are exact")
def _(db):
    with engine(db) as e:
        e.start()
        for number in range(5):
            e.submit(number)
        families, stats = scrape(e), e.ask("stats")[0]
        counters = {c["name"]: int(c.get("value", 0)) for c in stats["counters"]}
        for name, count in counters.items():
            if name != "connections":
                assert value(families, f"calloff_{name}_total") == count, name
        commit = next(h for h in stats["histograms"] if h["name"] == "commit_us")
        assert value(families, "calloff_commit_seconds_count") == int(commit["count"]) == 5
        assert round(value(families, "calloff_commit_seconds_sum") * 1e6) == int(commit["sum"])
        assert sum(families["calloff_packages"].samples.values()) == 5
        assert value(families, "calloff_state", state="ready") == 1 and value(families, "calloff_state", state="loading") == 0
        assert value(families, "calloff_up", socket=e.socket) == 1
        assert 0 < value(families, "calloff_uptime_seconds") < 3600


@rule("an engine of several shards is one scrape: its own figures once, each shard's by its number")
def _(db):
    db.sql("INSERT INTO calloff.fence (shard, name, schema_version) SELECT 2, 'second', schema_version FROM calloff.fence")
    with engine(db) as e:
        e.start("--shard=1,2", ready=False)
        until("the first serves", lambda: e.client("health", "--shard", "1").returncode == 0)
        families = scrape(e)
        assert value(families, "calloff_state", shard="1", state="ready") == 1
        assert value(families, "calloff_state", shard="2", state="ready") == 0
        assert value(families, "calloff_epoch", shard="1") == 1 and value(families, "calloff_batches_total") == 0
        assert {dict(labels)["shard"] for _, labels in families["calloff_packages"].samples} <= {"1"}


@rule("while it loads there are figures, but none of packages")
def _(db):
    with engine(db) as e:
        e.database = "host=/nowhere dbname=none"
        e.start(ready=False)
        families = parse(e.client("metrics", "--wait", "30").stdout)
        assert value(families, "calloff_state", state="ready") == 0 and "calloff_packages" not in families
        assert value(families, "calloff_up") == 1 and "calloff_batches_total" in families


@rule("nobody there is calloff_up 0 and exit 69, in a file as well; a label is escaped")
def _(db):
    with engine(db) as e:
        e.socket = os.path.join(e.folder, 'a "b" \\c')
        done = e.client("metrics")
        assert done.returncode == 69 and "no engine answers" in done.stderr, done
        families = parse(done.stdout)
        assert list(families) == ["calloff_up"] and value(families, "calloff_up", socket=e.socket) == 0
        path = os.path.join(e.folder, "calloff.prom")
        assert e.client("metrics", "--output", path).returncode == 69
        with open(path, encoding="utf-8") as f:
            assert value(parse(f.read()), "calloff_up") == 0


@rule("an engine that hangs is an answer within seconds: up 0")
def _(db):
    with engine(db) as e:
        e.start()
        e.process.send_signal(signal.SIGSTOP)
        done = e.client("metrics", "--timeout", "1")
        assert done.returncode == 69 and value(parse(done.stdout), "calloff_up") == 0, done


@rule("the file is replaced in one step: a reader meets the old or the new one, whole, and nothing else is left")
def _(db):
    with engine(db) as e:
        e.start()
        path, seen, over = os.path.join(e.folder, "calloff.prom"), [], threading.Event()

        def read():
            while not over.is_set():
                try:
                    with open(path, encoding="utf-8") as f:
                        seen.append(f.read())
                except FileNotFoundError:
                    continue
        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(20):
            assert e.client("metrics", "--output", path).returncode == 0
        over.set()
        reader.join()
        for text in set(seen):
            assert value(parse(text), "calloff_up") == 1
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~umask() & 0o644
        assert sorted(os.listdir(e.folder)) == ["calloff.prom", "log", "socket"]


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@rule("a file that cannot be written is told with exit 74, and the old one stays")
def _(db):
    with engine(db) as e:
        e.start()
        done = e.client("metrics", "--output", "/nowhere/calloff.prom")
        assert done.returncode == 74 and "/nowhere/calloff.prom" in done.stderr, done
        os.mkdir(os.path.join(e.folder, "folder"))
        done = e.client("metrics", "--output", os.path.join(e.folder, "folder"))
        assert done.returncode == 74, done
        assert sorted(os.listdir(e.folder)) == ["folder", "log", "socket"]
        done = subprocess.run(f"exec {CLIENT} metrics --socket {e.socket} >/dev/full", shell=True, check=False,
                              capture_output=True)
        assert done.returncode == 74, done


@rule("--json is a sample a line, with the same figures")
def _(db):
    with engine(db) as e:
        e.start()
        samples = e.ask("metrics")
        families = scrape(e)
        assert {s["name"] for s in samples} == {name for family in families.values() for name, _ in family.samples}
        assert {s["labels"]["le"] for s in samples if s["name"] == "calloff_batch_events_bucket"} >= {"0", "8191", "+Inf"}


if __name__ == "__main__":
    sys.exit(main())
