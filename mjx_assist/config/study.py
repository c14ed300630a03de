"""A study as a tree of frozen dataclasses: the sides, how many trainings each has, what their policies walk; from JSON.

Strict about every key; what the sides' configs say is checked with them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from mjx_assist.config.comments import without_comments
from mjx_assist.config.limits import NOT_NEGATIVE, POSITIVE, SEED
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.read import config_file, load
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.tree import build
from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import read_json

MODELS = (REDUCED, FULL)
_SEED = "env_params.seed"


@dataclass(frozen=True)
class Side:
    """How one side trains: a config (a JSON file, or a preset by its name) with ``{"dotted.key": value}`` changed."""

    config: str
    overrides: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Walks:
    """What every policy walks: ``episodes`` of ``seconds`` at each of the ``speeds`` (m/s), on each of the ``models``.

    ``speeds``: none means five over what all policies were trained for. ``at_speed`` (m/s): where costs are compared;
    null is the middle. ``physics_rates`` (Hz): at which the reduced model walks besides the one it was trained at.
    ``first_seed``: of the episodes. ``device_off_episodes``: further ones in which the device goes off on the way.
    """

    speeds: Annotated[tuple[float, ...], POSITIVE] = ()
    at_speed: Annotated[float | None, POSITIVE] = None
    models: tuple[str, ...] = MODELS
    physics_rates: Annotated[tuple[int, ...], POSITIVE] = (960,)
    episodes: Annotated[int, POSITIVE] = 2
    seconds: Annotated[float, POSITIVE] = 20.0
    first_seed: Annotated[int, SEED] = 0
    device_off_episodes: Annotated[int, NOT_NEGATIVE] = 10


@dataclass(frozen=True)
class Study:
    """``seeds`` trainings of every side, from ``first_seed`` on; ``overrides`` are for all sides, under their own."""

    sides: dict[str, Side] = field(default_factory=dict)
    seeds: Annotated[int, POSITIVE] = 5
    first_seed: Annotated[int, SEED] = 1
    overrides: dict = field(default_factory=dict)
    walks: Walks = field(default_factory=Walks)


def read_study(path: str | Path) -> tuple[Study, dict[str, RunConfig]]:
    """The study of a JSON file, and every side's config; a side's file is looked for beside the study's first.

    Raises:
        UserError: no such file, not JSON, an unknown key, a wrong type, a value out of range, a side's config that is
            not there or not good.
    """
    path = Path(path)
    tree = without_comments(read_json(path, f"study file {str(path)!r}"))
    if not isinstance(tree, dict):
        raise UserError(f"study file {str(path)!r} must hold one JSON object.")
    try:
        study = build(Study, tree, "")
        _check(study)
        return study, {name: _config(study, name, path.parent) for name in study.sides}
    except UserError as error:
        raise UserError(f"study file {str(path)!r}: {error}") from None


def check_walks(walks: Walks) -> None:
    """Raises `UserError` for walks from which no cost can be read off at one speed."""
    check_numbers(walks)
    if not walks.models:
        raise UserError(f"'models': must name at least one of {', '.join(MODELS)}.")
    for model in walks.models:
        if model not in MODELS:
            raise unknown("'models'", model, MODELS)
    for name in ("speeds", "physics_rates", "models"):
        values = getattr(walks, name)
        if len(set(values)) < len(values):
            raise UserError(f"'{name}': must differ from each other, got {list(values)}.")
    if len(walks.speeds) == 1:
        raise UserError(
            f"'speeds': must be two or more, so that costs can be read off at the same speed; got {list(walks.speeds)}."
        )
    if walks.speeds and walks.at_speed and not min(walks.speeds) <= walks.at_speed <= max(walks.speeds):
        raise UserError(
            f"'at_speed': must lie among the speeds that are walked, {min(walks.speeds):g} to {max(walks.speeds):g} "
            f"m/s, got {walks.at_speed:g}."
        )


def _check(study: Study) -> None:
    check_numbers(replace(study, overrides={}, sides={}))
    if not SEED.holds(study.first_seed + study.seeds - 1):
        raise UserError(f"'first_seed' and 'seeds': the last, {study.first_seed + study.seeds - 1}, must {SEED.words}.")
    if len(study.sides) < 2:
        raise UserError(f"'sides': must name at least two, got {len(study.sides)}.")
    for name, side in study.sides.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise UserError(f"'sides': {name!r} is to be a folder: its name must be of letters, digits, - and _.")
        if _SEED in {**study.overrides, **side.overrides}:
            raise UserError(f"'sides.{name}': {_SEED} comes from the study: 'first_seed' and 'seeds'.")
    check_walks(study.walks)


def _config(study: Study, name: str, folder: Path) -> RunConfig:
    """A side's config, with the first of the seeds."""
    side = study.sides[name]
    beside = folder / side.config
    changes: Mapping[str, Any] = {**study.overrides, **side.overrides, _SEED: study.first_seed}
    try:
        path = beside if beside.is_file() else config_file(side.config)
        return load(path, [(key, json.dumps(value)) for key, value in changes.items()])
    except UserError as error:
        raise UserError(f"'sides.{name}': {error}") from None
