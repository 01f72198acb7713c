#!/usr/bin/env python3
"""with_demo.py COMMAND...: runs a command with a database to copy, migrated and loaded with the Essex demonstration.

Its name stands in CALLOFF_TEMPLATE; it is dropped afterwards. Needs PostgreSQL through PGHOST.
"""
import os
import subprocess
import sys
import time

from kit import PSQL, ROOT, psql


def main():
    if not os.environ.get("PGHOST"):
        sys.exit("needs PostgreSQL through PGHOST: tests/kit/cluster meson test -C build --suite pg")
    name = f"calloff_demo_{os.getpid()}_{int(time.time())}"
    demo = os.path.join(ROOT, "sql", "demo")
    psql("postgres", f"CREATE DATABASE {name}")
    try:
        subprocess.run([os.path.join(ROOT, "sql", "migrate"), "dbname=" + name], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([PSQL, "-qX", "-v", "ON_ERROR_STOP=1", "-v", "dir=" + demo, "-d", name, "-f",
                        os.path.join(demo, "load.sql")], check=True, stdout=subprocess.DEVNULL)
        return subprocess.run(sys.argv[1:], check=False, env=dict(os.environ, CALLOFF_TEMPLATE=name)).returncode
    finally:
        psql("postgres", f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    sys.exit(main())
