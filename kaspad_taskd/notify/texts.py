"""What a message says: a title of one line, a text with a line for each thing, a link.

The sentences are in words/en.json under "notify"; causes and cures of what the wire has words for
are taken as it says them, so that what a later daemon finds is told in its own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from urllib.parse import quote

from kaspad_taskd import words
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.model import Item, Kind, Moment
from kaspad_taskd.words import plain, service, task
from kaspad_taskd.words.table import entry

TITLE = 120
"""Characters that a title has at most."""
TEXT = 999
"""Likewise, a text."""
LINE = 480
"""Likewise, what is said of one thing."""
MORE = 60
"""Characters that are left for how many there are beyond."""
SHORT = 160
"""Likewise, where several hosts have something to tell."""
_TASKS = ("task", "disk")
_DONE, _SWITCHED, _BY = "notify.done", "notify.switched", "notify.switched-by"
_MANY, _COUNT, _LINE, _BECAUSE = "notify.many", "notify.count", "notify.line", "notify.because"


@frozen
class Said:
    """What a message says.

    Attributes:
        title: one line.
        text: a line a thing, cut by whole things.
        link: where to look, or None.
    """

    title: str
    text: str
    link: str | None


def say_items(
    items: Sequence[Item],
    now: Moment,
    zone: tzinfo,
    host: str = "",
    page_url: str = "",
    left: int = 0,
) -> Said:
    """Return what is said of several things, the gravest first.

    Args:
        items: at least one.
        now: when it is said: times of its day are told without the day.
        zone: where people live.
        host: how this host is called, "" for not at all.
        page_url: where the page is, "" for no link.
        left: how many things there are beyond.
    """
    hosts = {item.host for item in items}
    alone = _of_hosts_alone(items, len(hosts))
    name = plain.safe((hosts.pop() if len(hosts) == 1 else "") or host, 60)
    if len(items) == 1 and not left:
        title = _of_one(items[0], name)
    elif hosts:
        title = _of_hosts(items, len(hosts), left, alone)
    else:
        title = _of_many(items, name, left)
    if alone:
        text = _names(items, now, zone, left)
    else:
        text = _text(items, now, zone, left, apart=bool(hosts))
    return Said(plain.safe(title, TITLE), text, link(items, page_url))


def link(items: Sequence[Item], page_url: str) -> str | None:
    """Return where to look: the task's page where all is about one, else the page; or None."""
    if not page_url:
        return None
    about = {item.of.partition(":")[2] for item in items if _whom(item) in _TASKS}
    others = any(_whom(item) not in _TASKS for item in items)
    hosts = {item.host for item in items}
    page = page_url.rstrip("/")
    if len(hosts) > 1:
        return f"{page}/"
    if host := hosts.pop():
        page = f"{page}/host/{quote(host, safe='')}"
        if others or len(about) != 1:
            return page
    return f"{page}/" if others or len(about) != 1 else f"{page}/task/{quote(about.pop(), safe='')}"


def headline(item: Item) -> str:
    """Return what is so, in one sentence without a full stop and without times of day."""
    match item.kind:
        case Kind.COMPLETE:
            word = task.done_word({"type": item.params.get("type")})
            return words.say(f"{_DONE}.{item.code}", name=item.name, word=word)
        case Kind.ERROR:
            return words.say("notify.failed", name=item.name)
        case Kind.SWITCH:
            return _switched(item)
        case Kind.RECOVERED:
            return _told(item, "notify.well")
        case Kind.TROUBLE:
            return _told(item, "notify.now" if item.ended is None else "notify.was")


def line(item: Item, now: Moment, zone: tzinfo) -> str:
    """Return all that is said of one thing: what, since when, why, what to do."""
    said = [_sentence(_when(item, now, zone)), *_why(item)]
    cure = _cure(item)
    if cure:
        said.append(words.say("notify.line.cure", cure=cure))
    return plain.safe(" ".join(said), LINE)


