"""What belongs where: everything that the Debian packages bring, by debhelper's own lists.

The lists say what is shipped. Units, sysusers, tmpfiles, commands, man pages, completions and
examples go below /usr/local, which is the administrator's; the default task, polkit's rule and the
settings are where daemon, polkit and the documents look for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import kaspad_taskd
from kaspad_taskd.daemon.installing.plan import Piece
from kaspad_taskd.daemon.installing.refusal import Refusal

PROGRAMS: Final = (
    "kaspad-taskd", "kaspad-taskctl", "kaspad-taskd-notify", "kaspad-taskd-hub",
    "kaspad-taskd-relay", "kaspad-taskd-switch",
)  # fmt: skip
COMMANDS: Final = "/usr/local/bin"
UNITS: Final = "/usr/local/lib/systemd/system"
RULES: Final = "/usr/share/polkit-1/rules.d"
ETC: Final = "/etc/kaspad-taskd"
CONFS: Final = ("kaspad-taskd.conf", "kaspad-taskd-fleet.conf")
"""The names of our files for sysusers and for tmpfiles."""
DOCUMENTS: Final = "usr/share/doc/kaspad-taskd"

_UNITS: Final = (".service", ".socket", ".timer")
_FLEET: Final = "kaspad-taskd-fleet"
"""The second package, which has lists of its own."""
_LOCAL: Final = (
    ("/usr/lib/systemd/", "/usr/local/lib/systemd/"),
    ("/usr/lib/sysusers.d/", "/usr/local/lib/sysusers.d/"),
    ("/usr/lib/tmpfiles.d/", "/usr/local/lib/tmpfiles.d/"),
    ("/usr/share/man/", "/usr/local/share/man/"),
    ("/usr/share/doc/", "/usr/local/share/doc/"),
    ("/usr/share/bash-completion/", "/usr/local/share/bash-completion/"),
    ("/usr/share/fish/", "/usr/local/share/fish/"),
    ("/usr/share/zsh/vendor-completions/", "/usr/local/share/zsh/site-functions/"),
)
"""Places of packages, and the administrator's for the same."""


def shipped() -> Path:
    """Return where the files are: in the installed package, else in the checkout around it.

    Raises:
        Refusal: nowhere.
    """
    package = Path(kaspad_taskd.__file__).parent
    for place in (package / "shipped", package.parent):
        if (place / "packaging/systemd").is_dir():
            return place
    raise Refusal(f"{package}/shipped is not there: install kaspad-taskd anew, with pip")


def pieces(source: Path, prefix: Path) -> list[Piece]:
    """Return everything that makes the program of a prefix a service.

    Args:
        source: as `shipped` returned it.
        prefix: where the program is: its commands are in PREFIX/bin.

    Raises:
        OSError: a file cannot be read.
    """
    files = [_piece(file, _local(path), prefix) for file, path in _files(source)]
    links = [Piece(path, target=target) for path, target in _links(source)]
    if prefix / "bin" != Path(COMMANDS):
        links += [Piece(f"{COMMANDS}/{name}", target=f"{prefix}/bin/{name}") for name in PROGRAMS]
    directories = [Piece(f"/{name}", kept=True) for (name,) in _lines(source, "dirs")]
    return [*directories, *files, *links]


def _files(source: Path) -> Iterator[tuple[Path, str]]:
    """Each file, and where the package has it."""
    for *patterns, directory in _lines(source, "install"):
        for pattern in patterns:
            yield from _found(source, pattern, f"/{directory}")
    for (pattern,) in _lines(source, "examples"):
        yield from _found(source, pattern, f"/{DOCUMENTS}/examples")
    for (pattern,) in (*_lines(source, "manpages"), *_lines(source, f"{_FLEET}.manpages")):
        for file in sorted(source.glob(pattern)):
            yield file, f"/usr/share/man/man{file.suffix[1:]}/{file.name}"
    for place in ("systemd", "fleet"):
        yield from _units(source / "packaging" / place)


def _units(place: Path) -> Iterator[tuple[Path, str]]:
    """Units of a directory, and what makes their users and directories."""
    for file in sorted(place.iterdir()):
        if file.suffix in _UNITS and "@" not in file.name:  # debian/install names what is
            yield file, f"/usr/lib/systemd/system/{file.name}"
        elif file.suffix in (".sysusers", ".tmpfiles"):
            yield file, f"/usr/lib/{file.suffix[1:]}.d/{file.stem}.conf"


def _found(source: Path, pattern: str, directory: str) -> Iterator[tuple[Path, str]]:
    """Files of a pattern, and those below its directories."""
    for top in sorted(source.glob(pattern)):
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file, f"{directory}/{file.relative_to(top.parent)}"


def _links(source: Path) -> Iterator[tuple[str, str]]:
    """Links between files of one directory, with what they say."""
    for target, link in _lines(source, "links"):
        yield _local(f"/{link}"), Path(target).name


def _lines(source: Path, name: str) -> Iterator[list[str]]:
    """The words of each line of one of debhelper's lists; there need not be one."""
    file = source / "debian" / name
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def _local(path: str) -> str:
    theirs, ours = next((each for each in _LOCAL if path.startswith(each[0])), ("", ""))
    return ours + path.removeprefix(theirs)


def _piece(file: Path, path: str, prefix: Path) -> Piece:
    return Piece(
        path,
        _fitted(file.read_bytes(), prefix),
        kept=path.startswith(f"{ETC}/"),
        source=str(file),
        executable=bool(file.stat().st_mode & 0o100),
    )


def _fitted(data: bytes, prefix: Path) -> bytes:
    """A file that names the places of Debian's package, with those of here."""
    data = data.replace(b"=/usr/bin/kaspad-task", f"={prefix}/bin/kaspad-task".encode())
    return data.replace(f"/{DOCUMENTS}".encode(), _local(f"/{DOCUMENTS}").encode())
