"""What a message looks like to each of those who take it: a text, JSON, variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kaspad_taskd.base.clock import iso
from kaspad_taskd.notify.model import Item, Kind, Message, Moment
from kaspad_taskd.words.plain import safe

TITLE: Final = 120
"""Characters of a title."""
TEXT: Final = 999
"""Characters of what is sent as text, with the link and the message's id in it."""
ITEMS: Final = 100
"""Items of a message in JSON; `more` is the number of the others."""
TYPES: Final[Mapping[Kind, str]] = {
    Kind.ERROR: "failure",
    Kind.TROUBLE: "warning",
    Kind.SWITCH: "info",
    Kind.RECOVERED: "success",
    Kind.COMPLETE: "success",
}
"""What Apprise calls a kind: it chooses colours and signs."""


def title(message: Message) -> str:
    """Return the title as one line."""
    return safe(" ".join(message.title.split()), TITLE)


def text(message: Message) -> str:
    """Return the text, the link and the id in fewer than 1,000 characters, cut by whole lines."""
    end = "".join(f"\n{each}" for each in (message.link, f"[{message.id}]") if each)
    return _cut(message.text.strip() or title(message), TEXT - len(end) - 1) + "\n" + end


def _cut(told: str, room: int) -> str:
    if len(told) <= room:
        return told
    kept = told[: room - 1]
    whole = kept.rpartition("\n")[0].rstrip()
    return f"{whole}\n…" if whole else f"{kept}…"


def as_json(message: Message, host: str) -> str:
    """Return the message as a JSON object: what a webhook and a command get."""
    return json.dumps(
        {
            "id": message.id,
            "rule": message.rule,
            "kind": str(message.kind),
            "title": title(message),
            "text": message.text,
            "link": message.link,
            "host": host,
            "at": _iso(message.made),
            "items": [_item(each) for each in message.items[:ITEMS]],
            "more": max(0, len(message.items) - ITEMS) + message.more,
        },
        ensure_ascii=False,
    )


def _item(item: Item) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "of": item.of,
        "name": item.name,
        "code": item.code,
        "params": dict(item.params),
        "began": _iso(item.began),
        "ended": _iso(item.ended),
        "count": item.count,
        "again": item.again,
        "host": item.host or None,
    }


def _iso(moment: Moment | None) -> str | None:
    return None if moment is None else iso(moment)


def variables(message: Message) -> dict[str, str]:
    """Return what a command finds in its environment about the message."""
    return {
        "KASPAD_TASKD_MESSAGE": message.id,
        "KASPAD_TASKD_RULE": message.rule,
        "KASPAD_TASKD_KIND": str(message.kind),
        "KASPAD_TASKD_TITLE": title(message),
    }