def when(moment: Moment, now: Moment, zone: tzinfo) -> str:
    """Return a local time: `15:32` on the day of `now`, else `22 Nov 15:32`."""
    try:
        there = datetime.fromtimestamp(moment / 1000, zone)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return words.say("unknown")
    here = datetime.fromtimestamp(now / 1000, zone)
    clock = f"{there.hour:02}:{there.minute:02}"
    if there.date() == here.date():
        return clock
    month = str(entry("months")).split()[there.month - 1]
    return f"{there.day} {month} {clock}"


def _whom(item: Item) -> str:
    return item.of.partition(":")[0]


def _of_one(item: Item, host: str) -> str:
    title = headline(item)
    if item.again:
        title = words.say("notify.still", title=title)
    return words.say("notify.host", host=host, title=title) if host else title


def _of_hosts_alone(items: Sequence[Item], hosts: int) -> bool:
    """Whether it is of several hosts the same: that they are silent, were so, or are heard."""
    first = items[0]
    kind = (first.of, first.code, first.kind, first.ended is None)
    each = {(item.of, item.code, item.kind, item.ended is None) for item in items}
    return hosts == len(items) > 1 and first.of == "host" and each == {kind}


def _of_hosts(items: Sequence[Item], hosts: int, left: int, alone: bool) -> str:
    """The title of what several hosts have to tell."""
    n = f"{len(items) + left:,}"
    if not alone:
        return words.say("notify.hosts.mixed", n=n, hosts=f"{hosts:,}")
    past = "now" if items[0].ended is None else "was"
    form = "well" if items[0].kind is Kind.RECOVERED else past
    key = f"notify.hosts.{form}.{items[0].code}"
    return words.maybe(key, n=n) or words.say(f"notify.hosts.{form}.other", n=n)


def _names(items: Sequence[Item], now: Moment, zone: tzinfo, left: int) -> str:
    """As many names as fit, with when that was, how many there are beyond, and what to do."""
    cure = _cure(items[0])
    tail = "" if cure is None else f"\n{words.say('notify.line.cure', cure=cure)}"
    room = TEXT - len(tail) - MORE
    said: list[str] = []
    for item in items:
        at = item.began if item.ended is None else item.ended
        one = plain.safe(item.host, 64) + ("" if at is None else f" ({when(at, now, zone)})")
        if len(one) + 2 > room:
            break
        said.append(one)
        room -= len(one) + 2
    left += len(items) - len(said)
    if left:
        said.append(words.plural("notify.more", left))
    return ", ".join(said) + tail


