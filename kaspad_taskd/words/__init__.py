"""Every sentence people read, once: the table `en.json` and what makes sentences from it.

For the daemon: `note`, `waiting`, `format_time_left`, `duration`, `sentence`. For the terminal, the
rest. Standard library only; the table is read when the first sentence is made.

Example:
    >>> note("refused", {"address": "127.0.0.1:16110"})
    '127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere.'
    >>> format_time_left(5400)
    '1 hour 30 min'
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from kaspad_taskd.words.event import sentence
    from kaspad_taskd.words.plain import safe
    from kaspad_taskd.words.sentences import maybe, plural, say
    from kaspad_taskd.words.service import attention, because, stays
    from kaspad_taskd.words.spans import duration, format_time_left, number, percent, size, span
    from kaspad_taskd.words.task import epoch, hint, needed, note, phase, waiting, warning

__all__ = [
    "attention",
    "because",
    "duration",
    "epoch",
    "format_time_left",
    "hint",
    "load",
    "maybe",
    "needed",
    "note",
    "number",
    "percent",
    "phase",
    "plural",
    "safe",
    "say",
    "sentence",
    "size",
    "span",
    "stays",
    "waiting",
    "warning",
]

_FILES = {
    "event": ("sentence",),
    "plain": ("safe",),
    "sentences": ("maybe", "plural", "say"),
    "service": ("attention", "because", "stays"),
    "spans": ("duration", "format_time_left", "number", "percent", "size", "span"),
    "task": ("epoch", "hint", "needed", "note", "phase", "waiting", "warning"),
}
"""Where each stands: its file is loaded when it is first asked for."""


def __getattr__(name: str) -> object:
    for file, names in _FILES.items():
        if name in names:
            found = getattr(__import__(f"{__name__}.{file}", fromlist=[name]), name)
            globals()[name] = found  # from now on nobody asks here
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load() -> None:
    """Load all of it: a daemon may have no file left when it is to say so."""
    for names in _FILES.values():
        for name in names:
            if name not in globals():
                __getattr__(name)
