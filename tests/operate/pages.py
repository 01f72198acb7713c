#!/usr/bin/env python3
"""pages.py FOLDER_OF_CALLOFF FOLDER_OF_CALLOFFD: manual pages and completion say what --help says, and are well formed."""
import os
import re
import sys
import tempfile

from tap import CLIENT, ENGINE, main, rule, run

MAN = {"calloff.1": sys.argv[1], "calloffd.8": sys.argv[2], "calloffd.conf.5": sys.argv[2]}
BASH = {"calloff.bash": sys.argv[1], "calloffd.bash": sys.argv[2]}


def path(name):
    return os.path.join({**MAN, **BASH}[name], name)


def help_of(*command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CALLOFF_")}
    done = run(*command, "--help", env=environment)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def commands():
    section = help_of(CLIENT).split("\nCOMMANDS\n")[1].split("\n\n")[0]
    found = [line[2:21].strip() for line in section.splitlines()]
    assert len(found) >= 18 and "audit verify" in found and "doctor" in found, found
    return found


def options(text):
    found = re.findall(r"(?m)^  (--[a-z-]+)", text.split("\nOPTIONS", 1)[1] if "\nOPTIONS" in text else text)
    assert found, text
    return sorted(set(found))


def rendered(name):
    """The page as a reader sees it, and what man has to say of it."""
    done = run("man", "--warnings", "-E", "ascii", "-l", path(name), env=dict(os.environ, MANWIDTH="200", MANROFFOPT="-c"))
    return re.sub(r".\x08", "", done.stdout), done.stderr


def complete(line, function, name):
    """What bash offers for the last word of the line, broken into words as bash breaks it."""
    words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith((" ", "=")) else [])
    script = ('source "$1"; shift; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "$1"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = run("bash", "--norc", "-uc", script, "bash", path(name), function, *words)
    assert done.returncode == 0 and done.stderr == "", done
    return sorted(done.stdout.split())


def offered(line):
    return complete(line, "_calloff", "calloff.bash")


@rule("man finds nothing wrong with any page, and would")
def _():
    for name in MAN:
        text, said = rendered(name)
        assert said == "" and len(text) > 1000, (name, said)
    with tempfile.TemporaryDirectory() as folder:
        with open(path("calloff.1"), encoding="utf-8") as f, open(os.path.join(folder, "bad.1"), "w", encoding="utf-8") as bad:
            bad.write(f.read() + ".nosuchmacro\n")
        assert "nosuchmacro" in run("man", "--warnings", "-l", os.path.join(folder, "bad.1")).stderr


@rule("every sub-command and every option of --help is in calloff(1), with its text")
def _():
    page, _ = rendered("calloff.1")
    flat = " ".join(page.split())
    for option in options(help_of(CLIENT)):
        assert re.search(rf"(?m)^ +{option}\b", page), option
    for command in commands():
        text = help_of(CLIENT, *command.split())
        assert f"calloff {command} [options]" in flat, command
        part = flat.split(f"calloff {command} [options]", 1)[1].split("[options]", 1)[0]
        summary = re.search(r"(?m)^[a-z ]+: (.*)$", text)[1]
        assert " ".join(summary.split()) in part, (command, summary)
        own = text.split("\nOPTIONS of every command")[0]
        for option in options(own) if "\nOPTIONS\n" in own else ():
            assert f"{option} " in part, (command, option)


@rule("examples are told letter by letter: hyphens, backslashes and quotes survive")
def _():
    page, _ = rendered("calloff.1")
    for line in help_of(CLIENT).split("EXAMPLES\n")[1].split("\n\n")[0].splitlines():
        assert line.strip() in page, line


@rule("every option of calloffd --help is in calloffd(8), every setting in calloffd.conf(5)")
def _():
    text = help_of(ENGINE)
    command, _ = rendered("calloffd.8")
    file, _ = rendered("calloffd.conf.5")
    flags = options(text)
    assert {"--socket", "--shard", "--check-config", "--config"} <= set(flags), flags
    for flag in flags:
        assert re.search(rf"(?m)^ +{flag}\b", command), flag
    printed = run(ENGINE, "--print-config", env={}).stdout
    settings = [line.split()[0] for line in printed.splitlines()]
    assert len(settings) >= 11, settings
    for setting in settings:
        assert re.search(rf"(?m)^ +{setting}\b", file), setting


@rule("bash completes every sub-command, and after each its own options and everybody's")
def _():
    every = set(options(help_of(CLIENT)))
    assert set(offered("calloff ")) == {c.split()[0] for c in commands()} | {"help"} | every
    for command in commands():
        wanted = set(options(help_of(CLIENT, *command.split()))) | every
        assert wanted <= set(offered(f"calloff {command} -")), command
        assert set(offered(f"calloff {command} -")) <= wanted, command


@rule("bash completes second words, beginnings, and commands behind options with values")
def _():
    assert offered("calloff audit ") == ["verify"]
    assert "declare" in offered("calloff capacity ")
    assert offered("calloff capacity de") == ["declare"]
    assert offered("calloff wat") == ["watch"]
    assert offered("calloff watch --cu") == ["--cursor"]
    assert offered("calloff --socket /run/x watch --cu") == ["--cursor"]
    assert offered("calloff --socket=/run/x watch --cu") == ["--cursor"]
    assert offered("calloff --json audit verify --ha") == ["--hash"]
    assert offered("calloff explain P-1 --al") == ["--all"]


@rule("where a value is due bash offers nothing of ours, so that file names come")
def _():
    assert offered("calloff metrics --output ") == [] == offered("calloff metrics --output=") == offered("calloff --key wat")


@rule("bash completes calloffd's flags")
def _():
    assert set(complete("calloffd --", "_calloffd", "calloffd.bash")) == set(options(help_of(ENGINE)))
    assert complete("calloffd --che", "_calloffd", "calloffd.bash") == ["--check-config"]
    assert complete("calloffd --shard ", "_calloffd", "calloffd.bash") == []


if __name__ == "__main__":
    sys.exit(main())