def _of_many(items: Sequence[Item], host: str, left: int) -> str:
    form = "host" if host else "bare"
    kinds = [item.kind for item in items]
    if len(set(kinds)) == 1:
        key = f"{_MANY}.{_alike(items)}.{form}"
        return words.say(key, n=f"{len(items) + left:,}", host=host)
    counts = [words.say(f"{_COUNT}.{kind}", n=kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    return words.say(f"{_MANY}.mixed.{form}", host=host, counts=", ".join(counts))


def _alike(items: Sequence[Item]) -> str:
    """How many things of one kind are called together."""
    if items[0].kind is not Kind.TROUBLE:
        return items[0].kind.value
    past = all(item.ended is not None for item in items)
    if all(_whom(item) in _TASKS for item in items):
        return "was" if past else "trouble"
    return "were" if past else "troubles"


def _text(items: Sequence[Item], now: Moment, zone: tzinfo, beyond: int, *, apart: bool) -> str:
    """As many whole lines as fit, and how many there are beyond; `apart`: of several hosts."""
    lines: list[str] = []
    room = TEXT
    for place, item in enumerate(items):
        said = line(item, now, zone)
        if apart and item.host:  # short, so that no host takes the room of others
            said = words.say("notify.host", host=item.host, title=plain.safe(said, SHORT))
        left = len(items) - place - 1 + beyond
        rest = len(words.plural("notify.more", left)) + 1 if left else 0
        if len(said) + rest > room:
            lines.append(words.plural("notify.more", left + 1))
            break
        lines.append(said)
        room -= len(said) + 1
        if place == len(items) - 1 and beyond:
            lines.append(words.plural("notify.more", beyond))
    return "\n".join(lines)


def _told(item: Item, form: str) -> str:
    whom = _whom(item)
    code = _code(item)
    params = _params(item)
    known = f"{form}.{whom}"
    found = words.maybe(f"{known}.{code}", **params) or words.maybe(f"{known}.other", **params)
    return found or words.say(known, **params)


def _code(item: Item) -> str:
    silent = item.params.get("reason") == "silent-report" and item.params.get("type") == "report"
    return "silent" if silent and item.code == "stalled" else item.code


def _params(item: Item) -> Mapping[str, object]:
    known: dict[str, object] = {**item.params, "name": item.name, "code": item.code}
    if _whom(item) == "service":
        known["brief"] = words.maybe(f"service.attention.{item.code}.brief")
    note = item.params.get("note")
    if isinstance(note, str):
        known["note"] = note.rstrip(".")
    if item.began is not None and item.ended is not None:
        known["span"] = max(1, item.ended - item.began) / 1000
    return known


def _switched(item: Item) -> str:
    node = service.node(item.params.get("to"))
    key = item.code if entry(f"{_SWITCHED}.{item.code}") else "undone"
    return words.say(f"{_SWITCHED}.{key}", name=item.name, node=node)


def _when(item: Item, now: Moment, zone: tzinfo) -> str:
    known = {
        "title": _of_one(item, ""),
        "began": None if item.began is None else when(item.began, now, zone),
        "ended": None if item.ended is None else when(item.ended, now, zone),
        "n": item.count,
    }
    often = "-times" if item.count > 1 else ""
    if item.kind is Kind.RECOVERED:
        form = f"well{often}"
    elif item.kind is not Kind.TROUBLE:
        form = "at"
    elif item.ended is not None:
        form = f"from{often}"
    else:
        form = "times" if often else "now"
    found = words.maybe(f"{_LINE}.{form}", **known)
    return found or words.say("notify.line.bare", **known)


def _why(item: Item) -> list[str]:
    """Sentences on the cause, as many as are known."""
    params = item.params
    said: list[str | None] = []
    if params.get("because"):
        because = words.maybe(f"{_BECAUSE}.{params['because']}")
        said.append(because or words.say("notify.because.other", because=params["because"]))
    if item.kind is Kind.COMPLETE and params.get("took"):
        said.append(words.say("notify.line.took", took=params["took"]))
    if item.kind is Kind.SWITCH:
        why = words.maybe(f"service.because.{params.get('stood')}", behind=params.get("behind"))
        said.append(words.maybe(f"{_BY}.{params.get('by')}", why=why))
    if item.code == "disk-runway" and item.ended is None:
        said.append(words.maybe("notify.line.disk", **params))
    if _whom(item) != "warning" and item.kind is not Kind.RECOVERED:
        said += [_text_of(params.get("note")), _text_of(params.get("error"))]
    worst = params.get("worst")
    if item.ended is not None and isinstance(worst, int | float):
        said.append(words.say("notify.line.worst", worst=worst))
    return [_sentence(each) for each in said if each]


def _cure(item: Item) -> str | None:
    """What to do about what is wrong now."""
    if item.ended is not None or item.kind in (Kind.COMPLETE, Kind.RECOVERED):
        return None
    told = _text_of(item.params.get("cure"))
    if told:
        return told
    if item.of in ("daemon", "host", "engine"):
        return words.maybe(f"notify.cure.{item.of}.{item.code}")
    reason = item.code if _whom(item) == "disk" else item.params.get("reason")
    return task.hint(str(reason), item.params)[1] if reason else None


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
