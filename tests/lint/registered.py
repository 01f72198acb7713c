#!/usr/bin/env python3
"""Fail when a test file is named nowhere in meson: a test that never runs is a lie."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1])
meson = {f: f.read_text() for f in files.under(root, "meson.build", folders=("tests", "clients", "bench", "sql"))}
bad = 0


def named(f, *words):
    return any(re.search(r"['/]" + re.escape(w) + r"'", text) for text in meson.values() for w in words)


def globbed(f, suffix):
    return any(f.is_relative_to(m.parent) and re.search(r"\*\." + suffix, text) for m, text in meson.items())


for f in files.under(root, "test_*.c", "fuzz_*.c", "*.case", "*_test.py", "test_*.py"):
    short = re.sub(r"^(test|fuzz)_", "", f.stem)
    if not named(f, f.name, f.stem, short) and not globbed(f, f.suffix[1:]):
        print(f"{f.relative_to(root)}: not registered in a meson.build")
        bad += 1
for f in files.under(root, "*.py", "*.sh", folders=("tests/lint",)):
    if f.name != "files.py" and not named(f, f.name, f.stem):
        print(f"{f.relative_to(root)}: a lint that is not registered")
        bad += 1
for f in (root / "tests" / "fuzz" / "corpus").iterdir():
    if f.is_dir() and not (root / "tests" / "fuzz" / f"fuzz_{f.name}.c").exists():
        print(f"{f.relative_to(root)}: a corpus without a target")
        bad += 1
sys.exit(1 if bad else 0)
