"""A run's config from a JSON file or plain data, with overrides, and back."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mjx_assist.config.checks import check
from mjx_assist.config.comments import read_json
from mjx_assist.config.people import PART_MARK, read_people, read_subject
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.tree import build, override
from mjx_assist.errors import UserError, unknown
from mjx_assist.paths import data_path

MODEL_PATH, MODEL_KEYS = "env_params.model_path", ("msk_key", "device_key")


def load_config(source: str | Path, overrides: Mapping[str, Any] | None = None) -> RunConfig:
    """The config of a JSON file or of a shipped preset by its name, with ``{"dotted.key": value}`` changed.

    Raises:
        UserError: neither file nor preset, bad JSON, unknown key, wrong type, a value out of range.
    """
    texts = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in (overrides or {}).items()]
    return load(config_file(str(source)), texts)


def load(path: str | Path, overrides: Sequence[tuple[str, str]] = ()) -> RunConfig:
    """Read a JSON config, apply ``(dotted.key, text)`` overrides, check everything.

    Raises:
        UserError: missing file, bad JSON, unknown key, wrong type, a value out of range.
    """
    tree = read_json(Path(path), "config file")
    for key, text in overrides:
        override(tree, key, text, to_dict(RunConfig()))
    _choose_model(tree, {key for key, _ in overrides})
    return from_dict(_with_files(tree, Path(path).parent))


def from_dict(tree: dict) -> RunConfig:
    """Build and validate a run config from plain JSON data."""
    config = build(RunConfig, _with_files(_with_one_model(tree)), "")
    check(config)
    return config


def to_dict(config: Any) -> dict:
    """Plain JSON data of a config; ``from_dict(to_dict(c)) == c``."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _choose_model(tree: dict, keys: set[str]) -> None:
    """On the command line a model's path takes the place of the file's human and device, and they that of a path."""
    env = tree.get("env_params")
    if not isinstance(env, dict):
        return
    keyed = {f"env_params.{k}" for k in MODEL_KEYS} & keys
    if MODEL_PATH in keys and not keyed:
        env.update(dict.fromkeys(MODEL_KEYS))
    elif keyed and MODEL_PATH not in keys:
        env.pop("model_path", None)


def _with_one_model(tree: dict) -> dict:
    """The tree with null for the human's and device's keys where a model's path takes their place.

    Raises:
        UserError: both are given.
    """
    env = tree.get("env_params")
    if not isinstance(env, dict) or env.get("model_path") is None:
        return tree
    for key in MODEL_KEYS:
        if env.get(key) is not None:
            raise UserError(
                f"config keys 'env_params.model_path' ({env['model_path']!r}) and 'env_params.{key}' ({env[key]!r}): "
                "give one of them, and null for the other."
            )
    return {**tree, "env_params": {**env, **dict.fromkeys(MODEL_KEYS)}}


def _with_files(tree: dict, folder: Path | None = None) -> dict:
    """The tree with what ``env_params.terrain``, ``subject``, ``cohort`` name a file of; it may lie in ``folder``.

    Raises:
        UserError: there is no such file, or it is not JSON.
    """
    env = tree.get("env_params")
    if not isinstance(env, dict):
        return tree
    read = {}
    if isinstance(env.get("terrain"), str):
        read["terrain"] = read_json(_found(env["terrain"], "terrain", folder), "terrain file")
    if isinstance(env.get("subject"), str):
        file, mark, part = env["subject"].partition(PART_MARK)
        read["subject"] = read_subject(f"{_found(file, 'subject', folder)}{mark}{part}")
    if isinstance(env.get("cohort"), str):
        read["cohort"] = read_people([str(_found(env["cohort"], "cohort", folder))])
    return {**tree, "env_params": {**env, **read}} if read else tree


def _found(name: str, key: str, folder: Path | None) -> Path:
    """A file as it is named, or in ``folder``."""
    path = Path(name)
    path = folder / path if folder and not path.is_file() else path
    if not path.is_file():
        raise UserError(f"config key 'env_params.{key}': there is no file {name!r}.")
    return path


def preset_names() -> list[str]:
    """The names of the shipped presets, in order."""
    return sorted(path.stem for path in data_path("configs").glob("*.json"))


def preset_path(name: str) -> Path:
    """The file of a shipped preset."""
    return data_path("configs", f"{name}.json")


def config_file(text: str | None) -> Path:
    """A config's file: a path, or a shipped preset by its name."""
    presets = preset_names()
    if text is None:
        raise UserError(f"CONFIG is missing: give a JSON file or a shipped preset ({', '.join(presets)}).")
    path = Path(text)
    if path.is_file():
        return path
    if path.name == text:
        if path.name.removesuffix(".json") not in presets:
            raise unknown(f"there is no file {text!r}; as a shipped preset", text, presets)
        return preset_path(path.name.removesuffix(".json"))
    raise UserError(f"config file {text!r} does not exist. Shipped presets, by name: {', '.join(presets)}.")
