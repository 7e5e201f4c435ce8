#!/usr/bin/env bash
# What: the TypeScript client that @open-rpc/generator makes of a document of OpenRPC 1.3 does not
#   compile with the packages that it asks for itself.
# Versions: @open-rpc/generator 1.22.3 (the newest), whose client asks for @open-rpc/meta-schema
#   1.14.2; TypeScript 5.9.3; Node.js 20.
# Expected: the generator takes the document, so what it makes of it compiles, as for OpenRPC 1.2.
# Seen: the document stands in the client, typed by the meta-schema that the client's package.json
#   pins. That one ends at 1.2.6 (a later 1.14 knows 1.3.2): "1.3.2" is not assignable. The generator
#   itself says "Done!", for what it checks with is newer.
# Bites: whoever raises `openrpc` in a description to the newest version, changing nothing else.
# Here: kaspad_taskd/api/openrpc.py says 1.2.6, which has all that it needs.
# Needs: node and npm.
set -euo pipefail

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

add() { npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$@"; }

mkdir "$here/tools"
echo '{"private": true}' >"$here/tools/package.json"
add "$here/tools" @open-rpc/generator@1.22.3 typescript@5.9.3

# Makes a client of a document of that version; prints what the compiler says of it.
compiled() {
  local client=$here/$1/client/typescript
  mkdir "$here/$1"
  cat >"$here/$1/openrpc.json" <<JSON
{"openrpc": "$1", "info": {"title": "clock", "version": "1.0.0"}, "methods": [{"name": "now",
 "params": [], "result": {"name": "moment", "schema": {"title": "Moment", "type": "string"}}}]}
JSON
  "$here/tools/node_modules/.bin/open-rpc-generator" generate -t client -l typescript -n clock \
    -d "$here/$1/openrpc.json" -o "$here/$1" >&2
  add "$client" --omit=dev
  (cd "$client" && "$here/tools/node_modules/.bin/tsc" --noEmit --skipLibCheck) || true
}

echo "node $(node --version)"
old=$(compiled 1.2.6)
new=$(compiled 1.3.2)
printf '  OpenRPC 1.2.6: %s\n  OpenRPC 1.3.2: %s\n' "${old:-compiles}" "${new:-compiles}"
[ -z "$old" ] || { echo "changed: the client of an older document does not compile" && exit 1; }
[[ $new == *"'\"1.3.2\"' is not assignable"* ]] || { echo "changed: it is another error, or none" && exit 1; }
echo "as stated"
