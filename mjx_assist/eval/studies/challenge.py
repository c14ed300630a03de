"""The challenge: the same walks for every policy (speeds, slopes, rough ground, pushes, turns, other models), and its
table.

Rows are data; what a row came to is judged against the row's target. It simulates nothing (`trials`) and draws nothing.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import mujoco

from mjx_assist.config.words import COMPOSED, FULL, REDUCED, SINUSOIDAL, STEP
from mjx_assist.errors import unknown
from mjx_assist.eval.gait import turning
from mjx_assist.eval.replay.conditions import Conditions, constant, describe, figure_of_eight, fixed
from mjx_assist.eval.studies.statistics import mean_of, wilson
from mjx_assist.eval.studies.trials import Trial
from mjx_assist.files.plain import plain
from mjx_assist.policy.bundle import Bundle
from mjx_assist.sim.command import CommandRange

SCHEMA_VERSION = 1
SPEED = 1.25  # m/s, asked wherever a row is not about speed
SECONDS = 30.0
SPEEDS = (0.7, 0.8, 1.0, 1.25, 1.5, 1.7, 1.9)  # m/s
SLOPES = (-6, -4, -2, 0, 2, 4, 6)  # degrees, uphill positive
TURNS = (20, -20, 45, -45)  # degrees/s, to the left positive
STANDS = (2.0, 20.0)  # s until and from which a walker stands
IN_3D, STANDING = "a heading that it sees, in 3-D", "standing in its training (env_params.standing_share)"
PUSH, PUSH_EVERY = 20.0, 4.0  # N*s, s: 3.6 strides, so that pushes meet the stride at changing phases


@dataclass(frozen=True)
class Target:
    """What a row asks: the share of seeds that must not fall; at most this speed error (m/s), at least this
    correlation of hip and knee with the reference gait, at most so far off the commanded heading (degrees) and off the
    commanded path (m) (None: any)."""

    share: float = 0.9
    speed_error: float | None = None
    correlation: float | None = None
    heading_error: float | None = None
    path_error: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: all its seeds walk ``seconds`` under the same conditions. ``value``: its place in the
    group's figure. ``needs``: what a policy must have to be asked it."""

    group: str
    name: str
    conditions: Conditions
    target: Target = Target()
    value: float | None = None
    kind: str = REDUCED
    seconds: float = SECONDS
    needs: str | None = None


def _steady(**what: Any) -> Conditions:
    return Conditions(command=constant(SPEED), **what)


def _speeds() -> Iterable[Row]:
    for speed in SPEEDS:
        yield Row("speeds", f"{speed:g} m/s", Conditions(command=constant(speed)), Target(speed_error=0.1), speed)


def _slopes() -> Iterable[Row]:
    for angle in SLOPES:
        tilt = fixed(slope=math.tan(math.radians(angle)))
        yield Row("slopes", f"{angle:+d}°" if angle else "level", _steady(randomization=tilt), value=angle)


def _terrain() -> Iterable[Row]:
    for height in (2, 4, 6):
        rough = _steady(terrain_type="random", terrain_params=f"{height / 100:g}")
        yield Row("terrain", f"random, {height} cm", rough, value=height)
    waves = "0.05 2 0.05 3"
    rolling = _steady(terrain_type="harmonic_sinusoidal", terrain_params=waves)
    yield Row("terrain", "sinusoidal, 5 cm", rolling)


def _pushes() -> Iterable[Row]:
    for way, impulse in (("forward", PUSH), ("backward", -PUSH)):
        name = f"{PUSH:g} N·s {way} every {PUSH_EVERY:g} s"
        yield Row("pushes", name, _steady(push=(impulse, PUSH_EVERY)), Target(0.8), impulse)

    for way, angle in (("left", 90), ("right", -90)):
        name = f"{PUSH:g} N·s to the {way} every {PUSH_EVERY:g} s"
        aside = (PUSH, PUSH_EVERY, math.radians(angle))
        yield Row("pushes", name, _steady(push=aside), Target(0.8), angle, needs=IN_3D)


def _turns() -> Iterable[Row]:
    kept = Target(heading_error=10.0, path_error=0.5)
    for rate in TURNS:
        way = "left" if rate > 0 else "right"
        circle = _steady(turn=constant(math.radians(rate)))
        yield Row("turns", f"circle, {abs(rate)}°/s to the {way}", circle, kept, rate, needs=IN_3D)
    sharpest = max(TURNS)
    for speed in (SPEEDS[0], SPEED):
        eight = Conditions(command=constant(speed), turn=figure_of_eight(math.radians(sharpest)))
        yield Row("turns", f"figure of eight, {speed:g} m/s, {sharpest}°/s at most", eight, kept, needs=IN_3D)


def _standing() -> Iterable[Row]:
    name = "stands {:g} s, walks, stands from {:g} s".format(*STANDS)
    yield Row("standing", name, _steady(standing=STANDS), Target(speed_error=0.15), needs=STANDING)


