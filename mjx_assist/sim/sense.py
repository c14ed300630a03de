"""Whether what a config asks can be walked at all: what depends on the model and the reference gait as well."""

from collections.abc import Iterator

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.config.words import MATCHED
from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.model.names import joint_names
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.reference.cycle import ReferenceGait

_ROUNDING = 1e-6
_ONE_SPEED = 0.1  # of its own, by which a motion of one speed may be asked for another
_KEY = "config key 'env_params."
_SPEEDS = ("min_target_velocity", "max_target_velocity")


def check(params: EnvParams, model: mujoco.MjModel, gait: ReferenceGait) -> None:
    """Raises ``UserError`` for a physics rate, speeds or a lowest pelvis at which no walk of ``gait`` can succeed.

    ``model``: the reduced one. Values that a curriculum comes to are checked too.
    """
    _check_rate(params, model)
    if params.reference_playback != MATCHED and len(gait.speed) > 1:
        raise UserError(
            f"{_KEY}reference_playback': {params.reference_playback!r} plays the reference of one speed, and this one "
            "has many: give env_params.reference_speed, m/s."
        )
    check_speeds(params, gait)
    lowest = float(gait.qpos[..., joint_names(model).index("pelvis_ty")].min()) + anatomy.height_offset(model)
    lowest /= leg_scale(model)
    for where, height in _values(params, "safe_height"):
        if height >= lowest:
            raise UserError(
                f"{_KEY}{where}': {height:g} m is above the pelvis of the reference gait, which comes down to "
                f"{lowest:.2f} m over the ground: every walker would count as fallen. Choose less, such as "
                f"{0.8 * lowest:.2f}."
            )


def check_speeds(params: EnvParams, gait: ReferenceGait) -> None:
    """Raises ``UserError`` for speeds, asked now or by a curriculum, that the reference has not."""
    slowest, fastest = _reach(gait, params)
    for name in _SPEEDS:
        for where, speed in _values(params, name):
            _check_speed(f"{_KEY}{where}'", speed, slowest, fastest)


def check_run(config: RunConfig, gait: ReferenceGait) -> None:
    """Raises ``UserError`` for a run without any reward, or whose reports ask for speeds that the reference has not."""
    weights = config.env_params.reward_keys_and_weights
    if not any(any(w.values()) if isinstance(w, dict) else w for w in weights.terms.values()):
        raise UserError(
            f"{_KEY}reward_keys_and_weights': every weight is 0, so there is nothing to learn. Give at least one a "
            "weight; docs/rewards.md has the terms, configs/walk22_exo.json an example."
        )
    for number, entry in enumerate(config.evaluate_param_list):
        for name in _SPEEDS:
            where = f"config key 'evaluate_param_list[{number}].{name}'"
            _check_speed(where, getattr(entry, name), *_reach(gait, config.env_params))


def _check_speed(where: str, speed: float, slowest: float, fastest: float) -> None:
    if not slowest - _ROUNDING <= speed <= fastest + _ROUNDING:
        span = f"{slowest:g} to {fastest:g} m/s"
        raise UserError(f"{where}: {speed:g} m/s is beyond the reference gait, which serves for {span}.")


def _check_rate(params: EnvParams, model: mujoco.MjModel) -> None:
    """A contact's time constant must be at least two steps: MuJoCo makes it so, and the ground softer than stated."""
    time = model.pair_solref[:, 0]
    needed = np.ceil(2.0 / time[time > 0].min() - _ROUNDING) if (time > 0).any() else 0.0
    if params.physics_sim_framerate < needed:
        raise UserError(
            f"{_KEY}physics_sim_framerate': at {params.physics_sim_framerate} Hz a step takes "
            f"{1e3 / params.physics_sim_framerate:.1f} ms, but the feet's contacts act within {1e3 * time.min():g} ms, "
            f"which must be two steps at least: choose {needed:.0f} Hz or more (a multiple of control_framerate)."
        )


def _reach(gait: ReferenceGait, params: EnvParams) -> tuple[float, float]:
    """The speeds, m/s, that a reference serves for: any, where it is played at its own."""
    if params.reference_playback != MATCHED:
        return 0.0, np.inf
    slowest, fastest = float(np.min(gait.speed)), float(np.max(gait.speed))
    own = _ONE_SPEED * fastest if slowest == fastest else 0.0
    return slowest - own, fastest + own


def _values(params: EnvParams, name: str) -> Iterator[tuple[str, float]]:
    """(where it stands, value) of a number of the config: its own, and what a curriculum makes of it."""
    schedule = params.curriculum
    by_level = schedule.by_level.get(name, ()) if schedule else ()
    by_step = [value for _, value in schedule.by_step.get(name, ())] if schedule else []
    changed = [*(("by_level", value) for value in by_level), *(("by_step", value) for value in by_step)]
    yield from ((f"curriculum.{kind}.{name}", value) for kind, value in changed)
    if not changed:
        yield name, getattr(params, name)
