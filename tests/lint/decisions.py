#!/usr/bin/env python3
"""Fail when a decision is not one short numbered page: NNNN-title.md, no gap, no number twice, no more than 60 lines."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1])
bad, numbers = 0, []


def complain(f, text):
    global bad
    print(f"{f.relative_to(root)}: {text}")
    bad += 1


for f in sorted((root / "engine" / "decisions").iterdir()):
    if f.name == "README.md":
        continue
    m = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", f.name)
    if not m:
        complain(f, "not named NNNN-title.md")
        continue
    lines = f.read_text().splitlines()
    if len(lines) > 60:
        complain(f, f"{len(lines)} lines, at most 60")
    if not lines or not lines[0].startswith("# "):
        complain(f, "does not begin with its title")
    if int(m.group(1)) in numbers:
        complain(f, "its number is taken")
    numbers.append(int(m.group(1)))
for want in range(1, max(numbers, default=0) + 1):
    if want not in numbers:
        print(f"engine/decisions: {want:04d} is missing")
        bad += 1
sys.exit(1 if bad else 0)
