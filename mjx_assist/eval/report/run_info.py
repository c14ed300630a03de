"""What was run, for the foot of a report: policy, controller, model and its fidelity, versions, seeds, config."""

import json
from collections.abc import Sequence
from datetime import date

import mujoco
import numpy as np

import mjx_assist
from mjx_assist.config.read import to_dict
from mjx_assist.eval.replay.beyond import beyond
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions, describe
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.model.fidelity.bounds import worst
from mjx_assist.model.fidelity.table import missed, shipped, verdict_text
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.held import held
from mjx_assist.policy.trained import trained


def run_info(
    records: Sequence[GaitRecord], source: str, bundle: Bundle | None = None, conditions: Conditions = AS_TRAINED
) -> dict:
    """Names and values in reading order; ``source``: the policy or the files that the records come from;
    ``conditions``: what they were walked under."""
    first = records[0]
    info = {
        "source": source,
        "date": date.today().isoformat(),
        "human": first.human,
        "device": first.device,
        "device controller": first.controller,
        "body": ", ".join(
            [
                _measured(first.person_mass, ".1f", "kg"),
                f"{_measured(first.device_mass, '.1f', 'kg')} of device",
                f"leg {_measured(first.leg_length, '.2f', 'm')}",
            ]
        ),
        "model": first.model_kind,
        "model fidelity": fidelity(first.human, first.device),
        "seeds": ", ".join(str(record.seed) for record in records),
        "control rate": f"{1 / first.control_dt:.1f} Hz, recorded at {1 / first.sample_dt:.0f} Hz",
        "this program": f"mjx-assist {mjx_assist.__version__}, MuJoCo {mujoco.__version__}, NumPy {np.__version__}",
    }
    if bundle is None:
        return info
    made = bundle.info
    packages = ("mjx_assist", "assist_sim", "myo_sim", "mujoco")
    return {
        **info,
        "policy made with": ", ".join(f"{name} {made[name]}" for name in packages if name in made),
        "trained on": str(trained(bundle.config.env_params)),
        "training backend": bundle.config.env_params.backend,
        **({"walked under": json.dumps(describe(conditions))} if conditions != AS_TRAINED else {}),
        **({"new to the policy": sentence} if (sentence := beyond(bundle, conditions)) else {}),
        **({"trained for": f"{made['control_steps']:,} control steps"} if "control_steps" in made else {}),
        **({"fed as a constant": _held(bundle)} if held(bundle).names else {}),
        "config": json.dumps(to_dict(bundle.config)),
    }


def _held(bundle: Bundle) -> str:
    """Observations that never varied in training, and what the policy is fed in their place."""
    fixed = held(bundle)
    return ", ".join(f"{name} {value:g}" for name, value in zip(fixed.names, fixed.constant, strict=True))


def _measured(value: float, form: str, unit: str) -> str:
    return f"{value:{form}} {unit}" if np.isfinite(value) else "not known"


def fidelity(human: str, device: str) -> str:
    """How close the shipped reduced model is to the full one: bounds kept, and the one it comes nearest to missing."""
    row = next((row for row in shipped() if (row["human"], row["device"]) == (human, device)), None)
    if row is None or not row.get("verdicts"):
        return "not measured for this composition (mjx-assist models report)"
    bounds = row["verdicts"]
    kept = len(bounds) - len(missed(row))
    return f"reduced against full: {kept} of {len(bounds)} bounds kept; worst: {verdict_text(worst(bounds))}"
