"""Stress: how much a policy bears of one disturbance at a time, as the share of seeds that stand to the end.

Sweeps are data; it simulates nothing (`trials`) and draws nothing (`stress_plots`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions, describe, fixed
from mjx_assist.eval.studies.statistics import mean_of, wilson
from mjx_assist.eval.studies.trials import Trial

SCHEMA_VERSION = 1
PUSH_EVERY = 4.0  # s
OFF_AFTER = 5.0  # s with the device before it goes off,
OFF_WINDOW = 10.0  # s after that in which falls are counted
BEARS = 0.8  # share of seeds that must stand for a size to count as borne


@dataclass(frozen=True)
class Sweep:
    """One disturbance: its sizes in order of difficulty, the first one harmless, and the conditions at a size.

    ``of_device``: only who wears a device with motors can meet it. ``begins``: s into the walk; one that falls before
    has not met it, and says nothing of it.
    """

    name: str
    title: str
    unit: str
    sizes: tuple[float, ...]
    conditions: Callable[[float], Conditions]
    of_device: bool = False
    begins: float = 0.0

    def at(self, size: float) -> Conditions:
        """The conditions at one of the sizes."""
        return AS_TRAINED if size == self.sizes[0] else self.conditions(size)


SWEEPS = (
    Sweep(
        "push_forward",
        "Push forward",
        f"N·s every {PUSH_EVERY:g} s",
        (0, 10, 20, 30, 40, 50, 60),
        lambda impulse: Conditions(push=(impulse, PUSH_EVERY)),
        begins=PUSH_EVERY,
    ),
    Sweep(
        "push_backward",
        "Push backward",
        f"N·s every {PUSH_EVERY:g} s",
        (0, 10, 20, 30, 40, 50, 60),
        lambda impulse: Conditions(push=(-impulse, PUSH_EVERY)),
        begins=PUSH_EVERY,
    ),
    Sweep(
        "friction",
        "Friction",
        "factor",
        (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2),
        lambda factor: Conditions(randomization=fixed(friction=factor)),
    ),
    Sweep(
        "strength_loss",
        "Loss of strength",
        "% of all muscles' force",
        (0, 10, 20, 30, 40, 50),
        lambda loss: Conditions(randomization=fixed(strength=1 - loss / 100)),
    ),
    Sweep(
        "observation_noise",
        "Observation noise",
        "times 0.02 rad, 0.2 rad/s, 0.05 BW",
        (0, 0.5, 1, 1.5, 2, 3),
        lambda noise: Conditions(randomization=fixed(observation_noise=noise)),
    ),
    Sweep(
        "observation_delay",
        "Observation delay",
        "ms",
        (0, 10, 20, 30, 40, 60, 80),
        lambda delay: Conditions(randomization=fixed(observation_delay=delay / 1000)),
    ),
    Sweep(
        "device_off",
        "Device off",
        f"1: for good, after {OFF_AFTER:g} s",
        (0, 1),
        lambda chance: Conditions(randomization=fixed(device_off=chance, device_off_time=OFF_AFTER)),
        of_device=True,
        begins=OFF_AFTER,
    ),
)


def trials(kind: str, seconds: float, seeds: Sequence[int], device: bool) -> dict[Conditions, list[Trial]]:
    """The walks that the sweeps need, by their conditions: what is harmless walks once. ``device``: is one worn?"""
    sweeps = [sweep for sweep in SWEEPS if device or not sweep.of_device]
    wanted = dict.fromkeys(sweep.at(size) for sweep in sweeps for size in sweep.sizes)
    return {under: [Trial(0, kind, seconds, seed, under) for seed in seeds] for under in wanted}


def points(outcomes: dict[Conditions, list[dict]]) -> list[dict]:
    """Every sweep that was walked at every size as JSON data: who stood of those that met it (``seeds``; the others
    ``fell_before``), with Wilson's 95 % interval, and mean time on the feet; of ``device_off`` also who fell within
    `OFF_WINDOW` of it."""
    walked = [sweep for sweep in SWEEPS if all(sweep.at(size) in outcomes for size in sweep.sizes)]
    return [_point(sweep, size, outcomes[sweep.at(size)]) for sweep in walked for size in sweep.sizes]


def fell_after_off(outcomes: Sequence[dict]) -> int | None:
    """How many of the walks fell within `OFF_WINDOW` after the device went off, those that never came so far left out;
    None where a walk that stood ended before the window did."""
    after = [outcome["time_s"] - OFF_AFTER for outcome in outcomes]
    fell = [outcome["fell"] for outcome in outcomes]
    if any(not down and time < OFF_WINDOW - 0.1 for down, time in zip(fell, after, strict=True)):
        return None
    return sum(down and 0 <= time <= OFF_WINDOW for down, time in zip(fell, after, strict=True))


def borne(of_sweep: Sequence[dict]) -> float | None:
    """The largest size up to which all sizes are borne (by `BEARS` of the seeds); None if the first is not."""
    largest = None
    for point in of_sweep:
        if not point["seeds"] or point["survived"] < BEARS * point["seeds"] - 1e-9:
            break
        largest = point["size"]
    return largest


def by_sweep(found: Sequence[dict]) -> dict[str, list[dict]]:
    """The points of each sweep that was walked."""
    names = dict.fromkeys(point["sweep"] for point in found)
    return {name: [point for point in found if point["sweep"] == name] for name in names}


def _point(sweep: Sweep, size: float, walked: Sequence[dict]) -> dict:
    harmless = size == sweep.sizes[0]
    outcomes = [outcome for outcome in walked if harmless or outcome["time_s"] > sweep.begins]
    stood = sum(not outcome["fell"] for outcome in outcomes)
    low, high = wilson(stood, len(outcomes))
    off = {"fell_within_10_s": fell_after_off(outcomes)} if sweep.name == "device_off" and size else {}
    return {
        "sweep": sweep.name,
        "size": size,
        "unit": sweep.unit,
        "conditions": describe(sweep.at(size)),
        "seeds": len(outcomes),
        "fell_before": len(walked) - len(outcomes),
        "survived": stood,
        "survived_low": low,
        "survived_high": high,
        "walked_s": mean_of(outcomes, lambda o: o["time_s"]),
        "speed_m_s": mean_of(outcomes, lambda o: o["mean_speed_m_s"]),
        **off,
    }
