#!/usr/bin/env python3
"""Fail on words that have no place: unfinished work, unsafe functions, prints in pure layers, machines and hosts."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1]).resolve()
bad = 0
UNFINISHED = re.compile(r"\b(FIX" r"ME|TO" r"DO|XX" r"X|HA" r"CK)\b")
UNSAFE = {  # function -> what to use
    "strcpy": "memcpy with a checked length", "strcat": "snprintf", "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "strtok": "strchr", "gets": "fgets", "ctime": "when.h", "asctime": "when.h", "localtime": "gmtime_r",
    "gmtime": "gmtime_r", "rand": "getrandom", "alloca": "an arena",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(UNSAFE) + r")\s*\(")
SPEAKS = re.compile(r"\b(printf|fprintf|puts|perror|vprintf|syslog)\s*\(")
SILENT = {"core", "wire", "pg", "net", "store"}  # these return; server says it once
SYSTEM = {"tmp", "usr", "var", "run", "etc", "opt", "srv", "dev", "proc", "bin", "lib", "mnt", "media"}
HOSTS = re.compile(r"(?<![\w.-])(deb|registry|packages|archive|ftp|mirror)\.[a-z0-9-]+\.(org|com|net|io|dev)\b")

homes = {"root"} | ({root.parts[1]} if len(root.parts) > 2 and root.parts[1] not in SYSTEM else set())
MACHINE = re.compile(r"(?<![\w./$}])/(" + "|".join(map(re.escape, sorted(homes))) + r")/")


def complain(f, n, text):
    global bad
    print(f"{f.relative_to(root)}:{n}: {text}")
    bad += 1


for f in files.everything(root):
    text = files.text_of(f)
    if text is None:
        continue
    parts = f.relative_to(root).parts
    c = f.suffix in (".c", ".h")
    code = files.without_comments(text).splitlines() if c else []
    for n, line in enumerate(text.splitlines(), 1):
        if f.suffix != ".csv" and UNFINISHED.search(line) and not re.search(r"X{6}", line):
            complain(f, n, "unfinished: finish it, or open an issue")
        if MACHINE.search(line):
            complain(f, n, "a path of one machine")
        if HOSTS.search(line):
            complain(f, n, "a package host: machines know their own")
    for n, line in enumerate(code, 1):
        m = CALL.search(line)
        if m and parts[0] != "tests":
            complain(f, n, f"{m.group(1)} is banned: use {UNSAFE[m.group(1)]}")
        if parts[0] == "engine" and parts[1] in SILENT and SPEAKS.search(line):
            complain(f, n, f"{parts[1]} never prints: it returns")
        if parts[0] == "engine" and parts[1] == "core" and re.search(r"\b(malloc|calloc|realloc|free|mem_\w+)\s*\(", line):
            complain(f, n, "core never allocates")
sys.exit(1 if bad else 0)
