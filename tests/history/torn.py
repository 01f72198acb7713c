#!/usr/bin/env python3
"""torn.py: a package is read as it stood at one moment, its state and its placements alike.

    torn.py --cluster tests/kit/cluster --engine build/engine/calloffd --cli build/clients/cli/calloff

A soak found it (tests/history/README.md): the engine asks for packages and for their placements, and an end may commit
between the two. Here the second question is held up by a lock until it has.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "crash"))
from crash_run import in_cluster  # noqa: E402
from load import DATABASE, PATIENCE_S, Engine, Violation, make_database, psql  # noqa: E402

END_SQL = """BEGIN;
LOCK TABLE calloff.placement IN ACCESS EXCLUSIVE MODE;
UPDATE calloff.package SET state = 8, changed_seq = 7466 WHERE package_no = 1;
UPDATE calloff.placement SET ended_seq = 7466 WHERE package_no = 1;
UPDATE calloff.fence SET last_seq = 7466;
\\echo held
"""
WAITING_SQL = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'calloff_engine' AND wait_event_type = 'Lock'"


def until(what, holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise Violation(what)
        time.sleep(0.02)


def read_across_an_end(cli, socket):
    """The package as an officer reads it while it ends."""
    with subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as editor:
        editor.stdin.write(END_SQL)
        editor.stdin.flush()
        if editor.stdout.readline().strip() != "held":
            raise Violation("the test can hold the placements")
        reader = subprocess.Popen([cli, "--socket", socket, "--json", "status", "P-1"], stdout=subprocess.PIPE, text=True)
        until("the engine asks for the placements", lambda: psql(WAITING_SQL) != "0")
        editor.stdin.write("COMMIT;\n")
        editor.stdin.close()
        said, _ = reader.communicate(timeout=PATIENCE_S)
    return json.loads(said.splitlines()[0])


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag in ("--cluster", "--engine", "--cli"):
        p.add_argument(flag, required=flag != "--cluster")
    options = p.parse_args()
    in_cluster(options)
    with tempfile.TemporaryDirectory(prefix="torn.") as directory:
        make_database()
        engine = Engine(options.engine, directory)
        engine.start()
        try:
            until("the engine is ready", lambda: subprocess.run(
                [options.cli, "--socket", engine.socket, "health"], capture_output=True).returncode == 0)
            package = read_across_an_end(options.cli, engine.socket)
        finally:
            engine.process.kill()
            engine.process.wait()
    seen = (package["state"], len(package.get("placements", ())))
    print(f"read as {seen[0]} with {seen[1]} placements")
    return 0 if seen in (("live", 1), ("ended", 0)) else 1


if __name__ == "__main__":
    sys.exit(main())
