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
# A statement is exercised when a test against PostgreSQL prepares them all by number, names it, or opens its part of the store.
PARTS = {"open.c": "store_open(", "load_framework.c": "store_open(", "load_state.c": "store_open(", "reader.c": "reader_open(",
         "journal.c": "journal_open("}
tests = "\n".join(f.read_text() for f in files.under(root, "*.c", folders=("tests/pg", "tests/crash", "tests/system")))
server = (root / "tests" / "cases" / "case_server.c").exists()  # scenarios through a whole engine open all parts
for stem in sorted(stems) if tests else []:
    parts = [call for name, call in PARTS.items() if f"QUERY_{stem}" in (root / "engine" / "store" / name).read_text()
             or (name == "load_framework.c" and stem.startswith("load_"))]
    if "< QUERY_COUNT" in tests or f"QUERY_{stem}" in tests or server or any(call in tests for call in parts):
        continue
    print(f"sql/query/{stem}.sql: no test exercises it")
    bad += 1
sys.exit(1 if bad else 0)
