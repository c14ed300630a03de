"""What a run was made from: its config, and the user's own files that the config names, as they were when it began.

``origin.json`` has the config and the files' SHA-256, ``sources/`` a copy of each. Whoever goes on with a run or reads
its checkpoints asks here, so that what was edited since is refused or told.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist.config.schema import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.files.plain import write_json
from mjx_assist.files.untrusted import read_json
from mjx_assist.model.model_files import files_of
from mjx_assist.paths import CHECKPOINTS, LOCK, SESSION_CONFIG, TRAIN_LOG

ORIGIN, SOURCES = "origin.json", "sources"
SCHEMA_VERSION = 1
# What may change when a run goes on; everything else is part of the state that its checkpoints hold.
MAY_CHANGE = (
    *("total_timesteps", "evaluate_param_list", "logger_params", "ppo_params"),
    *("env_params.backend", "env_params.num_threads"),
)
MAY_NOT_CHANGE = ("ppo_params.n_steps", "ppo_params.learning_rate")  # the rate is part of the state


def begin(path: Path, config: RunConfig) -> None:
    """Write a new run's config and origin into its folder, with copies of the files that the config names.

    Raises:
        UserError: a file is not there, or something cannot be written.
    """
    tree = configs.to_dict(config)
    write_json(path / SESSION_CONFIG, tree)
    _write(path, {"config": tree, "files": _copies(path, config), "changes": []})


def config_of(path: Path) -> RunConfig:
    """The config of the run in ``path``, as its ``session_config.json`` says.

    Raises:
        UserError: ``path`` is no run.
    """
    own = path / SESSION_CONFIG
    if not own.is_file():
        raise UserError(f"{str(path)!r} is not a training run: it has no {SESSION_CONFIG}.")
    return configs.load(own)


def checked(path: Path, config: RunConfig) -> RunConfig:
    """``config`` if it fits the checkpoints of the run in ``path``, whose own files take the place of the user's.

    Raises:
        UserError: ``path`` is no run, the config differs where it may not, or a copy of a file is damaged.
    """
    own = config_of(path)
    origin = _read(path)
    before = origin["config"] if origin else configs.to_dict(own)
    changed = changes(before, configs.to_dict(config))
    fixed = [key for key in changed if _under(key, MAY_NOT_CHANGE) or not _under(key, MAY_CHANGE)]
    if fixed:
        was, now = changed[fixed[0]]
        more = f" (and {len(fixed) - 1} more)" if len(fixed) > 1 else ""
        raise UserError(
            f"run {str(path)!r}: {fixed[0]} was {was!r} and would be {now!r}{more}; its checkpoints do not fit that. "
            f"Set it back (in {SESSION_CONFIG}, if it was edited there), or start a new run."
        )
    return _with_own_files(path, config, origin["files"] if origin else {})


def go_on(path: Path, config: RunConfig) -> None:
    """Note with which config the run goes on: what has changed is said, and kept in its origin.

    Raises:
        UserError: as `checked`.
    """
    checked(path, config)
    tree, origin = configs.to_dict(config), _read(path)
    if origin is None:
        print(f"note: {path} has no {ORIGIN}; {SESSION_CONFIG} is taken at its word.", file=sys.stderr)
    elif changed := changes(origin["config"], tree):
        for key, (was, now) in changed.items():
            print(f"changed: {key} {was!r} -> {now!r}", file=sys.stderr)
        _write(path, {**origin, "config": tree, "changes": [*origin["changes"], changed]})
    write_json(path / SESSION_CONFIG, tree)


def with_own_files(path: Path, config: RunConfig) -> RunConfig:
    """``config`` with the run's copies in the place of the user's files; as it is where the run has none."""
    origin = _read(path)
    return _with_own_files(path, config, origin["files"]) if origin else config


def forget(path: Path) -> bool:
    """Take back what `begin` wrote if the run failed before its first update; returns whether it did."""
    checkpoints = path / CHECKPOINTS
    if (path / TRAIN_LOG).exists():
        return False
    for name in (SESSION_CONFIG, ORIGIN, LOCK):
        with contextlib.suppress(OSError):
            (path / name).unlink()
    shutil.rmtree(path / SOURCES, ignore_errors=True)
    for folder in (checkpoints, path):
        with contextlib.suppress(OSError):  # it holds something else
            folder.rmdir()
    return True


def tell_edited(path: Path) -> None:
    """Say which of the user's files have changed since the run began, which goes on with its copies."""
    origin = _read(path) or {"files": {}}
    for part in (part for parts in origin["files"].values() for part in parts):
        file = Path(part["file"])
        if file.is_file() and _sum(file) != part["sha256"]:
            copy = path / part["copy"]
            print(f"note: {file} has changed since the run began; the run's own copy is used, {copy}.", file=sys.stderr)


