"""The Debian packages: built, examined, and lived with in booted machines of both Debians."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.lab import machine
from tests.lab.lives import Lives, build

pytestmark = [pytest.mark.system, pytest.mark.timeout(2400)]

JOURNAL, SAID = 10_000, 20_000
"""Letters of both that are shown where a life failed."""
FAULT = re.compile(r"^(?:FAILED|ERROR|E  |E:|W:|autopkgtest .*FAIL|.* failed).*$", re.MULTILINE)
"""Lines of what pytest, lintian, apt and autopkgtest say when something is wrong."""


@pytest.fixture
def package(lives: Lives | None) -> Path:
    if shutil.which("dh") is None or shutil.which("scdoc") is None:
        pytest.skip("debhelper and scdoc are not installed (apt build-dep .)")
    assert lives is not None
    return Path(lives.told("package")["path"])


@pytest.fixture
def obstacle() -> None:
    why = machine.obstacle()
    if why is not None:
        pytest.skip(why)


def test_two_builds_are_identical(package: Path, tmp_path: Path) -> None:
    """Bit for bit, in another place, at another time, with another mask."""
    again = build(tmp_path / "elsewhere", umask=0o077)
    made = sorted(package.parent.glob("*.deb"))
    assert [each.name.split("_")[0] for each in made] == ["kaspad-taskd-fleet", "kaspad-taskd"]
    for each in made:
        assert again.with_name(each.name).read_bytes() == each.read_bytes()


@pytest.mark.usefixtures("obstacle", "package")
@pytest.mark.parametrize(
    "life",
    [
        "lives_on_debian_12",
        "lives_on_debian_13",
        pytest.param("lives_on_debian_testing", marks=pytest.mark.long),
        "switches_on_debian_12",
    ],
)
def test_it(life: str, lives: Lives) -> None:
    """What each life is stands in tests/lab/lives.py; all of it was tried inside a machine."""
    told = lives.told(life)
    if "cannot" in told:
        pytest.skip(told["cannot"])
    print(told["said"])
    if told["status"] != 0:  # what failed stands last: of a long report people see the end
        parts = told["journal"][-JOURNAL:], told["said"][-SAID:], *FAULT.findall(told["said"])
        pytest.fail("\n".join(parts), pytrace=False)
