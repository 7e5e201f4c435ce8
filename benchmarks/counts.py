"""Instructions of the daemon's hot paths, beside the numbers in the repository; renews them.

Run it by `./dev bench counts`; a test holds what it finds to what is written (`counts.json`). What
is counted does not depend on what else the machine does: callgrind says the same each time (from
one directory to another it is within half a per cent), so that one run is enough. `perf stat` would
count what the processor at hand is given, for libraries choose their code by it, and there is none
in most containers and virtual machines.

A number belongs to a minor version of Python, to who built it (Debian's 3.11 takes up to 16 % less
than one built from source by the same compiler) and to the kind of processor. Without orjson it is
other work.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.process import HERE, of

Counts: TypeAlias = dict[str, int]
"""Instructions by the name of a piece of work."""
STORED: Final = Path(__file__).with_name("counts.json")
ALLOWED: Final = 1.10
"""How much more than the stored number is no failure."""
TIMEOUT: Final = 240.0
"""Seconds for a run that takes seven."""
COLLECTED: Final = re.compile(r"==(\d+)== Collected : (\d+)")


def obstacle() -> str | None:
    """Why nothing can be counted here."""
    missing = [name for name in ("valgrind", "vgdb") if shutil.which(name) is None]
    if missing:
        return f"counts instructions: {' and '.join(missing)} not found (apt install valgrind)"
    return None


def key() -> str:
    """Whose numbers are comparable with those of this Python."""
    debian = "deb_system" in sysconfig.get_scheme_names()
    builder = "Debian" if debian else platform.python_compiler()
    orjson = "" if importlib.util.find_spec("orjson") else ", no orjson"
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{minor}, {builder}, {platform.machine()}{orjson}"


def measure() -> Counts:
    """Count each piece of work, done once.

    Raises:
        SystemExit: it could not be counted.
    """
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = [*valgrind, "--instr-atstart=no", sys.executable, "-m", "benchmarks.counted"]
    env = of(HERE) | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    collected = {int(pid): int(count) for pid, count in COLLECTED.findall(done.stderr)}
    counts = {}
    for line in done.stdout.splitlines():
        name, times, without, with_it = line.split()
        counts[name] = (collected[int(with_it)] - collected[int(without)]) // int(times)
    return counts


def stored() -> dict[str, Counts]:
    """The numbers in the repository, by `key()`."""
    known: dict[str, Counts] = json.loads(STORED.read_text())
    return known


def risen(found: Counts, known: Counts) -> list[str]:
    """Return a sentence for each piece of work that takes more than it may."""
    return [
        f"{name}: {count / known[name] - 1:+.1%} instructions: make it lighter, or say why in the"
        f" commit that renews the number (./dev bench counts)"
        for name, count in found.items()
        if name in known and count > known[name] * ALLOWED
    ]


def table(found: Counts, known: Counts) -> list[str]:
    """The lines of the result."""
    lines = [f"{'':12}{'instructions':>14}{'stored':>12}{'change':>9}"]
    for name, count in found.items():
        before = known.get(name)
        told = f"{before:12,}{count / before - 1:+9.1%}" if before else f"{'-':>12}"
        lines.append(f"{name:12}{count:14,}{told}")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Count, print, and write what this Python's numbers are now."""
    parser = argparse.ArgumentParser(prog="./dev bench counts", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="only print: renew nothing")
    options = parser.parse_args(argv)
    why = obstacle()
    if why is not None:
        print(why)
        return 1
    found, known = measure(), stored()
    print(f"Python {key()}")
    print("\n".join(table(found, known.get(key(), {}))))
    if not options.keep:
        known[key()] = found
        STORED.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
