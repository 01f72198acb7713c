#!/usr/bin/env python3
"""Is market/ what generate.py makes? Generates into a temporary folder and compares bytes; 1 on any difference."""
import sys
import tempfile
from pathlib import Path

from generate import HERE, generate


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        generate(Path(temporary), 2025)
        made, kept = contents(Path(temporary)), contents(HERE / "market")
    differing = [name for name in sorted(made.keys() | kept.keys()) if made.get(name) != kept.get(name)]
    for name in differing:
        print(f"market/{name} is not what generate.py makes", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
