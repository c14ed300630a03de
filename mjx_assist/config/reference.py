"""What every key of a run's config means, read off the dataclasses: as rows, as docs/config.md, and as a JSON Schema
for editors. The meanings stand in the classes' docstrings (schema.py)."""

import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mjx_assist.config.comments import COMMENT, SCHEMA_KEY
from mjx_assist.config.limits import Limit, OneOf, mark_of
from mjx_assist.config.schema import RunConfig

_LINE = re.compile(r"^(\w+)(?: \(([^)]*)\))?: (.*?)(?: \{([^{}]*)\})?$")
_JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", dict: "object", type(None): "null"}


@dataclass(frozen=True)
class Key:
    """One key: ``path`` dotted, ``unit`` and ``theirs`` (MyoAssist's word, "" for none) as its docstring has them."""

    path: str
    meaning: str
    unit: str
    allowed: str
    default: str
    theirs: str


def keys(kind: Any = RunConfig, stem: str = "") -> Iterator[Key]:
    """Every key, groups before what is in them; ``<name>`` stands for names of your own, ``[]`` for a list's entry."""
    told, hints = meanings(kind), typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        unit, meaning, theirs = told[field.name]
        groups = list(groups_of(hints[field.name]))
        default = "" if any(group for group, _ in groups) else _default(field)
        yield Key(stem + field.name, meaning, unit, _allowed(hints[field.name]), default, theirs)
        for group, suffix in groups:
            name = f"({group.type})" if len(groups) > 1 else ""
            yield from keys(group, f"{stem}{field.name}{suffix}{name}.")


def matching(word: str) -> list[Key]:
    """The keys with a word in their name or meaning."""
    return [key for key in keys() if word.lower() in f"{key.path} {key.meaning}".lower()]


def meanings(kind: Any) -> dict[str, tuple[str, str, str]]:
    """Key -> (unit, meaning, MyoAssist's word) of a dataclass and those that it is made from."""
    found: dict[str, tuple[str, str, str]] = {}
    for part in reversed(kind.__mro__[:-1]):
        _, _, listed = inspect.cleandoc(part.__doc__ or "").partition("Attributes:\n")
        for line in listed.splitlines():
            if match := _LINE.match(line.strip()):
                name, unit, meaning, theirs = match.groups()
                found[name] = (unit or "", meaning, name if theirs == "" else theirs or "")
    return found


def groups_of(hint: Any, suffix: str = "") -> Iterator[tuple[Any, str]]:
    """(dataclass, what its keys' path has between) for each that a field's type holds."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint, suffix
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        yield from groups_of(arguments[0], suffix)
    elif origin is dict:
        yield from groups_of(arguments[1], f"{suffix}.<name>")
    elif origin is tuple:
        yield from groups_of(arguments[0], f"{suffix}[]")
    elif origin in (types.UnionType, typing.Union):
        for argument in arguments:
            yield from groups_of(argument, suffix)


def _default(field: dataclasses.Field) -> str:
    if field.default is not dataclasses.MISSING:
        return json.dumps(field.default)
    if field.default_factory is dataclasses.MISSING:
        return "must be given"
    return json.dumps(field.default_factory(), default=dataclasses.asdict)


def _allowed(hint: Any) -> str:
    """A limit or the words in words; "" where the type says all."""
    mark = mark_of(hint)
    if isinstance(mark, OneOf):
        return ", ".join(mark.words)
    return f"must {mark.words}" if isinstance(mark, Limit) else ""


def markdown() -> str:
    """docs/config.md: a table for each group of keys."""
    lines = [
        "# Every key of a config",
        "",
        "Written by `python docs/write_config.py` from the dataclasses; `mjx-assist configs keys WORD` tells the same.",
        "Every key is a flag of `train`. A key that begins with `//` is a comment. The last column: MyoAssist's word",
        'where it has the key; `=` is the same word. An editor checks a config with `"$schema"`, which `init` writes.',
    ]
    groups: dict[str, list[Key]] = {}
    for key in keys():
        groups.setdefault(key.path.rpartition(".")[0], []).append(key)
    for stem, members in groups.items():
        lines += ["", f"## {stem or 'The run'}".replace("<", "&lt;"), ""]
        lines += ["| key | meaning | unit | may be | default | MyoAssist |", "|---|---|---|---|---|---|"]
        lines += [_row(key) for key in members]
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    name = key.path.rpartition(".")[2]
    theirs = "=" if key.theirs == name else key.theirs
    default = f"`{key.default}`" if key.default else ""
    meaning, unit, allowed = (text.replace("*", r"\*") for text in (key.meaning, key.unit, key.allowed))
    return f"| `{name}` | {meaning} | {unit} | {allowed} | {default} | {theirs} |".replace("->", "→")


def json_schema(kind: Any = RunConfig) -> dict[str, Any]:
    """A config's JSON Schema (draft 2020-12): types, limits, words, meanings; comments are allowed everywhere."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A run of mjx-assist"}
    schema = _group(kind)
    schema["properties"][SCHEMA_KEY] = {"type": "string"}
    return {**head, **schema}


def _group(kind: Any) -> dict[str, Any]:
    told, hints = meanings(kind), typing.get_type_hints(kind, include_extras=True)
    properties = {}
    for field in dataclasses.fields(kind):
        unit, meaning, _ = told[field.name]
        text = f"{meaning} ({unit})" if unit else meaning
        properties[field.name] = {"description": text, **_typed(hints[field.name])}
    needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | {"patternProperties": {f"^{COMMENT}": {}}} | ({"required": needed} if needed else {})


def _typed(hint: Any, mark: Any = None) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _typed(arguments[0], mark_of(hint))
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_typed(argument, mark) for argument in arguments]}
    if origin is dict:
        return {
            "type": "object",
            "additionalProperties": _typed(arguments[1], mark),
            "patternProperties": {f"^{COMMENT}": {}},
        }
    if origin is tuple:
        return {"type": "array", "items": _typed(arguments[0], mark)}
    if dataclasses.is_dataclass(hint):
        return _group(hint)
    made: dict[str, Any] = {"type": _JSON_TYPES[hint]}
    if isinstance(mark, OneOf) and hint is str:
        made["enum"] = list(mark.words)
    if isinstance(mark, Limit) and hint in (int, float):
        words = {"exclusiveMinimum": mark.gt, "minimum": mark.ge, "exclusiveMaximum": mark.lt, "maximum": mark.le}
        made |= {word: bound for word, bound in words.items() if bound is not None}
    return made
