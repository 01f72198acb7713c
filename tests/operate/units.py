#!/usr/bin/env python3
"""units.py FOLDER: the systemd units as they are installed: systemd takes them, and scores their exposure low enough.

FOLDER is the build's engine/systemd. Offline: needs systemd-analyze (package systemd), no running systemd.
"""
import contextlib
import os
import re
import shlex
import sys
import tempfile

from tap import CLIENT, ENGINE, main, rule, run

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "engine", "systemd")
EXPOSURE_MAX = 2.0


def units():
    """{name: text}, with the programs of this build where they will be installed."""
    found = {}
    for folder in (sys.argv[1], SOURCE):
        for name in os.listdir(folder):
            if name.endswith((".service", ".timer")):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found[name] = re.sub(r"(?m)^ExecStart=\S*/(calloffd?) ",
                                         lambda m: f"ExecStart={ENGINE if m[1] == 'calloffd' else CLIENT} ", f.read())
    assert set(found) == {"calloffd@.service", "calloff-metrics@.service", "calloff-metrics@.timer"}, sorted(found)
    return found


@contextlib.contextmanager
def installed(**changes):
    """A folder with the units; changes: what to replace in the engine's."""
    with tempfile.TemporaryDirectory(prefix="calloff-units.") as folder:
        for name, text in units().items():
            for old, new in changes.items() if name == "calloffd@.service" else ():
                assert re.search(rf"(?m)^{old}=", text), f"no {old}= to change"
                text = re.sub(rf"(?m)^{old}=.*\n", new, text)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        yield folder


def verify(folder):
    done = run("systemd-analyze", "verify", "--man=no", *(os.path.join(folder, name.replace("@.", "@1.")) for name in units()))
    return (done.stdout + done.stderr).strip(), done.returncode


def exposure(folder, name):
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", os.path.join(folder, name))
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


@rule("systemd-analyze verify has nothing to say")
def _():
    with installed() as folder:
        assert verify(folder) == ("", 0), verify(folder)


@rule("and it would: a directive that does not exist, a program that is not there")
def _():
    with installed(WatchdogSec="WatchdogSex=10s\n") as folder:
        assert "WatchdogSex" in verify(folder)[0]
    with installed(ExecStart="ExecStart=/nowhere/calloffd\n") as folder:
        assert verify(folder)[1] != 0


@rule(f"each service is exposed by {EXPOSURE_MAX} at most, by systemd-analyze security")
def _():
    with installed() as folder:
        for name in units():
            if name.endswith(".service"):
                score = exposure(folder, name)
                print(f"# {name}: {score}")
                assert score <= EXPOSURE_MAX, f"{name}: {score}"


@rule("and the score feels what is missing: without the filter of system calls and with all capabilities it is above")
def _():
    with installed(SystemCallFilter="", CapabilityBoundingSet="") as folder:
        assert exposure(folder, "calloffd@.service") > EXPOSURE_MAX


@rule("the engine takes the settings and flags of its unit")
def _():
    command = re.search(r"(?m)^ExecStart=(.*)$", units()["calloffd@.service"])[1]
    for old, new in {"%i": "7", "%t": "/run", "/etc/calloff/calloffd.conf": os.path.join(SOURCE, "calloffd.conf")}.items():
        assert old in command, old
        command = command.replace(old, new)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CALLOFF_")}
    done = run(*shlex.split(command), "--print-config", env=environment)
    assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^shard +=\s+7 .*# flag$", done.stdout), done.stdout
    assert re.search(r"(?m)^socket += /run/calloff/7/calloff.sock .*# flag$", done.stdout), done.stdout
    assert re.search(r"(?m)^database += .*# file$", done.stdout), done.stdout


@rule("the metrics unit runs a command that the client has")
def _():
    command = re.search(r"(?m)^ExecStart=(.*)$", units()["calloff-metrics@.service"])[1]
    words = shlex.split(command.replace("%i", "7").replace("%t", "/nowhere"))
    with tempfile.TemporaryDirectory(prefix="calloff-units.") as folder:
        words[words.index("--output") + 1] = os.path.join(folder, "calloff-7.prom")
        assert run(*words).returncode == 69
        assert os.listdir(folder) == ["calloff-7.prom"]


@rule("sysusers.d makes the users and the group that the units name")
def _():
    with tempfile.TemporaryDirectory(prefix="calloff-units.") as folder:
        os.mkdir(os.path.join(folder, "etc"))
        done = run("systemd-sysusers", "--root", folder, os.path.join(SOURCE, "calloff.sysusers"))
        assert done.returncode == 0, done.stderr

        def names(file):
            with open(os.path.join(folder, "etc", file), encoding="utf-8") as f:
                return {line.split(":")[0] for line in f}
        for text in units().values():
            for key, file in (("User", "passwd"), ("Group", "group")):
                for name in re.findall(rf"(?m)^{key}=(\S+)$", text):
                    assert name in names(file), f"{name} is not made"


if __name__ == "__main__":
    sys.exit(main())
