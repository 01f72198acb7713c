#!/usr/bin/env python3
"""Fail when a README or a decision names a file or folder that is not there."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1])
SUFFIX = r"(?:c|h|md|py|sh|sql|proto|csv|case|build|toml|yaml|ini|json)"
TOKEN = re.compile(r"(?<![\w./~$-])((?:\./|\.\./)*[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.*-]+)*/?)(?![\w/])")
TOP = {"engine", "proto", "sql", "clients", "bench", "tests"}
ROOMS = {"base", "core", "wire", "pg", "net", "store", "server", "decisions"}
MADE = {".demo", "build", "node_modules"}  # made by running something
bad = 0


def there(f, token):
    path = token.rstrip("/")
    for base in (root, f.parent, root / "engine", root / "tests", root / "proto"):
        if any(base.glob(path)) if "*" in path else (base / path).exists():
            return True
    return False


def is_path(token):
    head = token.removeprefix("./").split("/")[0]
    if head in MADE or token.startswith(("../", "http")) or token.split("/")[-1].startswith(".") or token == "./a.out":
        return False
    if re.search(r"\." + SUFFIX + r"$", token):
        return "/" in token
    if "/" not in token.rstrip("/"):
        return token.endswith("/") and head in TOP | ROOMS
    return head in TOP | ROOMS or token.startswith("./")


for f in files.everything(root):
    if f.name != "README.md" and not ("decisions" in f.parts and f.suffix == ".md"):
        continue
    for n, line in enumerate(f.read_text().splitlines(), 1):
        for token in TOKEN.findall(line):
            token = token.rstrip(".")
            first = token.removeprefix("./")
            if not is_path(token) or there(f, first):
                continue
            # "wire/frame", "server/pump": a module by its name without the suffix
            if there(f, first + ".h") or there(f, first + ".c"):
                continue
            print(f"{f.relative_to(root)}:{n}: {token} is not there")
            bad += 1
sys.exit(1 if bad else 0)
