#!/usr/bin/env python3
"""Fail when a file includes a header from a layer above or beside its own: data flows one way."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import files

root = pathlib.Path(sys.argv[1])
MAY = {  # layer -> the layers whose headers it may include
    "engine/base": {"base"},
    "engine/core": {"base", "core"},
    "engine/wire": {"base", "core", "wire"},
    "engine/pg": {"base", "pg"},
    "engine/net": {"base", "net"},
    "engine/store": {"base", "core", "pg", "store"},
    "engine/server": {"base", "core", "wire", "pg", "net", "store", "server"},
    "clients/lib": {"base"},
    "clients/cli": {"base"},
}
LAYERS = {"base", "core", "wire", "pg", "net", "store", "server"}
OUTSIDE = {  # header (or its folder) -> the layers that may see it
    "calloff": {"engine/wire", "clients/lib", "clients/cli"},  # the generated protobuf structs
    "protobuf-c": {"engine/wire", "clients/lib", "clients/cli"},
    "uv.h": {"engine/pg", "engine/net", "engine/server"},
    "libpq-fe.h": {"engine/pg", "engine/store"},
    "query_map.h": {"engine/store"},
    "openssl": {"engine/store", "engine/net", "clients/cli"},
    "math.h": set(),
}
LIBC = {  # the pure layers may include these only
    "engine/core": {"stddef.h", "stdint.h", "stdbool.h", "string.h", "limits.h", "assert.h"},
    "engine/wire": {"stddef.h", "stdint.h", "stdbool.h", "string.h", "stdio.h", "limits.h", "assert.h"},
    "engine/base": {"stddef.h", "stdint.h", "stdbool.h", "string.h", "stdio.h", "stdlib.h", "sys/mman.h", "assert.h"},
}
bad = 0


def complain(f, n, text):
    global bad
    print(f"{f.relative_to(root)}:{n}: {text}")
    bad += 1


for f in files.under(root, "*.[ch]", folders=tuple(MAY)):
    layer = "/".join(f.relative_to(root).parts[:2])
    for n, line in enumerate(f.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        included, head = m.group(2), m.group(2).split("/")[0]
        if "/" in included and head in LAYERS and head not in MAY[layer]:
            complain(f, n, f"{layer} may not include {included}")
        elif head in OUTSIDE and layer not in OUTSIDE[head]:
            complain(f, n, f"{layer} may not see {included}")
        elif m.group(1) == "<" and layer in LIBC and head not in OUTSIDE and included not in LIBC[layer]:
            complain(f, n, f"{layer} may not include <{included}>")
        if ".." in included:
            complain(f, n, f"{included}: name headers from engine/, not by ..")

# No floats where decisions are made: money is pence, time is minutes.
for f in files.under(root, "*.[ch]", folders=("engine/core",)):
    for n, line in enumerate(files.without_comments(f.read_text()).splitlines(), 1):
        if re.search(r"\b(float|double)\b", line):
            complain(f, n, "no floats in core")

# The model is a second reading of the rules: it shares the words with the engine, nothing else.
for f in files.under(root, "*.[ch]", folders=("tests/model",)):
    for n, line in enumerate(f.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if m and "/" in m.group(1) and not m.group(1).endswith("core/words.h"):
            complain(f, n, f"tests/model may not include {m.group(1)}")
sys.exit(1 if bad else 0)
