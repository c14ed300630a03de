"""A study in its folder: train what is missing, let all policies walk, compare the sides. It goes on where it stopped.

Each training is a run of its own in ``<side>/seed_<seed>/``, of people in ``<side>/<person>/seed_<seed>/``; the walks'
figures are in walks.json."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist.config.family import chosen_mass
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.study import Study, Walker, Walks
from mjx_assist.errors import UserError
from mjx_assist.eval.studies import matched, sides
from mjx_assist.eval.studies.sides import Trained
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json
from mjx_assist.model.assembly import device_mass
from mjx_assist.paths import POLICY_FOLDER, SESSION_CONFIG
from mjx_assist.policy import bundle as bundles
from mjx_assist.training import origin, run, seeds

WALKS = "walks.json"
Runs = list[tuple[Walker, Path, RunConfig]]  # whose, folder, config


def train(study: Study, sides_configs: Mapping[Walker, RunConfig], out: Path) -> list[Trained]:
    """Train every side with every seed, in turns; finished runs are left as they are, stopped ones go on.

    Raises:
        UserError: something that a config names does not exist, a run that is there was made with another config, a
            training diverged, or it was stopped.
    """
    runs = _runs(study, sides_configs, out)
    missing = [each for each in runs if not seeds.finished(*each[1:])]
    if missing:
        _check(study.walks, sides_configs)
    for number, (walker, path, config) in enumerate(missing, 1):
        print(f"\ntraining {number} of {len(missing)}: {walker}, seed {config.env_params.seed}", flush=True)
        path.mkdir(parents=True, exist_ok=True)
        if not (path / SESSION_CONFIG).is_file():
            write_json(path / SESSION_CONFIG, configs.to_dict(config))
        _train(path, config, out)
    return [_trained(walker, path) for walker, path, _ in runs]


def compare(policies: Sequence[Trained], walks: Walks, out: Path, processes: int) -> dict:
    """Let all policies walk what is not in the folder's walks.json yet; returns what study.json holds.

    Raises:
        UserError: a policy that is there twice, or that cannot be asked for the walks.
    """
    sides.check_different(policies)
    walks = sides.with_speeds(walks, policies)
    masses = {policy.walker: _worn(policy.bundle) for policy in policies}
    known = _known(out / WALKS)

    def keep(key: str, figures: dict) -> None:
        known[key] = figures
        write_text(out / WALKS, json.dumps(known) + "\n")

    walked = sides.walk(policies, walks, processes, dict(known), keep)
    return matched.result(policies, walks, sides.physics_of(walks), walked, masses)


def _runs(study: Study, sides_configs: Mapping[Walker, RunConfig], out: Path) -> Runs:
    """Every training, a seed of every side before the next seed."""
    runs = []
    for seed in range(study.first_seed, study.first_seed + study.seeds):
        for walker, config in sides_configs.items():
            path, config = out / walker.side / walker.person / f"seed_{seed}", seeds.seeded(config, seed)
            if (path / SESSION_CONFIG).is_file():
                config = origin.checked(path, config)
            runs.append((walker, path, config))
    return runs


def _check(walks: Walks, sides_configs: Mapping[Walker, RunConfig]) -> None:
    """What only a side's env can tell, for all sides before the first of them trains for hours."""
    for config in sides_configs.values():
        run.check_sources(config)
    for config in sides_configs.values():
        run.start_jax(config)

    from mjx_assist.sim.env import make_env
    from mjx_assist.training.loop import make_policy_spec

    for walker, config in sides_configs.items():
        env = make_env(config.env_params)
        make_policy_spec(config, env)
        sides.check(walks, env.gait.speed, config.env_params.control_framerate, str(walker))


def _train(path: Path, config: RunConfig, out: Path) -> None:
    try:
        run.train_in(path, config, resume=True)
    except UserError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            message = f"stopped after saving; the same command with -o {out} goes on where it stopped"
            raise UserError(message) from error.__cause__
        raise


def _trained(walker: Walker, path: Path) -> Trained:
    """A finished run's policy. Whoever trained with a controller of their own has asked for it."""
    bundle = dataclasses.replace(bundles.load(path / POLICY_FOLDER), may_import=True)
    name = f"{walker.person} {path.name}" if walker.person else path.name
    return Trained(walker.side, name, str(path), bundle, walker.person)


def _worn(bundle: bundles.Bundle) -> float:
    """kg of the device that a policy wears, with what a design of its family adds."""
    family = bundle.config.env_params.device_family
    return device_mass(bundle.human, bundle.device) + (chosen_mass(family) if family else 0.0)


def _known(path: Path) -> dict[str, dict]:
    """The walks of an earlier call; none if there was none, or it cannot be read."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
