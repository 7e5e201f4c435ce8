"""What a service says, made fit to be shown: one line, without what its address keeps secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from kaspad_taskd.words.plain import safe

LONGEST: Final = 300
"""Characters of it that are shown."""
MOST: Final = 2_000
"""Characters of what was said that are looked at; the rest is too far behind to be shown."""
MASK: Final = "***"
_WHOLE: Final = 6
"""Characters from which on a secret is masked within a word, too; a shorter one as a word alone."""
_SAYING: Final = ("error_description", "description", "error", "message", "detail", "errors")
"""Where JSON says what is wrong, the best first."""
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]{0,20}:(?://|\\/\\/)[^\s\"'<>]*", re.IGNORECASE)
_TAG: Final = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_BETWEEN: Final = re.compile(r"[/#:@,;\s]+")
_PLAIN: Final = frozenset(
    {"cto", "format", "image", "method", "mode", "overflow", "priority", "rto", "verify"}
)
"""Options of an Apprise URL whose values are words of anybody's."""


def shown(said: str, secrets: Collection[str]) -> str:
    """Return what a service said as one line of at most 300 characters.

    Of JSON the sentence that it tells, of a page its text. No part of the `secrets` (addresses,
    keys) is in it, nor any other address.
    """
    if len(said) >= MOST:
        said = _without_half(said[:MOST], secrets)
    return safe(" ".join(mask(_sentence(said), secrets).split()), LONGEST)


def _without_half(cut: str, secrets: Iterable[str]) -> str:
    """Return a text that was cut without the half of a secret, should it end with one."""
    low = cut.lower()
    halves = (
        size
        for secret in secrets
        for part in _spellings(secret)
        for size in range(len(part) - 1, 2, -1)
        if low.endswith(part[:size].lower())
    )
    return cut[: len(cut) - max(halves, default=0)]


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return a text in which each part of each secret, in any of its spellings, is ***."""
    text = _ADDRESS.sub(MASK, text)
    parts = {part for secret in secrets for part in _spellings(secret)}
    for part in sorted(parts, key=len, reverse=True):
        edge = "" if len(part) >= _WHOLE else r"(?<!\w){}(?!\w)"
        text = re.sub((edge or "{}").format(re.escape(part)), MASK, text, flags=re.IGNORECASE)
    return text


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret and its parts, as they are, unquoted, quoted, and as Basic has them."""
    scheme, separator, rest = secret.partition("://")
    whole = rest if separator else scheme
    place, _, query = whole.partition("?")
    account = place.partition("/")[0].rpartition("@")[0]
    if account:
        yield base64.b64encode(unquote(account).encode()).decode().rstrip("=")
    for part in (whole, account, *_BETWEEN.split(place), *_values(query)):
        for spelt in {part, unquote(part), unquote_plus(part), quote(part, safe="")}:
            if len(spelt) > 1:
                yield spelt


def _values(query: str) -> Iterator[str]:
    for option in query.split("&"):
        name, _, value = option.partition("=")
        if name.lower() not in _PLAIN:
            yield value
            yield from _BETWEEN.split(value)


def _sentence(said: str) -> str:
    told = said.strip()
    if told.startswith("{"):
        return _of_json(told) or told
    return _TAG.sub(" ", told) if told.startswith("<") else told


def _of_json(told: str) -> str | None:
    try:
        answer = json.loads(told)
    except ValueError:
        return None
    found = [answer.get(name) for name in _SAYING] if isinstance(answer, dict) else []
    return next((each for each in found if isinstance(each, str) and each.strip()), None)
