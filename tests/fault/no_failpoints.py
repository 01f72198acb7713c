#!/usr/bin/env python3
"""no_failpoints.py ROOT CALLOFFD CALLOFFD_FAILPOINTS SOURCES: the shipped engine has no failpoint, the test build has all.

By the bytes of both programs, so that a lost flag or a stale object shows; and every file that has a failpoint is compiled
for the test build, every name of the list stands in the engine, at one place.
"""
import pathlib
import re
import sys


def main():
    root, shipped, live = pathlib.Path(sys.argv[1]), *(pathlib.Path(p).read_bytes() for p in sys.argv[2:4])
    listed = set(sys.argv[4].split(","))
    engine = root / "engine"
    names = set(re.findall(r"^\tX\((\w+), ", (engine / "base/failpoint.h").read_text(), re.M))
    wrong, used = [], {}
    for f in sorted(engine.rglob("*.c")):
        source = str(f.relative_to(engine))
        for name in re.findall(r"\bFAILPOINT(?:_OR)?\((\w+)", f.read_text()):
            used.setdefault(name, []).append(source)
            if source not in listed:
                wrong.append(f"{source} has a failpoint and is not in failpoint_sources of tests/fault/meson.build")
    for name in sorted(names | set(used)):
        if len(used.get(name, [])) != 1 or name not in names:
            wrong.append(f"failpoint {name} stands at {used.get(name, 'no place')}, and must at one")
        if name.encode() + b"\0" not in live:
            wrong.append(f"failpoint {name} is not in the test build")
    for needle in (b"failpoint_pass", b"failpoint_half", b"event=failpoint", b"FAILPOINT="):
        if needle in shipped:
            wrong.append(f"calloffd holds the word {needle.decode()}")
    if len(names) < 12:
        wrong.append("fewer than twelve failpoints")
    print("\n".join(wrong) or f"{len(names)} failpoints, none of them in calloffd")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
