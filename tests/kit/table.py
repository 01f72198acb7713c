#!/usr/bin/env python3
"""The table of what was run: a long instrument adds a line for each kind of fault, tests/long/run prints them all.

    from table import found                     in an instrument; without TABLE_OF_FAULTS in the environment it does nothing
    tests/kit/table.py --simulator OUTPUT       the last line of tests/sim/sim, as one more line of the table
    tests/kit/table.py FILE                     the table, for people; exit 1 when anything was lost, doubled or too much

An instrument that found one of its rules broken says so by its exit and adds no line.
"""
import argparse
import json
import os
import re
import statistics
import sys

HEAD = ("fault", "runs", "acknowledged", "lost", "doubled", "over", "recovery s: median", "longest")


def found(fault, runs, acknowledged, recovery_s=(), lost=0, doubled=0, over=0, revealed=0):
    """revealed: of the lost, those that receipts told; only where a loss is not promised away."""
    path = os.environ.get("TABLE_OF_FAULTS")
    if path is None:
        return
    line = {"fault": fault, "runs": runs, "acknowledged": acknowledged, "recovery_s": list(recovery_s), "lost": lost,
            "doubled": doubled, "over": over, "revealed": revealed}
    with open(path, "a", encoding="ascii") as table:
        table.write(json.dumps(line) + "\n")


def simulated(output):
    """The simulator ends at the first violation, so its sums are of runs that kept every promise."""
    with open(output, encoding="ascii") as said:
        last = [line for line in said if line.startswith("seeds ")][-1]
    numbers = {name: int(n) for name, n in re.findall(r"([a-z -]+?) (\d+),", last)}
    numbers = {name.strip(): n for name, n in numbers.items()}
    found("simulated: two engines, crashes, lost and late messages, failovers, clocks, edits", numbers["seeds"],
          numbers["in the journal"], lost=numbers["lost"], doubled=numbers["doubled"], over=numbers["over-allocated"])


def cells(line):
    times = line["recovery_s"]
    lost = f"{line['lost']} ({line['revealed']} revealed)" if line["revealed"] else str(line["lost"])
    return (line["fault"], f"{line['runs']:,}", f"{line['acknowledged']:,}", lost, str(line["doubled"]), str(line["over"]),
            f"{statistics.median(times):.2f}" if times else "", f"{max(times):.2f}" if times else "")


def show(path):
    with open(path, encoding="ascii") as table:
        lines = [json.loads(line) for line in table]
    rows = [HEAD, *(cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
    bad = [line for line in lines if line["doubled"] or line["over"] or line["lost"] != line["revealed"]]
    return 1 if bad or not lines else 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--simulator", action="store_true")
    p.add_argument("file")
    options = p.parse_args()
    if options.simulator:
        simulated(options.file)
        return 0
    return show(options.file)


if __name__ == "__main__":
    sys.exit(main())
