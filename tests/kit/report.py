"""What tests/run found: a line a suite and check, the logs of what failed, and last "N passed, N failed".

A Criterion program counts as the tests it ran, any other program as one. A program that was skipped, ran no test, or
failed without saying which test did, is a failure; so is a suite of --suites that ran nothing in a build, and a program
that another build has: a build that was configured without something must not pass by having fewer tests.
"""
import argparse
import collections
import json
import re
import sys
from pathlib import Path

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SYNTHESIS = re.compile(r"Tested:\s*(\d+)\s*\|\s*Passing:\s*(\d+)\s*\|\s*Failing:\s*(\d+)\s*\|\s*Crashing:\s*(\d+)")
LOG_LINES_MAX = 60
ONCE = {"lint"}  # looks at the source: in the first build only


class Failure:
    def __init__(self, where, why, log):
        self.where, self.why, self.log = where, why, log


def suite_of(name, known):
    """meson calls a test "calloff:unit / frame", or "frame" when there is but one suite."""
    match = re.fullmatch(r"(?:[^:/]+:)?(\S+) / (.*)", name)
    return (match[1], match[2]) if match else (known.get(name, "none"), name)


def count(test):
    """(passed, failed, why) of one program."""
    output = COLOURS.sub("", test.get("stdout") or "") + COLOURS.sub("", test.get("stderr") or "")
    found = SYNTHESIS.findall(output)
    tested, passed, failed = 1, int(test["result"] == "OK"), int(test["result"] != "OK")
    why = f"{test['result']}, exit {test.get('returncode')}"
    if found:
        tested, passed, failing, crashing = (sum(int(f[i]) for f in found) for i in range(4))
        failed = failing + crashing
        if tested == 0:
            failed, why = 1, "it ran no test"
        elif failed == 0 and test["result"] != "OK":
            failed = 1
    return passed, failed, why, output


def read_build(folder, wanted, lines, failures):
    """The suites of one build, as meson logged them; returns (passed, failed, the programs that ran)."""
    log = folder / "meson-logs" / "tests-run-all.json"
    tests = [json.loads(line) for line in log.open()] if log.exists() else []
    introspected = folder / "meson-info" / "intro-tests.json"
    known = {}
    if introspected.exists():
        known = {t["name"]: t["suite"][0].split(":")[-1] for t in json.loads(introspected.read_text()) if t["suite"]}
    sums = collections.defaultdict(lambda: [0, 0, 0.0])
    programs = set()
    for test in tests:
        suite, name = suite_of(test["name"], known)
        programs.add((suite, name))
        passed, failed, why, output = count(test)
        entry = sums[suite]
        entry[0] += passed
        entry[1] += failed
        entry[2] += test.get("duration", 0)
        if failed:
            failures.append(Failure(f"{folder.name}: {suite} / {name}", why, output))
    for suite in wanted:
        if sum(sums[suite][:2]) == 0:
            sums[suite][1] = 1
            failures.append(Failure(f"{folder.name}: {suite}", "the suite ran nothing", ""))
    for suite in sorted(sums, key=lambda s: (wanted.index(s) if s in wanted else len(wanted), s)):
        passed, failed, duration = sums[suite]
        lines.append((f"{folder.name}: {suite}", passed, failed, duration))
    return sum(s[0] for s in sums.values()), sum(s[1] for s in sums.values()), programs


def read_missing(builds, lines, failures):
    """Programs that ran in one build and not in another."""
    every = {p for programs in builds.values() for p in programs if p[0] not in ONCE}
    missing = [f"{folder}: {suite} / {name}" for folder, programs in builds.items()
               for suite, name in sorted(every - programs)]
    if not every:
        missing = ["every build has the same tests: none"]
    lines.append(("the builds have the same tests", int(not missing), len(missing), 0.0))
    failures.extend(Failure(where, "ran in another build, or nowhere", "") for where in missing)
    return int(not missing), len(missing)


def read_checks(path, lines, failures):
    passed = failed = 0
    for line in Path(path).open():
        name, status, us, log = line.rstrip("\n").split("\t")
        good = status == "0"
        passed += good
        failed += not good
        lines.append((name, int(good), int(not good), int(us) / 1e6))
        if not good:
            failures.append(Failure(name, f"exit {status}", Path(log).read_text(errors="replace")))
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checks", required=True)
    parser.add_argument("--suites", required=True)
    parser.add_argument("builds", nargs="+", type=Path)
    args = parser.parse_args()
    lines, failures = [], []
    sums, builds = [read_checks(args.checks, lines, failures)], {}
    for i, folder in enumerate(args.builds):
        wanted = [s for s in args.suites.split() if i == 0 or s not in ONCE]
        passed, failed, builds[folder.name] = read_build(folder, wanted, lines, failures)
        sums.append((passed, failed))
    sums.append(read_missing(builds, lines, failures))
    passed, failed = (sum(s[i] for s in sums) for i in range(2))

    width = max(len(line[0]) for line in lines)
    for name, good, bad, duration in lines:
        print(f"  {name.ljust(width)}  {good:6} passed  {bad:4} failed  {duration:7.1f} s")
    for failure in failures:
        print(f"\n--- {failure.where}: {failure.why}")
        said = failure.log.rstrip("\n").splitlines()
        if len(said) > LOG_LINES_MAX:
            print(f"(the last {LOG_LINES_MAX} of {len(said)} lines)")
        print("\n".join(said[-LOG_LINES_MAX:]))
    print(f"\n{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