def changes(before: dict, after: dict) -> dict[str, list]:
    """Dotted key -> [before, after] of what differs between two configs."""
    was, now = dict(_leaves(before)), dict(_leaves(after))
    keys = sorted(was.keys() | now.keys())
    return {key: [was.get(key), now.get(key)] for key in keys if was.get(key) != now.get(key)}


def _copies(path: Path, config: RunConfig) -> dict[str, list[dict]]:
    """Copy the files that the config names, folders kept; what the run has to know of them, by the config's key."""
    env, made = config.env_params, {}
    if env.model_path is not None:
        made["model_path"] = _copied(files_of(env.model_path), path, Path(SOURCES, "model"))
        main = path / made["model_path"][0]["copy"]
        away = [file for file in files_of(main) if not file.is_relative_to(path.absolute())]
        made["model_path"] += [_noted(file, file) for file in away]  # named by absolute paths: watched where they are
    if env.reference_data_path is not None:
        made["reference_data_path"] = _copied([Path(env.reference_data_path).absolute()], path, Path(SOURCES))
    return made


def _copied(files: Sequence[Path], path: Path, folder: Path) -> list[dict]:
    root, noted = Path(os.path.commonpath([file.parent for file in files])), []
    for file in files:
        copy = folder / file.relative_to(root)
        try:
            (path / copy).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, path / copy)
        except OSError as error:
            raise UserError(f"{str(file)!r} cannot be copied into the run ({error.strerror or error}).") from error
        noted.append(_noted(file, copy, path))
    return noted


def _noted(file: Path, copy: Path, path: Path = Path()) -> dict:
    return {"file": str(file), "copy": copy.as_posix(), "sha256": _sum(path / copy)}


def _with_own_files(path: Path, config: RunConfig, files: dict[str, list[dict]]) -> RunConfig:
    for part in (part for parts in files.values() for part in parts):
        copy = path / part["copy"]
        if not copy.is_file() or _sum(copy) != part["sha256"]:
            raise UserError(
                f"run {str(path)!r}: {str(copy)!r} is not the file that it was trained with (checksum). "
                f"Put that back: it was {part['file']!r} when the run began."
            )
    own = {key: str(path.absolute() / parts[0]["copy"]) for key, parts in files.items()}
    return dataclasses.replace(config, env_params=dataclasses.replace(config.env_params, **own))


def _read(path: Path) -> dict | None:
    """A run's origin; None for a run from before there was one."""
    file = path / ORIGIN
    if not file.is_file():
        return None
    with contextlib.suppress(UserError):
        origin = read_json(file, f"{str(file)!r}")
        if isinstance(origin, dict) and origin.pop("sha256", None) == _digest(origin):
            return origin
    raise UserError(f"{str(file)!r} is damaged or was edited; put back the file that the run was started with.")


def _write(path: Path, origin: dict) -> None:
    origin = {"schema_version": SCHEMA_VERSION, **origin}
    origin.pop("sha256", None)
    write_json(path / ORIGIN, {**origin, "sha256": _digest(origin)})


def _digest(origin: dict) -> str:
    return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _leaves(tree: dict, stem: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{stem}{key}.")
        else:
            yield stem + key, value


def _under(key: str, stems: Sequence[str]) -> bool:
    return any(key == stem or key.startswith(f"{stem}.") for stem in stems)
