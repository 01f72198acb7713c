#!/usr/bin/env python3
"""watch.py: calloff watch tells every event once, in order, through an engine that is killed and started again."""
import json
import os
import pty
import re
import subprocess
import sys
import threading

from engines import CLIENT, engine, main, rule, until


class Watch:
    """A calloff watch that runs; .lines grows."""

    def __init__(self, e, *words, out=subprocess.PIPE):
        self.lines = []
        self.process = subprocess.Popen([CLIENT, "watch", "--socket", e.socket, *words], stdout=out, stderr=subprocess.PIPE,
                                        text=True)
        if out == subprocess.PIPE:
            threading.Thread(target=lambda: [self.lines.append(line.rstrip("\n")) for line in self.process.stdout]).start()

    def end(self):
        self.process.terminate()
        self.process.wait()
        return self.process.stderr.read()


@rule("through kill -9 of the engine nothing is missed and nothing is told twice")
def _(db):
    with engine(db) as e:
        e.start()
        watch = Watch(e, "--json", "--after", "0")
        for number in range(1, 16):
            e.submit(number)
            if number % 5 == 0:
                until("all of it was told", lambda n=number: len(watch.lines) >= n)
                e.kill()
                e.start()
        until("all of it was told", lambda: len(watch.lines) >= 15)
        said = watch.end()
        events = [json.loads(line) for line in watch.lines]
        assert [int(event["seq"]) for event in events] == list(range(1, 16)), events
        assert {event["kind"] for event in events} == {"package_submitted"}
        assert "the connection ended; connecting again after 5" in said, said


@rule("from now: what came before is not told, even when the engine is killed before the first event")
def _(db):
    with engine(db) as e:
        e.start()
        e.submit(1)
        cursor = os.path.join(e.folder, "cursor")
        watch = Watch(e, "--json", "--count", "1", "--cursor", cursor)
        until("it knows what now is", lambda: os.path.exists(cursor))
        with open(cursor, encoding="ascii") as f:
            assert f.read() == "1\n"
        e.kill()
        e.start()
        e.submit(2)
        until("it ends by itself", lambda: watch.process.poll() is not None)
        assert watch.process.returncode == 0
        assert [int(json.loads(line)["seq"]) for line in watch.lines] == [2], watch.lines


@rule("--cursor: the next run goes on where the last one ended, and a broken cursor is refused")
def _(db):
    with engine(db) as e:
        e.start()
        cursor = os.path.join(e.folder, "cursor")
        for number in range(1, 5):
            e.submit(number)
        told = []
        for count in ("1", "2"):
            done = e.client("watch", "--json", "--cursor", cursor, "--after", "0", "--count", count)
            assert done.returncode == 0, done.stderr
            told += [int(json.loads(line)["seq"]) for line in done.stdout.splitlines()]
        assert told == [1, 2, 3], told
        with open(cursor, encoding="ascii") as f:
            assert f.read() == "3\n"
        with open(cursor, "w", encoding="ascii") as f:
            f.write("three\n")
        done = e.client("watch", "--cursor", cursor)
        assert done.returncode == 74 and "one number" in done.stderr, done


@rule("a pipe gets TSV with a header, at once; a terminal gets a sentence")
def _(db):
    with engine(db) as e:
        e.start()
        watch = Watch(e, "--after", "0")
        package = e.submit(1)["outcome"]["package"]
        until("the line is there", lambda: len(watch.lines) >= 2)
        watch.end()
        assert watch.lines[0] == "seq\tat\tkind\tpackage\tstate\tprovider\tpool", watch.lines
        assert re.fullmatch(rf"1\t\d{{4}}-\S+\tpackage_submitted\t{package}\tplaced\tPRV-A\t", watch.lines[1]), watch.lines
        ours, theirs = pty.openpty()
        watch = Watch(e, "--after", "0", "--count", "1", out=theirs)
        until("it ends by itself", lambda: watch.process.poll() is not None)
        os.close(theirs)
        line = os.read(ours, 4096).decode()
        os.close(ours)
        watch.end()
        assert f"{package} was submitted: PLACED with PRV-A" in line, line


if __name__ == "__main__":
    sys.exit(main())
