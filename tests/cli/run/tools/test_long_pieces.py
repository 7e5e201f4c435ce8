"""A piece may be as long as the splitter lets it be."""

from __future__ import annotations

import pytest

from kaspad_taskd.cli.run.recognise import TOOLS, recognise
from kaspad_taskd.cli.run.splitting import LONGEST

PROGRAMS = [programs[0] for file, programs in TOOLS.items() if file in (
    "rsync", "restic", "borg", "rclone", "curl", "wget", "aria2c", "dd", "pv", "zstd", "xz",
    "sevenzip", "tar",
)]  # fmt: skip
UNITS = [" ", "1", "1 ", "a: ", "1 MiB / ", "[=", "ETA 1s", "tar: a", "(1/1) ", "1%", "#"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_long_piece_is_no_row(program: str) -> None:
    """Nor is it looked at as often as it is long: that would be minutes for each."""
    for argv in ([program, "a", "-f"], [program, "backup", "--checkpoint=1", "-n", "-s", "5"]):
        found = recognise(argv)
        assert found is not None
        reader = found[0].reader(argv)
        for unit in UNITS:
            assert reader.read(2, (unit * LONGEST)[:LONGEST]) is None
            assert reader.read(2, (unit + " " * LONGEST)[:LONGEST]) is None
