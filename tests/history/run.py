#!/usr/bin/env python3
"""run.py: real clients over a real engine that is killed under them, then every rule over what they saw.

    run.py --cluster tests/kit/cluster --engine build/engine/calloffd --client build/tests/crash/calloff-crash-client
           --replay build/tests/history/history_replay [--cycles 8] [--between 400] [--only KIND] [--seed N] [--keep DIR]
           [--naive] [--plants]

The blows are those of tests/crash, with more edits of the framework: limits, ratings, prices, statuses, shares and
whole list versions under a policy of their own. One in eight lost commands is never sent again. --plants spoils the run
two dozen ways afterwards, and each must be caught (plants.py). Exit as tests/history/check.
"""
import argparse
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "crash")]
from crash_run import EDIT_SQL, Run, flags, in_cluster  # noqa: E402
from load import DATABASE, Violation, make_database  # noqa: E402
import auditor  # noqa: E402
import capture  # noqa: E402
import plants  # noqa: E402
import rules  # noqa: E402
from table import found  # noqa: E402

SHARD = 1
NOW_US = "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8)"
EDITS = [
    EDIT_SQL,
    "UPDATE provider SET rating_overall = 1 + (rating_overall + 1) % 4 WHERE shard = 1 AND provider_no = 1 + {n}",
    "UPDATE provider SET minutes_week_max = 60 * (50 + {n}) WHERE shard = 1 AND provider_no = 1 + {n}",
    "UPDATE list_entry SET price_pence_hour = price_pence_hour + 7 WHERE shard = 1 AND provider_no = 1 + {n}",
    "UPDATE list_entry SET share_cap_minutes_week = 60 * (20 + {n}) WHERE shard = 1 AND provider_no = 1 + {n}",
    # closed from now for a second
    f"""INSERT INTO provider_status (shard, provider_no, status_no, status, from_us, until_us, clause, set_by)
    SELECT 1, 1 + {{n}}, coalesce(max(status_no), 0) + 1, 2, {NOW_US}, {NOW_US} + 1000000, 'test 1.1', 'test'
    FROM provider_status WHERE shard = 1 AND provider_no = 1 + {{n}}""",
    # a new version of a lot's personal care, in half a second: ranks turned round, travel for each visit, an officer or none
    f"""WITH p AS (
        INSERT INTO policy SELECT (jsonb_populate_record(policy, jsonb_build_object('policy_no', top + 1, 'version', top + 1,
            'confirmation', 1 + {{n}} % 2, 'travel_minutes_visit', 5 * ({{n}} % 3), 'rating_min', 1 + {{n}} % 3))).*
        FROM policy, (SELECT max(policy_no) AS top FROM policy) AS t WHERE policy_no = 1 RETURNING policy_no),
    c AS (INSERT INTO policy_clause SELECT 1, p.policy_no, reason, clause FROM policy_clause, p
        WHERE policy_clause.policy_no = 1 RETURNING 1),
    v AS (INSERT INTO list_version SELECT 1, 1 + 4 * ({{n}} % 12), top + 1, {NOW_US} + 500000, 9223372036854775807, p.policy_no
        FROM p, (SELECT max(version) AS top FROM list_version WHERE list_no = 1 + 4 * ({{n}} % 12)) AS t,
            (SELECT count(*) FROM c) AS k
        RETURNING list_no, version)
    INSERT INTO list_entry SELECT 1, v.list_no, v.version, provider_no, route, tier, 1000 - rank, order_no, score_milli,
        price_pence_hour, share_cap_minutes_week
    FROM list_entry e, v WHERE e.shard = 1 AND e.list_no = v.list_no AND e.version = v.version - 1""",
]


def plan(run, cycles, only):
    """Blows of one kind only; or half of the blows at the engine, the rest at its backends, its framework, or a pause."""
    if only:
        return [only] * cycles
    kinds = ["engine"] * (cycles // 2) + ["edit"] * (cycles // 4)
    kinds += ["backend"] * max(1, cycles // 8) + ["stop"] * max(1, cycles // 8)
    kinds += ["edit"] * (cycles - len(kinds))
    run.random.shuffle(kinds)
    return kinds


def load(options, directory):
    """The run itself; its history and capture are in the folder afterwards."""
    make_database()
    capture.install(DATABASE)
    span = capture.Capture(DATABASE, SHARD, directory)
    span.begin()
    run = Run(options, directory, more=["--abandon", 8], edits=EDITS)
    try:
        run.start()
        for kind in plan(run, options.cycles, options.only):
            run.wait_for_progress(options.between)
            run.blow(kind)
        run.wait_for_progress(options.between)
        run.finish()
    finally:
        run.end()
    span.end()
    return run


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags(p)
    p.add_argument("--replay", required=True)
    p.add_argument("--cycles", type=int, default=8)
    p.add_argument("--between", type=int, default=400, help="acknowledgements between two blows")
    p.add_argument("--only", choices=("engine", "backend", "stop", "edit"), help="this kind of blow only")
    p.add_argument("--naive", action="store_true")
    p.add_argument("--plants", action="store_true")
    return p.parse_args()


def main():
    options = arguments()
    in_cluster(options)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="history.") as temporary:
        directory = options.keep or temporary
        os.makedirs(directory, exist_ok=True)
        try:
            run = load(options, directory)
            loaded = time.monotonic()
            verdict = rules.judge(directory, options.replay, options.naive)
        except Violation as violation:
            print(f"history: VIOLATED (seed {options.seed}): {violation}", file=sys.stderr)
            return 1
        except rules.CannotJudge as why:
            print(f"history: cannot judge (seed {options.seed}): {why}", file=sys.stderr)
            return 69
        print("\n".join(verdict.lines()))
        bad = verdict.violations()
        print(f"history: {'VIOLATED' if bad else 'ok'}: {len(run.blows)} blows, seed {options.seed}, "
              f"{loaded - started:.1f} s of load, {time.monotonic() - loaded:.1f} s of checking")
        if not bad:
            found("the same blows under the history checker, reads and all", len(run.blows), verdict.looked[1])
        if options.plants:
            bad += plants.plant_all(directory, options.replay) + auditor.test_all(directory)
        return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
