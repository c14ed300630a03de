"""Plain JSON data to frozen dataclasses, strict about every key and type; what the keys mean is in schema.py."""

import dataclasses
import types
import typing
from typing import Any

from mjx_assist.config.own_code import FORM
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import parse_json


def override(tree: dict, key: str, text: str, defaults: dict) -> None:
    """Set a dotted key in plain JSON data; the text is JSON where it parses as JSON, else a string.

    A group that the tree lacks starts as its ``defaults``.
    """
    try:
        value = parse_json(text)
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "["):
            raise UserError(f"--{key}: {text[:60]!r} is not JSON: {error}.") from None
        value = text
    node, default = tree, defaults
    *parents, leaf = key.split(".")
    for name in parents:
        default = (default.get(name) if isinstance(default, dict) else None) or {}
        if node.get(name) is None:
            node[name] = default
        node = node[name]
        if not isinstance(node, dict):
            raise UserError(f"--{key}: {name!r} is a value, not a group of keys.")
    node[leaf] = value


def build(kind: Any, value: Any, where: str) -> Any:
    """Turn JSON data into ``kind`` (a dataclass, dict, tuple, union or scalar type), or say what is wrong with it."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise UserError(f"config key {where or 'top level'!r}: expected a group of keys, got {value!r}.")
        fields = {f.name: f for f in dataclasses.fields(kind)}
        hints = typing.get_type_hints(kind)
        for key in value:
            if key not in fields:
                raise unknown(f"config key{' in ' + repr(where) if where else ''}", key, fields)
        needed = [f.name for f in fields.values() if f.default is f.default_factory is dataclasses.MISSING]
        if missing := [name for name in needed if name not in value]:
            raise UserError(f"config key {where!r}: {', '.join(missing)} must be given.")
        return kind(**{k: build(hints[k], v, f"{where}.{k}" if where else k) for k, v in value.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict:
        if not isinstance(value, dict):
            raise UserError(f"config key {where!r}: expected an object of {arguments[1].__name__}, got {value!r}.")
        return {k: build(arguments[1], v, f"{where}.{k}") for k, v in value.items()}
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise UserError(f"config key {where!r}: expected a list, got {value!r}.")
        return tuple(build(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is types.UnionType:
        groups = [option for option in arguments if isinstance(option, type) and dataclasses.is_dataclass(option)]
        if groups and isinstance(value, dict):
            return build(_of_type(groups, value, where), value, where)
        lists = [option for option in arguments if typing.get_origin(option) is tuple]
        if lists and isinstance(value, list | tuple):
            return build(lists[0], value, where)
        for option in arguments:
            if option not in lists and _is(option, value):
                return option(value) if option in (float, int) else value
        names = " or ".join("null" if o is type(None) else "a list" if o in lists else o.__name__ for o in arguments)
        raise UserError(f"config key {where!r}: expected {names}, got {value!r}.")
    if not _is(kind, value):
        raise UserError(f"config key {where!r}: expected {kind.__name__}, got {value!r} ({type(value).__name__}).")
    return kind(value) if kind in (float, int) else value


def _of_type(groups: list[type], value: dict, where: str) -> type:
    """Of several dataclasses the one whose ``type`` the data names; the only one where there is no choice.

    One whose ``type`` is the form of a user's own function stands for every name of that form.
    """
    if len(groups) == 1:
        return groups[0]
    by_type, kind = {group.type: group for group in groups}, str(value.get("type"))
    if kind not in by_type and FORM in by_type and ":" in kind:
        return by_type[FORM]
    if kind not in by_type:
        raise unknown(f"config key '{where}.type'", kind, by_type)
    return by_type[kind]


def _is(kind: Any, value: Any) -> bool:
    """Whether a JSON value may stand for a scalar type: ints are floats, whole floats are ints, bools are neither."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value % 1 == 0))
    return isinstance(value, kind)
