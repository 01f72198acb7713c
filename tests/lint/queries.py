#!/usr/bin/env python3
"""Fail when a statement of sql/query is used nowhere in engine/store, or exercised by no test against PostgreSQL."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1])
store = "\n".join(f.read_text() for f in files.under(root, "*.[ch]", folders=("engine/store",)))
used = set(re.findall(r"\bQUERY_(\w+)", store))
if "QUERY_load_##name" in store:  # one loader a framework table
    tables = re.search(r"#define FRAMEWORK_TABLES\(X\)((?:.*\\\n)*.*)", (root / "engine/core/framework.h").read_text())
    used |= {"load_" + name for name in re.findall(r"X\(\w+,\s*(\w+)\)", tables.group(1))}
bad = 0
stems = {f.stem: f for f in (root / "sql" / "query").glob("*.sql")}
for stem, f in sorted(stems.items()):
    if stem not in used:
        print(f"{f.relative_to(root)}: no code in engine/store uses it")
        bad += 1
for name in sorted(used - set(stems) - {"MAP", "COUNT"}):
    if not name.endswith("_"):
        print(f"engine/store: QUERY_{name} has no sql/query/{name}.sql")
        bad += 1
tests = [f.read_text() for f in files.under(root, "*.c", folders=("tests/pg",))]
if tests and not any(re.search(r"<\s*QUERY_COUNT", text) for text in tests):
    for stem in sorted(stems):
        if not any("QUERY_" + stem in text for text in tests):
            print(f"sql/query/{stem}.sql: no test in tests/pg prepares it")
            bad += 1
sys.exit(1 if bad else 0)
