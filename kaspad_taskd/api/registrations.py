"""What a registration may hold, as JSON Schema: made from what reads definitions.

Every type's table is asked which keys it has (base.forms), so a type from another package is
described like ours. What only a file may hold is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Final

from kaspad_taskd.api.method import Param
from kaspad_taskd.api.schemas import ANYTHING, FLAG, TEXT, TEXTS, some, word
from kaspad_taskd.base.forms import Form, Key
from kaspad_taskd.config.definitions import definition_form
from kaspad_taskd.probes import TYPES, ProbeType

HEADER: Final = frozenset(
    {"id", "type", "service", "checkInterval", "timeout", "confirmations", "stallAfter",
     "giveUpAfter", "after", "start", "autoSwitch", "keepWatching", "watchInterval",
     "behindAfter", "relapseAfter", "onComplete"}
)  # fmt: skip
"""Keys of a definition that stand beside `config` (contract section 5, in camelCase)."""

CHANGEABLE: Final = (
    "checkInterval", "timeout", "stallAfter", "giveUpAfter", "confirmations", "after",
    "autoSwitch", "keepWatching", "watchInterval", "behindAfter", "relapseAfter",
)  # fmt: skip
"""Those that `updateTask` changes, in this order."""

CONFIG: Final = "config"
INDEXER_URL: Final = "indexerUrl"
TIME_SPAN: Final = {
    "title": "TimeSpan",
    "description": 'a duration such as "10s" or "1min 30s", or a number of milliseconds',
    "anyOf": [
        TEXT,
        {"type": "number", "minimum": 0},
    ],
}
TEXT_BY_NAME: Final = {
    "title": "TextByName",
    "type": "object",
    "additionalProperties": TEXT,
}


def registration() -> dict[str, Any]:
    """The body of `registerTask`."""
    return _body("Registration", _configs())


def wizard_registration() -> dict[str, Any]:
    """The payload of `task:register`: a node's or indexer's `config` is as its method takes it."""
    configs = _configs()
    configs["node-sync"] = _with_https(node_registration())
    configs["indexer-sync"] = _with_https(indexer_registration())
    return _body("WizardRegistration", configs)


def node_registration() -> dict[str, Any]:
    """The body of `registerNodeSyncTask`: the checker's keys stand beside the header's."""
    return _flat("NodeSyncRegistration", "node-sync", {})


def indexer_registration() -> dict[str, Any]:
    """The body of `registerIndexerSyncTask`: likewise, and `url` may be called `indexerUrl`."""
    return _flat("IndexerSyncRegistration", "indexer-sync", {INDEXER_URL: TEXT})


def changeable() -> tuple[Param, ...]:
    """Pace, patience and order as optional parameters.

    They pass as they are: who reads definitions judges them, all at once.
    """
    header = _header(_form(TYPES["report"]))  # the same for every type
    says = {"giveUpAfter": '"never" for never', "after": "ids of tasks to wait for"}
    return tuple(
        Param(name, header[name], lambda value: value, False, summary=says.get(name, ""))
        for name in CHANGEABLE
    )


@cache
def _form(kind: ProbeType) -> Form:
    """The keys of a definition of a type; read once, for the page's server waits meanwhile."""
    return definition_form({kind.name: kind}, kind.name)


def _configs() -> dict[str, dict[str, Any]]:
    """The schema of `config` by the type; what an API may not register is missing.

    Where several types ask alike for a key, they share its schema.
    """
    forms = {kind: _config(_form(TYPES[kind])) for kind in TYPES}
    forms = {kind: form for kind, form in forms.items() if "" not in form.forbidden}
    every = [each for form in forms.values() for each in form.keys.items()]
    shared = {name for name, key in every if all(k == key for n, k in every if n == name)}
    return {kind: _object(f"{_name(kind)}Config", form, shared) for kind, form in forms.items()}


def _config(form: Form) -> Form:
    key = form.keys.get(CONFIG)
    return key.form if key is not None and key.form is not None else Form()


def _body(title: str, configs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    header = _header(_form(TYPES[next(iter(configs))]))
    header["type"] = word("DefinitionType", sorted(configs))
    config = {"title": f"{title}Config", "anyOf": list(configs.values())}
    return _closed(some(title, ["type", "service"], **header, config=config))


def _header(form: Form) -> dict[str, Any]:
    keys = ((name, key) for name, key in form.keys.items() if name != CONFIG)
    return {name: _value("Definition", name, key) for name, key in keys}


def _flat(title: str, kind: str, more: dict[str, Any]) -> dict[str, Any]:
    form = _form(TYPES[kind])
    header = {name: each for name, each in _header(form).items() if name != "type"}
    config = _configs()[kind]
    beside = {**config["properties"], **more}
    config = {**config, "title": f"{config['title']}Part", "required": []}
    body = some(title, ["service"], **header, **beside, config=config)
    return _closed(body)


def _with_https(schema: dict[str, Any]) -> dict[str, Any]:
    """The same inside of a payload: its service stands outside, and `useHttps` means nothing."""
    fields = {"useHttps": FLAG, **schema["properties"]}
    return {**schema, "title": f"Wizard{schema['title']}", "properties": fields, "required": []}


def _object(title: str, form: Form, shared: Collection[str] = ()) -> dict[str, Any]:
    fields = {
        name: _value("Checker" if name in shared else title, name, key)
        for name, key in form.keys.items()
    }
    required = [name for name, key in form.keys.items() if key.required]
    return _closed(some(title, required, **fields))


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An unknown key is a fault."""
    return {**schema, "additionalProperties": False}


def _value(owner: str, name: str, key: Key) -> dict[str, Any]:
    title = owner + _name(name)
    if key.kind == "table":
        return _object(title, key.form or Form())
    if key.kind == "tables":
        inner = _object(f"{title}Entry", key.form or Form())
        return {"title": title, "type": "object", "additionalProperties": inner}
    return _PLAIN[key.kind](title, key)


def _string(title: str, key: Key) -> dict[str, Any]:
    if key.choices:
        return word(title, list(key.choices))
    told = {
        "maxLength": key.maximum and int(key.maximum),
        "pattern": key.pattern and f"^(?:{key.pattern})$",
        "description": key.must or None,
    }
    said = {name: value for name, value in told.items() if value is not None}
    return TEXT | said


def _number(key: Key, kind: str) -> dict[str, Any]:
    bounds = {"minimum": key.minimum, "maximum": key.maximum}
    given = {name: _short(bound) for name, bound in bounds.items() if bound is not None}
    return {"type": kind, **given, **_default(key)}


def _strings(title: str, key: Key) -> dict[str, Any]:
    return {**TEXTS, "title": title, "maxItems": int(key.maximum or 0)}


_PLAIN: Final[Mapping[str, Callable[[str, Key], dict[str, Any]]]] = {
    "string": _string,
    "integer": lambda _title, key: _number(key, "integer"),
    "number": lambda _title, key: _number(key, "number"),
    "boolean": lambda _title, key: FLAG | _default(key),
    "duration": lambda _title, _key: TIME_SPAN,
    "strings": _strings,
    "texts": lambda _title, _key: TEXT_BY_NAME,
    "any": lambda _title, key: {"type": list(key.types)} if key.types else ANYTHING,
}


def _default(key: Key) -> dict[str, Any]:
    return {} if key.default is None else {"default": key.default}


def _short(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _name(text: str) -> str:
    """`NodeSync` of `node-sync`, `MaxLag` of `maxLag`."""
    parts = re.split("[^A-Za-z0-9]+", text)
    return "".join(part[:1].upper() + part[1:] for part in parts)
