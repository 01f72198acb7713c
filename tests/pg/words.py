#!/usr/bin/env python3
"""words.py: every statement of sql/query prepares with the engine's role, and everything in the schema says what it is."""
import os
import re
import sys

from kit import ENGINE, ROOT, main, rule, schema_version

QUERIES = os.path.join(ROOT, "sql", "query")


def queries():
    for name in sorted(os.listdir(QUERIES)):
        if name.endswith(".sql"):
            with open(os.path.join(QUERIES, name), encoding="utf-8") as f:
                yield name[:-4], f.read()


@rule("every query prepares with the engine's role, and takes the parameters its comment names, of those types")
def _(db):
    for name, text in queries():
        head = [line for line in text.splitlines() if line.startswith("--")]
        declared = [line for line in head if re.match(r"-- \$1 ", line)]
        # "$1 shard int2, $2 after package_no int8": the type is the last word
        said = [part.split()[-1] for part in declared[0][3:].split(",")] if declared else []
        statement = "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip().rstrip(";")
        types = db.one(f"""PREPARE q AS {statement};
            SELECT array_to_string(parameter_types, ',') FROM pg_prepared_statements WHERE name = 'q'""", user=ENGINE)
        short = {"smallint": "int2", "integer": "int4", "bigint": "int8", "smallint[]": "int2[]", "bigint[]": "int8[]"}
        found = [short.get(t, t) for t in types.split(",") if t]
        assert found == said, f"{name}: takes {found}, says {said}"


@rule("every query says first what it is for, under its own name, and what it returns")
def _(_db):
    for name, text in queries():
        assert text.startswith(f"-- {name}: "), name
        assert "\n-- returns: " in text, name


@rule("every table, view, column, function and role of the schema says what it is")
def _(db):
    silent = db.sql("""
        SELECT relkind::text || ' ' || relname FROM pg_class
        WHERE relnamespace = 'calloff'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT 'column ' || relname || '.' || attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'calloff'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0
            AND NOT attisdropped AND col_description(pg_class.oid, attnum) IS NULL
        UNION ALL
        SELECT 'function ' || proname FROM pg_proc
        WHERE pronamespace = 'calloff'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
        UNION ALL
        SELECT 'role ' || rolname FROM pg_roles
        WHERE rolname LIKE 'calloff%' AND shobj_description(oid, 'pg_authid') IS NULL
        UNION ALL
        SELECT 'schema' WHERE obj_description('calloff'::regnamespace) IS NULL""")
    assert silent == [], silent


@rule("the engine's schema version is the newest migration, and the demonstration loads that one")
def _(_db):
    newest = max(int(name[:4]) for name in os.listdir(os.path.join(ROOT, "sql", "schema")))
    with open(os.path.join(ROOT, "sql", "demo", "load.sql"), encoding="utf-8") as f:
        loaded = int(re.search(r"\\set schema_version (\d+)", f.read()).group(1))
    assert newest == schema_version() == loaded, (newest, schema_version(), loaded)


if __name__ == "__main__":
    sys.exit(main())
