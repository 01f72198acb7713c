"""guards.py: the guards of the schema, each disabled in turn: CHECK, keys, RAISE, and each condition of a statement.

A mutant is a copy of the tree with one file of sql/schema changed; tests/pg/refuses.py, grids.py, lanes.py and edits.py run
in it, until one notices. The first rule that fails is the name of the test.
"""
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys

from mutants import closing

SCHEMA = ("0003_store", "0004_commit", "0007_reign", "0008_live")
TESTS = ("refuses", "grids", "lanes", "edits")
TIMEOUT_S = 240
AND = re.compile(r"\bAND\b")
ENDS = re.compile(r"AND\b|OR\b|THEN\b|RETURNING\b|GROUP\b|ORDER\b|WHERE\b|ON\b|LEFT\b|ELSE\b|SELECT\b|;")
PATTERNS = (
    ("CHECK taken away", re.compile(r"\bCHECK \("), None),
    ("key taken away", re.compile(r"(?<=CONSTRAINT )\w+ PRIMARY KEY \([^)]*\)"), "{name} CHECK (true)"),
    ("RAISE never reached", re.compile(r"(?<=\tIF )[^;]*?(?= THEN\s+(?:RAISE|PERFORM fence_refusal))"), "false"),
    ("RAISE never reached", re.compile(r"(?<=ELSIF )[^;]*?(?= THEN\s+RAISE)"), "false"),
    ("refusal taken away", re.compile(r"\brefuse(?:_row)?\((?:[^()]|\([^()]*\))*\)(?=[\s;)])"), "true"),
    ("NULL passes", re.compile(r"(?<=\)) IS TRUE\b"), " IS NOT FALSE"),
    ("clock may go back", re.compile(r"greatest\((?:f\.)?clock_us, p_clock_us\)"), "p_clock_us"),
    ("lock not taken", re.compile(r"PERFORM pg_advisory_\w+\([^;]*\);"), "NULL;"),
    ("lock not taken", re.compile(r"SELECT pg_advisory_xact_lock\([^;]*\);"), "SELECT 1;"),
)


def without_comments(source):
    return re.sub(r"--[^\n]*", lambda m: " " * len(m.group(0)), source)


def conjunct(blank, start):
    """The end of the condition that begins after an AND."""
    depth, i, between = 0, start, False
    while i < len(blank):
        new_word = blank[i] == ";" or not (blank[i - 1].isalnum() or blank[i - 1] == "_")
        end = ENDS.match(blank, i) if depth == 0 and new_word else None
        if end and between and end.group(0) == "AND":
            between, i = False, end.end()
            continue
        if end:
            return i
        if depth == 0 and re.compile(r"BETWEEN\b").match(blank, i):
            between = True
        depth += (blank[i] == "(") - (blank[i] == ")")
        if depth < 0:
            return i
        i += 1
    return i


def conditions(blank):
    """(from, to) of each condition after an AND that is not BETWEEN's."""
    for m in AND.finditer(blank):
        case = blank[m.end():].lstrip().startswith("CASE")
        if not case and not re.search(r"BETWEEN\s+[\w.+\- ]+$", blank[:m.start()].rstrip()):
            yield m.end() + 1, conjunct(blank, m.end() + 1)


def mutants_of(source):
    """(kind, from, to, by) of each guard of a file."""
    blank = without_comments(source)
    for kind, pattern, by in PATTERNS:
        for m in pattern.finditer(blank):
            start, end = m.span()
            if kind == "CHECK taken away":
                start, end = m.end(), closing(blank, m.end() - 1)
                yield kind, start, end, "true"
            elif "CREATE FUNCTION" not in blank[blank.rfind("\n", 0, start):start]:
                yield kind, start, end, by.format(name=m.group(0).split()[0])
    for start, end in conditions(blank):
        yield "condition taken away", start, start + len(blank[start:end].rstrip()), "true"


def first_failure(base, number, name, text):
    """The rule that notices, or None."""
    tree = base / f"sql-{number}"
    for folder in ("sql", "tests/pg", "engine/store"):
        shutil.copytree(base / folder, tree / folder)
    (tree / "sql/schema" / f"{name}.sql").write_text(text)
    try:
        for test in TESTS:
            try:
                done = subprocess.run([sys.executable, "-B", tree / f"tests/pg/{test}.py"], capture_output=True, text=True,
                                      timeout=TIMEOUT_S, cwd=tree)
            except subprocess.TimeoutExpired:
                return f"{test} (never ends)"
            if done.returncode != 0:
                found = re.search(r"^not ok \d+ - (.*)", done.stdout, re.M)
                return f"{test}: {found.group(1)}" if found else "NO MUTANT: the schema cannot be made"
        return None
    finally:
        shutil.rmtree(tree)


def of_sql(options, base):
    """(what, the same without its line, the rule that noticed) of each guard."""
    if not os.environ.get("PGHOST"):
        sys.exit("tests/mutate/run: --sql needs PostgreSQL: tests/kit/cluster tests/mutate/run --sql")
    found = []
    for name in SCHEMA:
        source = (base / f"sql/schema/{name}.sql").read_text()
        for kind, start, end, by in mutants_of(source):
            line, shown = source.count("\n", 0, start) + 1, " ".join(source[start:end].split())[:120]
            found.append((name, line, kind, shown, source[:start] + by + source[end:]))
    found = [m for m in found if re.search(options.only, f"sql/schema/{m[0]}.sql: {m[2]}: {m[3]}")]
    if options.sample and options.sample < len(found):
        found = random.Random(options.seed).sample(found, options.sample)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(first_failure, base, i, m[0], m[4]) for i, m in enumerate(found)]
        for (name, line, kind, shown, _), job in zip(found, jobs):
            yield f"sql/schema/{name}.sql:{line}: {kind}: {shown}", f"sql/schema/{name}.sql: {kind}: {shown}", job.result()
