"""A study as a tree of frozen dataclasses: the sides, how many trainings each has, what their policies walk; from JSON.

Strict about every key; what the sides' configs say is checked with them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from mjx_assist.config.comments import without_comments
from mjx_assist.config.limits import NOT_NEGATIVE, POSITIVE, SEED
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.people import PART_MARK, read_people
from mjx_assist.config.read import config_file, from_dict, load, to_dict
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.tree import build
from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import read_json

MODELS = (REDUCED, FULL)
_SEED, _SUBJECT = "env_params.seed", "env_params.subject"
_FOLDER = r"[A-Za-z0-9_-]+"


class Walker(NamedTuple):
    """Whose training: of a side, and which person of a study over people (the standard body: "")."""

    side: str
    person: str = ""

    def __str__(self) -> str:
        return f"{self.side}, {self.person}" if self.person else self.side


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
    """``seeds`` trainings of every side, from ``first_seed`` on; ``overrides`` are for all sides, under their own.

    ``subjects``: files of people (docs/subjects.md), by whom every side is trained, each person with all seeds.
    """

    sides: dict[str, Side] = field(default_factory=dict)
    subjects: tuple[str, ...] | str = ()
    seeds: Annotated[int, POSITIVE] = 5
    first_seed: Annotated[int, SEED] = 1
    overrides: dict = field(default_factory=dict)
    walks: Walks = field(default_factory=Walks)


def read_study(path: str | Path) -> tuple[Study, dict[Walker, RunConfig]]:
    """The study of a JSON file, and every side's config, of a study over people every person's of every side.

    A side's file, and the people's, are looked for beside the study's first.

    Raises:
        UserError: no such file, not JSON, an unknown key, a wrong type, a value out of range, a side's config or a
            person that is not there or not good.
    """
    path = Path(path)
    tree = without_comments(read_json(path, f"study file {str(path)!r}"))
    if not isinstance(tree, dict):
        raise UserError(f"study file {str(path)!r} must hold one JSON object.")
    try:
        study = build(Study, tree, "")
        _check(study)
        people = people_of(study.subjects, path.parent)
        return study, {
            Walker(name, person): _config(study, name, path.parent, person, data)
            for name in study.sides
            for person, data in people.items()
        }
    except UserError as error:
        raise UserError(f"study file {str(path)!r}: {error}") from None


def subject_files(subjects: Sequence[str] | str, folder: Path) -> tuple[str, ...]:
    """The files, each in ``folder`` if it is there."""
    files = (subjects,) if isinstance(subjects, str) else subjects
    return tuple(str(folder / file) if (folder / file.partition(PART_MARK)[0]).is_file() else file for file in files)


def people_of(subjects: Sequence[str] | str, folder: Path) -> dict[str, dict]:
    """Name -> data of the people in the files, which may lie in ``folder``; ``{"": {}}`` is the standard body alone.

    Raises:
        UserError: a file that is not there or of nobody, a name that cannot be a folder's, two who are the same.
    """
    files = subject_files(subjects, folder)
    if not files:
        return {"": {}}
    people = read_people(files)
    for name, person in people.items():
        if not re.fullmatch(_FOLDER, name):
            raise UserError(f"'subjects': {name!r} is to be a folder: a name must be of letters, digits, - and _.")
        twin = next(other for other, data in people.items() if data == person)
        if twin != name:
            raise UserError(f"'subjects': {twin!r} and {name!r} are the same person, who counts once.")
    return people


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
        if not re.fullmatch(_FOLDER, name):
            raise UserError(f"'sides': {name!r} is to be a folder: its name must be of letters, digits, - and _.")
        if _SEED in {**study.overrides, **side.overrides}:
            raise UserError(f"'sides.{name}': {_SEED} comes from the study: 'first_seed' and 'seeds'.")
        if study.subjects and _SUBJECT in {**study.overrides, **side.overrides}:
            raise UserError(f"'sides.{name}': {_SUBJECT} comes from the study: 'subjects'.")
    check_walks(study.walks)


def _config(study: Study, name: str, folder: Path, person: str, data: dict) -> RunConfig:
    """A side's config for a person, with the first of the seeds."""
    side = study.sides[name]
    beside = folder / side.config
    changes: Mapping[str, Any] = {**study.overrides, **side.overrides, _SEED: study.first_seed}
    try:
        path = beside if beside.is_file() else config_file(side.config)
        config = load(path, [(key, json.dumps(value)) for key, value in changes.items()])
    except UserError as error:
        raise UserError(f"'sides.{name}': {error}") from None
    if config.env_params.cohort:
        raise UserError(f"'sides.{name}': 'env_params.cohort' is one training for all; a study's people train alone.")
    return with_person(config, f"'sides.{name}'", person, data) if person else config


def with_person(config: RunConfig, where: str, person: str, data: dict) -> RunConfig:
    """The config for a person of a study; ``where`` begins the sentence of the `UserError` for one who cannot be."""
    if config.env_params.subject is not None:
        raise UserError(f"{where}: its config has a subject; who walks comes from the study: 'subjects'.")
    tree = to_dict(config)
    tree["env_params"]["subject"] = data
    try:
        return from_dict(tree)
    except UserError as error:
        raise UserError(f"{where}, {person}: {error}") from None
