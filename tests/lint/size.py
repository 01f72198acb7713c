#!/usr/bin/env python3
"""Fail on files, functions and lines that are too long to read. clang-tidy's readability-function-size is the exact one."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1])
FILE_LINES_MAX, FUNCTION_LINES_MAX, COLUMNS_MAX = 800, 70, 132
bad = 0


def complain(f, n, text):
    global bad
    print(f"{f.relative_to(root)}:{n}: {text}")
    bad += 1


def functions(source):
    """(name, first line, lines between the braces) of each function: a '{' alone at the start of a line, to its '}'."""
    lines, start, name = source.splitlines(), None, "?"
    for n, line in enumerate(lines, 1):
        if line == "{" and start is None:
            start = n
            back = n - 2
            while back > 0 and lines[back][:1] in ("\t", " "):
                back -= 1
            m = re.search(r"(\w+)\s*\(", lines[back])
            name = m.group(1) if m else "?"
            if name in ("Test", "ParameterizedTest", "ParameterizedTestParameters"):
                name = lines[back].split("(", 1)[1].rstrip(")")
        elif line.startswith("}") and start is not None:
            yield name, start, n - start - 1
            start = None


for f in files.under(root, "*.[ch]", "*.py", "*.sql", "*.proto", "*.sh"):
    lines = f.read_text().splitlines()
    if len(lines) > FILE_LINES_MAX:
        complain(f, 1, f"{len(lines)} lines, at most {FILE_LINES_MAX}")
    for n, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS_MAX and f.suffix in (".c", ".h", ".py"):
            complain(f, n, f"{width} columns, at most {COLUMNS_MAX}")
    if f.suffix == ".c":
        for name, n, length in functions(files.without_comments(f.read_text())):
            if length > FUNCTION_LINES_MAX:
                complain(f, n, f"{name}: {length} lines, at most {FUNCTION_LINES_MAX}")
sys.exit(1 if bad else 0)
