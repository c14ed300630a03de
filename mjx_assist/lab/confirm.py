"""The best designs trained alone from the family's policy, beside the same device without torque: a study."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mjx_assist.config.design_study import DesignStudy
from mjx_assist.config.read import from_dict, to_dict
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.study import Side, Study, Walks
from mjx_assist.config.tree import override
from mjx_assist.eval.replay.design import wearing
from mjx_assist.eval.report.pages.study import write_study
from mjx_assist.eval.studies.conclusions import KEY_MODEL, POWER
from mjx_assist.eval.studies.sides import Trained
from mjx_assist.policy.bundle import Bundle
from mjx_assist.processes import cpus
from mjx_assist.training import study as studies

FOLDER, NOTHING, FAMILY = "confirm", "no_torque", "by_the_family"
_FIRST_SEED = 1
_AROUND = 0.05  # m/s to either side of the speed, so that costs are read off at it


def confirm(
    study: DesignStudy, bundles: Sequence[Bundle], designs: Sequence[dict], off: dict | None, speed: float, out: Path
) -> list:
    """Train each design alone with several seeds, walk it on the reduced and the full model; returns the page's rows.

    The family's own policies (``bundles``) walk the same designs, as sides of their own: what it costs to know all
    devices of the family instead of one. ``off``: the design without torque, None where the family has none.

    Raises:
        UserError: see `training.study.train`.
    """
    sides = {f"best_{i}": design for i, design in enumerate(designs, 1)}
    sides = ({NOTHING: off} if off else {}) | sides
    configs = {name: _alone(study, bundles[0], design) for name, design in sides.items()}
    asked = Study(
        sides={name: Side(name) for name in sides},
        seeds=study.confirm.seeds,
        first_seed=_FIRST_SEED,
        walks=Walks(
            speeds=(speed - _AROUND, speed, speed + _AROUND), at_speed=speed, physics_rates=(), device_off_episodes=0
        ),
    )
    policies = studies.train(asked, configs, out / FOLDER)
    for side, design in sides.items():
        for name, bundle in zip(study.policies, bundles, strict=True):
            policies.append(Trained(f"{side}_{FAMILY}", f"{side} of {name}", name, wearing(bundle, design)))
    result = studies.compare(policies, asked.walks, out / FOLDER, cpus())
    write_study(out / FOLDER, result)
    return _rows(result)


def _alone(study: DesignStudy, bundle: Bundle, design: dict[str, float]) -> RunConfig:
    """The family's config for one design, started from the family's policy."""
    tree = to_dict(replace(bundle.config, init_from=None, evaluate_param_list=()))
    changes = {
        "total_timesteps": study.confirm.total_timesteps,
        "init_from": {"source": str(study.policies[0])},
        "env_params.device_family.design": design,
        "env_params.seed": _FIRST_SEED,
        "logger_params.evaluation_frequency": 0,
        **study.confirm.overrides,
    }
    for key, value in changes.items():
        override(tree, key, json.dumps(value), to_dict(RunConfig()))
    return from_dict(tree)


def _rows(result: dict) -> list[dict]:
    """Of each physics and side: metabolic power with its interval, and against the device without torque."""
    figure = KEY_MODEL + POWER
    against = {
        (row["physics"], row["side"]): row
        for row in result["differences"]
        if row["figure"] == figure and row["against"] == NOTHING and row["percent"] is not None
    }
    rows = []
    for row in (row for row in result["means"] if row["figure"] == figure):
        other = against.get((row["physics"], row["side"]))
        text = None
        if other:
            low, high = other["percent_low"], other["percent_high"]
            text = f"{other['percent']:+.1f} %" + ("" if low is None else f" [{low:+.1f}, {high:+.1f}]")
        rows.append(
            {key: row[key] for key in ("physics", "side", "mean", "low", "high", "trainings")} | {"percent": text}
        )
    return rows
