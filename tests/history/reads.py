"""reads.py: what a read showed, beside how the package, or all of them counted, stood after each event."""
import bisect
import os

import wire

ROUTES = [(route, role) for route in (1, 2, 3, 4) for role in (1, 2, 3)]
LIVE_STATES = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]  # an engine forgets those that are over when it starts again


def asked_package(call):
    _, m = wire.body(call.request, wire.REQUESTS)
    return wire.package_number(wire.text(m, 1))


def write_wanted(directory, seen):
    """Tells the replay which packages were read, and the counts after which sequences."""
    packages, counts = set(), set()
    for call in seen.calls:
        if call.kind == "get_package":
            packages.add(asked_package(call))
        elif call.kind == "get_counts":
            read = wire.counts_read(call.reply)
            if read is not None:
                counts.add(read[0])
    with open(os.path.join(directory, "wanted.tsv"), "w", encoding="ascii") as f:
        f.writelines(f"package {number}\n" for number in sorted(packages))
        f.writelines(f"counts {seq}\n" for seq in sorted(counts))


class States:
    """packages: {number: ([seq], [(state, changed_seq, placement)])}; counts: {seq: (states, routes)}."""

    def __init__(self, directory):
        self.packages, self.counts = {}, {}
        with open(os.path.join(directory, "states.tsv"), encoding="ascii") as f:
            for line in f:
                kind, *columns = line.rstrip("\n").split("\t")
                if kind == "package":
                    number, seq, state, changed, placement = columns
                    seqs, states = self.packages.setdefault(int(number), ([], []))
                    seqs.append(int(seq))
                    states.append((int(state), int(changed), placement))
                else:
                    seq, states, routes = columns
                    states = [int(x) for x in states.split(",")[:-1]]
                    routes = [tuple(int(y) for y in x.split(":")) for x in routes.split(",")[:-1]]
                    self.counts[int(seq)] = ({s: states[s - 1] for s in LIVE_STATES}, dict(zip(ROUTES, routes)))


def placement_text(p, codes):
    """A placement as told, in the words of states.tsv."""
    numbers = [p["role"], codes.provider_no.get(p["provider"]), p["route"], p["tier"], p["rank"],
               codes.list_no.get(p["list"]), codes.pool_no.get(p["pool"]), p["carer_minutes_week"], p["price_pence_week"],
               p["start_day"], p["exit_day"]]
    return ",".join(str(n) for n in numbers) + "," + ".".join(str(b) for b in p["bands"])


def package_moment(call, low, high, states, codes):
    number = asked_package(call)
    seqs, known = states.packages.get(number, ([], []))
    read = wire.package_read(call.reply)
    if read is None:
        return (low, None) if not seqs or seqs[0] > low else (None, f"P-{number} was not known, though it had been told")
    state, changed, placements = read
    if len(placements) > 1:
        return None, f"P-{number} read with {len(placements)} placements"
    text = placement_text(placements[0], codes) if placements else ""
    i = max(bisect.bisect_right(seqs, low) - 1, 0)
    while i < len(seqs) and seqs[i] < high:
        if (state, changed, text) == known[i]:
            return max(seqs[i], low), None
        i += 1
    return None, f"P-{number} read as state {state}, changed at {changed}, placed \"{text}\": so it was at no moment of the read"


def counts_moment(call, low, high, states):
    read = wire.counts_read(call.reply)
    if read is None:
        return None, None  # refused: nothing was told
    at, packages, routes = read
    if not low <= at < high:
        return None, f"counts as of {at}"
    if at not in states.counts:
        return at, f"counts as of {at}, which is no event of the journal"
    live, placed = states.counts[at]
    if {s: packages.get(s, 0) for s in LIVE_STATES} != live:
        return at, f"counts as of {at}: {packages}, replayed {live}"
    if {r: routes.get(r, (0, 0)) for r in ROUTES} != placed:
        return at, f"counts as of {at}: {routes}, replayed {placed}"
    return at, None


def moment_of(call, low, high, states, codes):
    """(the earliest moment at which it could read so, what is wrong)"""
    if call.kind == "get_counts":
        return counts_moment(call, low, high, states)
    return package_moment(call, low, high, states, codes)
