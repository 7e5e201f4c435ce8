"""Durations as people write them: `90`, `10s`, `1min 30s`."""

from __future__ import annotations

import argparse


def duration(text: str) -> float:
    """Return seconds of `90`, `10s`, `1min 30s`, `3h`, `500ms`.

    Raises:
        argparse.ArgumentTypeError: it is none, or not above 0.
    """
    total, rest = 0.0, text.replace(" ", "")
    if rest and not rest.lstrip(_DIGITS):
        rest += "s"
    while rest:
        digits = _leading(rest, _DIGITS)
        unit = _leading(rest[len(digits) :], "dhimns")
        if digits.count(".") > 1 or not digits.strip(".") or unit not in _UNITS:
            raise _no_duration(text)
        total += float(digits) * _UNITS[unit]
        rest = rest[len(digits) + len(unit) :]
    if not 0 < total < 1e9:
        raise _no_duration(text)
    return total


def _no_duration(text: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f'"{text}" is no duration; write "10s" or "5min"')


_DIGITS = "0123456789."
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _leading(text: str, alphabet: str) -> str:
    return text[: len(text) - len(text.lstrip(alphabet))]
