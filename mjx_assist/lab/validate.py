"""Published experiments walked by trained policies, and which of their effects come out: sign and size of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from mjx_assist.config.words import REDUCED
from mjx_assist.errors import UserError
from mjx_assist.eval.gait.metabolics import STANDING_W_PER_KG
from mjx_assist.eval.studies import sides, trainings, trials
from mjx_assist.eval.studies.conclusions import KEY_MODEL
from mjx_assist.files.plain import plain
from mjx_assist.lab.experiments import POWER, PROFILE, SPRING, Claim, Condition, Experiment, agrees, conditions, walker
from mjx_assist.model.assembly import device_mass
from mjx_assist.policy.bundle import Bundle, reduced_model

SCHEMA_VERSION = 1
_NEEDS = {PROFILE: "peak_torque", SPRING: "stiffness_nm_per_rad"}  # of these families a free parameter


def check(policies: Mapping[str, Bundle]) -> None:
    """Raises `UserError` for a policy that was not trained for the devices of its experiments."""
    for kind, name in _NEEDS.items():
        if kind not in policies:
            continue
        family = policies[kind].config.env_params.device_family
        if family is None or name not in family.free:
            raise UserError(f"--{kind}: needs a policy that was trained for a device_family with a range of {name!r}.")


def run(
    chosen: Sequence[Experiment], policies: Mapping[str, Bundle], seconds: float, seeds: range, processes: int
) -> dict:
    """What validate.json holds: every experiment whose policy is there is walked, the others are named."""
    ready = [experiment for experiment in chosen if experiment.policy in policies]
    bundles, places, asked = [], [], []
    for number, experiment in enumerate(ready):
        for name, condition in experiment.conditions.items():
            bundles.append(walker(policies[experiment.policy], condition))
            under = conditions(experiment, condition)
            places += [(number, name, seed) for seed in seeds]
            asked += [trials.Trial(len(bundles) - 1, REDUCED, seconds, seed, under) for seed in seeds]
    figures = dict(trials.run(bundles, asked, processes, sides.MEASURE))
    walked = {place: figures[i] for i, place in enumerate(places)}
    rows = [_experiment(number, experiment, policies, walked, seeds) for number, experiment in enumerate(ready)]
    claims = [claim for row in rows for claim in row["claims"]]
    sized = [claim for claim in claims if claim["percent"] is not None or claim["watt"] is not None]
    count = {
        "signs": [sum(claim["sign"] is True for claim in claims), len(claims)],
        "sure": sum(_sure(claim) for claim in claims),
        "sizes": [sum(claim["size"] is True for claim in sized), len(sized)],
    }
    return plain(
        {
            "schema_version": SCHEMA_VERSION,
            "seconds": seconds,
            "seeds": list(seeds),
            "policies": sorted({experiment.policy for experiment in ready}),
            "experiments": rows,
            "not_run": [{"key": e.key, "title": e.title, "policy": e.policy} for e in chosen if e not in ready],
            "hits": count,
        }
    )


def _experiment(
    number: int, experiment: Experiment, policies: Mapping[str, Bundle], walked: Mapping, seeds: range
) -> dict:
    bundle = policies[experiment.policy]
    person = float(reduced_model(bundle).body_subtreemass[0]) - device_mass(bundle.human, bundle.device)
    values = {
        name: np.array([_value(experiment, condition, walked[number, name, seed], person) for seed in seeds])
        for name, condition in experiment.conditions.items()
    }
    falls = {name: sum(bool(walked[number, name, seed]["fell"]) for seed in seeds) for name in experiment.conditions}
    conditions = [{"name": n, "falls": falls[n], **_interval(values[n])} for n in experiment.conditions]
    head = {key: getattr(experiment, key) for key in ("key", "title", "source", "people", "policy", "figure")}
    return {**head, "conditions": conditions, "claims": [_claim(claim, values) for claim in experiment.claims]}


def _value(experiment: Experiment, condition: Condition, figures: dict, person: float) -> float:
    """W of all muscles at the speed asked, or J/(kg m) with the resting rate; NaN where the walker fell.

    A treadmill holds people to its speed and a policy is only asked, so power goes with the metres walked.
    """
    if figures["fell"] or not figures["strides"]:
        return np.nan
    watt, reached = figures["muscle_power_w"][KEY_MODEL], figures["speed_m_s"]
    asked = condition.speed_m_s or experiment.speed_m_s
    return watt * asked / reached if experiment.figure == POWER else (watt / person + STANDING_W_PER_KG) / reached


def _sure(claim: dict) -> bool:
    """Whether a hit's interval leaves out zero."""
    return (
        claim["sign"] is True
        and claim["simulated_percent"]["high"] is not None
        and claim["simulated_percent"]["high"] < 0
    )


def _claim(claim: Claim, values: Mapping[str, np.ndarray]) -> dict:
    """The published effect beside the simulated one, walks of the same seed against each other."""
    low, high = values[claim.lower], values[claim.than]
    percent, watt = _interval(100 * (low / high - 1)), _interval(low - high)
    sign, size = agrees(claim, percent["mean"], watt["mean"])
    return {**asdict(claim), "simulated_percent": percent, "simulated_watt": watt, "sign": sign, "size": size}


def _interval(values: np.ndarray) -> dict:
    """Mean and t interval over the seeds that walked to the end."""
    known = [float(x) for x in values if np.isfinite(x)]
    mean, low, high = trainings.mean(known) if known else (None, None, None)
    return {"mean": mean, "low": low, "high": high}
