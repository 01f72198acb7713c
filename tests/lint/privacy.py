#!/usr/bin/env python3
"""Fail on a column or field that could hold who a person is. What has a name here is public: lots, districts, counters."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1])
PERSONAL = re.compile(r"(^|_)(names?|forenames?|surnames?|birth|dob|born|nhs|nino|address(es)?|street|phones?|telephone|mobile|"
                      r"e?mail|postcodes?|gp|diagnos\w*|conditions?|ethnic\w*|religion)(_|$)")
PUBLIC_COLUMNS = {("fence", "name"), ("authority", "name"), ("district", "name"), ("framework", "name"), ("lot", "name"),
                  ("provider", "name")}
PUBLIC_FIELDS = {("Lot", "name"), ("Counter", "name"), ("Histogram", "name")}
bad = 0


def complain(f, n, text):
    global bad
    print(f"{f.relative_to(root)}:{n}: {text}")
    bad += 1


def blank(source, *patterns):
    for p in patterns:
        source = re.sub(p, lambda m: re.sub(r"[^\n]", " ", m.group(0)), source, flags=re.S)
    return source


for f in sorted((root / "sql" / "schema").glob("*.sql")):
    table = None
    for n, line in enumerate(blank(f.read_text(), r"--[^\n]*", r"'(?:[^']|'')*'").splitlines(), 1):
        m = re.match(r"\s*CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF NOT EXISTS\s+)?(?:\w+\.)?(\w+)", line)
        if m:
            table = m.group(1)
        elif line.startswith(")"):
            table = None
        elif table and (m := re.match(r"\s*(\w+)\s+[a-z]", line)) and PERSONAL.search(m.group(1)):
            if (table, m.group(1)) not in PUBLIC_COLUMNS:
                complain(f, n, f"{table}.{m.group(1)}: this could say who a person is")
        m = re.search(r"ADD\s+COLUMN\s+(?:IF NOT EXISTS\s+)?(\w+)", line)
        if m and PERSONAL.search(m.group(1)):
            complain(f, n, f"{m.group(1)}: this could say who a person is")
        for m in re.finditer(r"\b([a-z]_\w+)\s+(?:text|bytea|int\d|uuid)", line):
            if PERSONAL.search(m.group(1)):
                complain(f, n, f"parameter {m.group(1)}: this could say who a person is")

for f in sorted((root / "proto").rglob("*.proto")):
    message = None
    for n, line in enumerate(blank(f.read_text(), r"//[^\n]*", r"/\*.*?\*/").splitlines(), 1):
        m = re.match(r"\s*message\s+(\w+)", line)
        if m:
            message = m.group(1)
        m = re.match(r"\s*(?:repeated\s+)?[\w.]+\s+(\w+)\s*=\s*\d+", line)
        if m and message and PERSONAL.search(m.group(1)) and (message, m.group(1)) not in PUBLIC_FIELDS:
            complain(f, n, f"{message}.{m.group(1)}: this could say who a person is")
sys.exit(1 if bad else 0)
