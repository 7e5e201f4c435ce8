#!/usr/bin/env bash
# What: while a parallel index build sorts, its row of progress says that all is done, in a phase in
#   which nothing is counted yet.
# Versions: PostgreSQL 13.23 and 18.4 (npm's packages of embedded-postgres), seen by asyncpg 0.32.0;
#   the same with 14.23, 15.18, 16.14 and 17.10.
# Expected: blocks_done and blocks_total of pg_stat_progress_create_index are those of the current
#   phase, as its documentation says: 0 of 0 in "sorting live tuples", as without workers.
# Seen: with workers the phase is "sorting live tuples" while the blocks of the scan before it still
#   stand there, all of all, and 0 of 0 tuples; then come 0 of 0 blocks and the tuples' total.
# Bites: since PostgreSQL 11 brought parallel builds and 12 this view, with the default settings, for
#   each B-tree on a table that is large enough: who divides done by total shows 100 % of a phase for
#   as long as the leader sorts, most of the build here, and then begins again at 0.
# Here: kaspad_taskd/probes/migrations/seen.py (`counted`) takes no blocks where an index sorts.
# Needs: Linux on x86-64 or ARM64, python3 with venv, npm; as root setpriv, of util-linux.
set -euo pipefail

versions=(13.23.0-beta.16 18.4.0-beta.17)
case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) echo "not tried: no PostgreSQL for $(uname -m)" >&2 && exit 1 ;;
esac

umask 022 # another user than root runs what is installed here
here=$(mktemp -d)
server=
stop() {
  [ -n "$server" ] || return 0
  kill -INT "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
clean_up() {
  stop
  rm -rf "$here"
}
trap clean_up EXIT

who=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL does not run as root
  who=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
  chown nobody "$here"
fi
cd "$here"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install asyncpg==0.32.0

cat >look.py <<'PYTHON'
import asyncio
import sys

import asyncpg

ROWS = 60000
TABLE = f"""
CREATE TABLE line (words text COLLATE "en-x-icu");
INSERT INTO line SELECT repeat('much the same ', 60) || md5(n::text) FROM generate_series(1, {ROWS}) n;
ANALYZE line;
"""
LOOK = """
SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total FROM pg_stat_progress_create_index
"""


async def connect():
    for _ in range(600):
        try:
            return await asyncpg.connect(
                host=sys.argv[1], port=5432, user="admin", database="postgres"
            )
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.1)
    raise SystemExit("not tried: the server does not start")


async def looks(admin, watcher, workers):
    """Return what is seen in "sorting live tuples" while an index is built."""
    await admin.execute(f"ALTER TABLE line SET (parallel_workers = {workers})")
    build = asyncio.create_task(admin.execute("CREATE INDEX line_words ON line (words)"))
    seen = []
    while not build.done():
        row = await watcher.fetchrow(LOOK)
        if row is not None and row["phase"] == "building index: sorting live tuples":
            seen.append(tuple(row)[1:])
        await asyncio.sleep(0.002)
    await build
    await admin.execute("DROP INDEX line_words")
    return seen


async def main():
    admin, watcher = await connect(), await connect()
    print("PostgreSQL", await admin.fetchval("SHOW server_version"))
    await admin.execute(TABLE)
    pages = await admin.fetchval("SELECT pg_relation_size('line') / 8192")
    none = (0, 0, 0, ROWS)
    full = (pages, pages, 0, 0)
    for workers in (0, 2):
        seen = await looks(admin, watcher, workers)
        first = seen[0] if seen else None
        print(f"  {workers} workers: sorting live tuples, first", end=" ")
        print("blocks {} of {}, tuples {} of {}".format(*first) if first else "not seen")
        if first != (full if workers else none) or seen.count(first) < 10:
            raise SystemExit("changed: the counters of that phase are others")
        if set(seen) - {full, none}:
            raise SystemExit(f"changed: also seen: {set(seen) - {full, none}}")


asyncio.run(main())
PYTHON

for version in "${versions[@]}"; do
  npm install --silent --no-audit --no-fund --prefix "npm-$version" \
    "@embedded-postgres/linux-$machine@$version" >/dev/null
  programs=npm-$version/node_modules/@embedded-postgres/linux-$machine/native/bin
  "${who[@]}" "$programs/initdb" -D "data-$version" -U admin --auth=trust --locale=C -E UTF8 \
    --no-sync >/dev/null
  "${who[@]}" "$programs/postgres" -D "$here/data-$version" -k "$here" -p 5432 \
    -c listen_addresses= -c fsync=off -c autovacuum=off >"log-$version" 2>&1 &
  server=$!
  venv/bin/python look.py "$here"
  stop
done
echo "as stated"
