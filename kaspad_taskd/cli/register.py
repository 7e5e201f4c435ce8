"""The verbs that bring something in: register and report."""

from __future__ import annotations

import sys

from kaspad_taskd.cli.faults import Fault, UsageFault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.pairs import pairs
from kaspad_taskd.cli.wish import not_taken
from kaspad_taskd.words import task as words
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run

_BY_TYPE = {"node-sync": "registerNodeSyncTask", "indexer-sync": "registerIndexerSyncTask"}


def run(run: Run) -> int:
    """Register a task, or report on one."""
    verb = _report if run.options.verb == "report" else _register
    return verb(run)


def _register(run: Run) -> int:
    options = run.options
    if options.file:
        method, params = "registerTask", _from_file(options.file)
    elif options.type and options.service:
        method, params = _from_words(options)
    else:
        raise UsageFault("TYPE and SERVICE are needed, or --file", "kaspad-taskctl register --help")
    wish = {**params, **_overrides(options)}
    if options.dry_run:
        from kaspad_taskd.cli import dry

        return dry.show(run, options.type if method in _BY_TYPE.values() else None, wish)
    answer = run.call(method, wish)
    if run.options.json:
        run.print_json(answer)
        return 0
    task, key = answer["task"], "created" if answer["created"] else "known"
    run.screen.say(say(f"changed.{key}", id=task["id"], state=words.state(task)))
    for line in () if answer["created"] else not_taken(wish, task):
        run.screen.show([[(line, "")]])
    return 0


def _from_words(options: Any) -> tuple[str, dict[str, Any]]:
    """The convenience methods take what `url` would say in parts; with `url`, the plain one."""
    config = pairs(options.pairs)
    method = _BY_TYPE.get(options.type)
    if method is None or "url" in config:
        named = {"type": options.type, "service": options.service}
        return "registerTask", {**named, "config": config}
    return method, {"service": options.service, **config}


def _overrides(options: Any) -> dict[str, Any]:
    given = {
        "id": options.id,
        "checkInterval": options.interval,
        "timeout": options.look_timeout,
        "confirmations": options.confirmations,
        "stallAfter": options.stall_after,
        "giveUpAfter": options.give_up_after,
        "after": options.after,
        "keepWatching": {"true": True, "false": False}.get(options.keep_watching or ""),
        "watchInterval": options.watch_interval,
        "behindAfter": options.behind_after,
        "relapseAfter": options.relapse_after,
        "start": False if options.no_start else None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _from_file(path: str) -> dict[str, Any]:
    """Return a definition file as `registerTask` takes it; its id is the file's name."""
    import tomllib

    try:
        if path == "-":
            text = sys.stdin.read()
        else:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start time
                text = file.read()
        table = tomllib.loads(text)
    except OSError as error:
        raise Fault("bad-file", file=path, detail=error.strerror or str(error)) from None
    except ValueError as error:
        raise Fault("bad-toml", file=path, detail=str(error)) from None
    params = as_json(table)
    name = path.rpartition("/")[2]
    return {"id": name.removesuffix(".toml"), **params} if name.endswith(".toml") else params


def as_json(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition's TOML keys in the wire's camelCase (contract section 5)."""
    renamed = {"interval": "checkInterval", "checker": "config"}
    return {
        renamed.get(key, _camel(key)): _inner(value) if isinstance(value, dict) else value
        for key, value in table.items()
    }


def _inner(table: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(key): value for key, value in table.items()}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _report(run: Run) -> int:
    options = run.options
    if "-" in options.pairs:
        return _piped(run)
    if options.complete_at_end:
        raise UsageFault(say("error.not-piped"), "kaspad-taskctl report --help")
    task = find(run, options.task)
    params = {
        "taskId": task["id"],
        "progress": options.progress,
        "completed": options.complete or None,
        "error": options.error,
        "metadata": pairs(options.pairs) or None,
    }
    answer = run.call("reportTask", {k: v for k, v in params.items() if v is not None})
    if options.json:
        run.print_json(answer)
        return 0
    now = answer["task"]
    state = ", ".join(part for part in (words.state(now), words.percent(now)) if part)
    run.screen.say(say("changed.report", name=words.name(now), state=state))
    return 0


def _piped(run: Run) -> int:
    from kaspad_taskd.cli.report_pipe import report

    options = run.options
    if options.complete or options.error is not None or options.progress is not None:
        raise UsageFault(say("error.piped-too"), "kaspad-taskctl report --help")
    return report(run)
