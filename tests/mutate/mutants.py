"""mutants.py: all mutants of a C file in one file, each asleep until its number stands in the environment.

A condition that decides (if, return) is negated, each of its && and || parts is taken away, each comparison moved by one; a
loop leaves out its last round; a statement of one line (an assignment, a call) is dropped. So one build holds them all:
MUTANT=17 wakes the 17th.
Assertions (REQUIRE, INSIST) are left alone: they guard against a wrong engine, which the others are.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lint"))
import files  # noqa: E402

HEADER = """#include <stdlib.h>
static int mutant_no;
__attribute__((constructor)) static void mutant_start(void)
{
	const char *s = getenv("MUTANT");

	mutant_no = s != NULL ? atoi(s) : 0;
}
#define MUTANT(n) __builtin_expect(mutant_no == (n), 0)
"""
NEIGHBOURS = {"<=": "<", ">=": ">", "<": "<=", ">": ">=", "==": "!=", "!=": "=="}
COMPARISON = re.compile(r"(?<=\s)(<=|>=|==|!=|<|>)(?=\s)")
LAST_SKIPPED = re.compile(r"(?<!\S)(\w+) < (?=\S)")
STATEMENT = re.compile(r"^(\t+)((?!\.|(?:return|break|continue|goto|else|case|default|do)\b|INSIST|REQUIRE|UNREACHABLE)"
                       r"(?:\*?[\w>.\-\[\]+]+\s(?:=|[-+|&^]=|<<=|>>=)\s.*|[a-z_]\w*\(.*\)|"
                       r"\*?[\w>.\-\[\]]+(?:\+\+|--)|TRY\(.*\)));$")


class Mutant:
    def __init__(self, path, line, kind, text):
        self.path, self.line, self.kind, self.text = path, line, kind, " ".join(text.split())

    def __str__(self):
        return f"{self.path}:{self.line}: {self.kind}: {self.text}"


def closing(text, at):
    """The index of the bracket that closes the one at at."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0:
            return i
    raise ValueError("brackets")


def parts(text, operator):
    """(from, to) of what stands between the operators of the outermost level; one when there is none."""
    found, depth, start, i = [], 0, 0, 0
    while i < len(text):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0 and text.startswith(operator, i):
            found.append((start, i))
            i += len(operator)
            start = i
            continue
        i += 1
    found.append((start, len(text)))
    return found


def replace(text, span, by):
    return text[:span[0]] + by + text[span[1]:]


def weakened(real, blank, offset=0):
    """(kind, span, by) of each part of a condition taken away, at every level of brackets."""
    out = []
    for operator, neutral in (("||", "0"), ("&&", "1")):
        found = parts(blank, operator)
        if len(found) > 1 and not (operator == "&&" and len(parts(blank, "||")) > 1):
            for a, b in found:
                out.append(("part dropped", (a + offset, b + offset), f" {neutral} "))
                out += weakened(real[a:b], blank[a:b], offset + a)
            return out
        if len(found) > 1:
            return out
    inner = re.match(r"^\s*!?\((.*)\)\s*$", blank, re.S)
    if inner and closing(blank, blank.index("(")) == len(blank.rstrip()) - 1:
        a, b = inner.span(1)
        out += weakened(real[a:b], blank[a:b], offset + a)
    return out


def of_loop(real, blank):
    """A loop that goes one too far reads memory nobody wrote: sanitizers see that. Here it leaves out the last."""
    found = [(kind, real[span[0]:span[1]], replace(real, span, by)) for kind, span, by in weakened(real, blank)]
    for m in LAST_SKIPPED.finditer(blank):
        found.append(("last left out", real, replace(real, m.span(1), f"{m.group(1)} + 1")))
    return found


def of_condition(real, blank, negate):
    """(kind, shown, code) of each mutant of an expression."""
    found = [("negated", real, f"!({real})")] if negate else []
    for kind, span, by in weakened(real, blank):
        found.append((kind, real[span[0]:span[1]], replace(real, span, by)))
    for m in COMPARISON.finditer(blank):
        if m.group(1) in ("==", "!=") and negate and len(COMPARISON.findall(blank)) == 1 and not re.search(r"&&|\|\|", blank):
            continue  # that is the negation
        around = real[max(0, m.start() - 30):m.end() + 30]
        found.append((f"{m.group(1)} for {NEIGHBOURS[m.group(1)]}", around, replace(real, m.span(1), NEIGHBOURS[m.group(1)])))
    return found


def conditions(blank):
    """(from, to, may be negated) of the conditions of a file."""
    for m in re.finditer(r"\b(if|while)\s*\(", blank):
        yield m.end(), closing(blank, m.end() - 1), m.group(1) == "if"
    for m in re.finditer(r"\bfor\s*\(", blank):
        inside = blank[m.end():closing(blank, m.end() - 1)]
        pieces = inside.split(";")
        if len(pieces) == 3 and pieces[1].strip():
            start = m.end() + len(pieces[0]) + 1
            yield start, start + len(pieces[1]), False
    for m in re.finditer(r"\breturn\s+([^;]*(?:&&|\|\||\s[<>]=?\s|==|!=)[^;]*);", blank):
        expression = m.group(1)
        if "?" not in expression and "{" not in expression:
            yield m.start(1), m.end(1), True


def statements(blank):
    at = 0
    for line in blank.split("\n"):
        m = STATEMENT.match(line)
        if m and line.count("(") == line.count(")") and "\\" not in line:
            yield at + m.start(2), at + len(line)
        at += len(line) + 1


def in_macro(blank, at):
    start = blank.rfind("\n", 0, at) + 1
    before = blank.rfind("\n", 0, max(0, start - 1)) + 1
    return blank[start:].startswith("#") or blank[before:start].rstrip().endswith("\\")


def mutate(path, source, first):
    """(the file with its mutants in it, the mutants); their numbers start at first."""
    blank = files.without_comments(source)
    found, edits = [], []
    spans = [(a, b, "condition", n) for a, b, n in conditions(blank)] + [(a, b, "statement", False) for a, b in statements(blank)]
    taken = -1
    for a, b, what, negate in sorted(spans):
        if a < taken or in_macro(blank, a):
            continue
        taken = b
        real, line = source[a:b], source.count("\n", 0, a) + 1
        if what == "statement":
            found.append(Mutant(path, line, "dropped", real))
            code = f"do {{ if (!MUTANT({first + len(found) - 1})) {{ {real} }} }} while (0);"
        else:
            code = f"({real})"
            for kind, shown, mutated in of_condition(real, blank[a:b], negate) if negate else of_loop(real, blank[a:b]):
                found.append(Mutant(path, line, kind, shown))
                code = f"(MUTANT({first + len(found) - 1}) ? ({mutated}) : {code})"
        edits.append((a, b, code))
    for a, b, code in reversed(edits):
        source = source[:a] + code + source[b:]
    return HEADER + "#line 1\n" + source, found