def _commands() -> Iterable[Row]:
    low, high = SPEEDS[0], SPEEDS[-1]
    for name, mode, period in (("sinusoidal, 10 s", SINUSOIDAL, 10.0), ("steps every 5 s", STEP, 5.0)):
        command = CommandRange(mode, (low, high), (period, period))
        yield Row("commands", f"{low:g} to {high:g} m/s, {name}", Conditions(command=command))


def _models() -> Iterable[Row]:
    whole = Target(1.0, speed_error=0.15, correlation=0.9)
    yield Row("models", "full model, rigid couplings", _steady(), whole, kind=FULL, seconds=33.0)
    yield Row("models", "composed model, its own couplings", _steady(), kind=COMPOSED, seconds=10.0)


_GROUPS = {
    "speeds": _speeds,
    "slopes": _slopes,
    "terrain": _terrain,
    "pushes": _pushes,
    "turns": _turns,
    "standing": _standing,
    "commands": _commands,
    "models": _models,
}
GROUPS = tuple(_GROUPS)


def lacks(row: Row, bundle: Bundle) -> str | None:
    """What a policy lacks to be asked a row, in words; None where it can be."""
    has = {IN_3D: "qpos.pelvis_rotation" in bundle.observation.names, STANDING: bundle.speeds[0] == 0.0}
    return None if row.needs is None or has[row.needs] else row.needs


def rows(only: Sequence[str] | None = None) -> list[Row]:
    """The table's rows, or those of some groups; `UserError` for a group that there is not."""
    for name in only or ():
        if name not in _GROUPS:
            raise unknown("--only", name, _GROUPS)
    return [row for name, made in _GROUPS.items() if only is None or name in only for row in made()]


def trials_of(row: Row, policy: int, seeds: Sequence[int]) -> list[Trial]:
    """The row's walks by one of the policies."""
    return [Trial(policy, row.kind, row.seconds, seed, row.conditions) for seed in seeds]


def judged(row: Row, outcomes: Sequence[dict]) -> dict:
    """The row as JSON data: what was asked, what was reached (means over seeds), and whether the target is met."""
    stood = sum(not outcome["fell"] for outcome in outcomes)
    low, high = wilson(stood, len(outcomes))
    reached = {
        "speed_asked_m_s": mean_of(outcomes, lambda o: o["speed_asked_m_s"]),
        "speed_m_s": mean_of(outcomes, lambda o: o["mean_speed_m_s"]),
        "speed_error_m_s": mean_of(outcomes, lambda o: o["speed_error_m_s"]),
        "hip_r": mean_of(outcomes, lambda o: o["corr_reference"]["hip"]),
        "knee_r": mean_of(outcomes, lambda o: o["corr_reference"]["knee"]),
        "stride_length_m": mean_of(outcomes, lambda o: o["stride_length_m"]),
        "cadence_steps_per_min": mean_of(outcomes, lambda o: o["cadence_steps_per_min"]),
        **{key: mean_of(outcomes, lambda o, key=key: o.get(key)) for key in turning.KEYS if row.conditions.turn},
    }
    return {
        "group": row.group,
        "row": row.name,
        "value": row.value,
        "model": row.kind,
        "seconds": row.seconds,
        "conditions": describe(row.conditions),
        "target": asdict(row.target),
        "seeds": len(outcomes),
        "survived": stood,
        "survived_low": low,
        "survived_high": high,
        "walked_s": mean_of(outcomes, lambda o: o["time_s"]),
        **reached,
        "met": met(row.target, stood / len(outcomes), reached),
        "episodes": list(outcomes),
    }


def met(target: Target, share: float, reached: dict) -> bool:
    """Whether all that the target asks was reached; what could not be measured was not."""
    requested = [share >= target.share - 1e-9]
    if target.speed_error is not None:
        requested.append(reached["speed_error_m_s"] is not None and reached["speed_error_m_s"] < target.speed_error)
    if target.correlation is not None:
        known = [reached[f"{joint}_r"] for joint in ("hip", "knee")]
        requested.append(all(r is not None and r >= target.correlation for r in known))
    for key, most in (("heading_error_deg", target.heading_error), ("path_error_m", target.path_error)):
        if most is not None:
            requested.append(reached[key] is not None and reached[key] < most)
    return all(requested)


def key_of(row: Row, bundle: Bundle, seeds: Sequence[int]) -> str:
    """What a row's result depends on, as a checksum: the policy, the row, the seeds, the simulator."""
    requested = {"row": {**asdict(row), "conditions": describe(row.conditions)}, "seeds": list(seeds)}
    text = json.dumps({**plain(requested), "policy": fingerprint(bundle), "mujoco": mujoco.__version__}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(bundle: Bundle) -> str:
    """A checksum of what decides how a policy walks: weights, normaliser, model, what its config says of the walk."""
    content, env = hashlib.sha256(bundle.xml.encode()), asdict(bundle.config.env_params)
    content.update(json.dumps(plain(env), sort_keys=True).encode())
    arrays = [bundle.policy.mean, bundle.policy.std, bundle.policy.neutral]
    for head in bundle.policy.heads:
        arrays += [head.observation, head.action, *(array for layer in head.layers for array in layer)]
    for array in arrays:
        content.update(array.tobytes())
    return content.hexdigest()[:16]
