#!/bin/sh
# The wire stays clean and compatible: buf lint, and buf breaking against the committed baseline. The tools are an npm
# package, installed into the build directory by the lock file.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$root/build/proto-tools
mkdir -p "$tools"
cp "$root/proto/package.json" "$root/proto/package-lock.json" "$root/proto/.npmrc" "$tools/"
(cd "$tools" && npm install --no-save --no-audit --no-fund --loglevel=error >&2)
cd "$root/proto"
"$tools/node_modules/.bin/buf" lint
"$tools/node_modules/.bin/buf" breaking --against baseline.binpb
echo "buf lint and buf breaking: clean"
