"""A row per composition, its size, cost and fidelity once reduced: what `models list` and docs/models.md show."""

import json
import time
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, full_model
from mjx_assist.model.feet.sole import lowest
from mjx_assist.model.fidelity.accelerations import set_drive
from mjx_assist.model.fidelity.bounds import worst
from mjx_assist.model.generated import missing
from mjx_assist.model.reduction import ReducedModel
from mjx_assist.paths import data_path

_TIMED, _BATCHES = 0.2, 5  # s of falling, how often
_EXCITATION = 0.2
Row = dict[str, Any]


def row(reduced: ReducedModel, report: dict[str, Any]) -> Row:
    """The figures of one composition from its fidelity report. JSON-able."""
    model, human, device = reduced.model, reduced.human, reduced.device
    full = full_model(human, device, AS_COMPOSED)
    muscle = model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE
    joints = [model.joint(j).name for j in range(model.njnt)]
    if device != NO_DEVICE:
        bare = full_model(human, NO_DEVICE, AS_COMPOSED)
        body = {bare.joint(j).name for j in range(bare.njnt)}
    else:
        body = set(joints)
    lengths = [m["length_rmse_mm"] for m in report["muscles"]]
    arms = [m["moment_arm_rmse_mm"] for m in report["muscles"]]
    return {
        "human": human,
        "device": device,
        "nv": {FULL: full.nv, REDUCED: model.nv},
        "equalities": {FULL: int(full.neq), REDUCED: int(model.neq)},
        "muscles": int(muscle.sum()),
        "refitted": sum(m["refitted"] for m in report["muscles"]),
        "device_joints": [name for name in joints if name not in body],
        "device_actuators": [model.actuator(int(a)).name for a in np.flatnonzero(~muscle)],
        "points": {FULL: _points(full), REDUCED: _points(model)},
        "wraps": {FULL: _wraps(full), REDUCED: _wraps(model)},
        "contact_pairs": int(model.npair),
        "step_us": {
            FULL: _step_us(full, reduced.coupling.lift(model.qpos0)),
            REDUCED: _step_us(model, model.qpos0),
        },
        "not_compiled": missing(model),
        "length_rmse_mm": {"mean": float(np.mean(lengths)), "worst": max(lengths)} if lengths else None,
        "moment_arm_rmse_mm": {"mean": float(np.mean(arms)), "worst": max(arms)} if arms else None,
        "loop_gap_mm": report["loop_gap_mm"],
        "verdicts": report["verdicts"],
    }


def failed(human: str, device: str, reason: str) -> Row:
    """The row of a composition that cannot be reduced."""
    return {"human": human, "device": device, "error": reason}


def shipped() -> list[Row]:
    """The rows of models/fidelity.json; none if there is no such file."""
    path = data_path("models", "fidelity.json")
    return json.loads(path.read_text(encoding="utf-8"))["compositions"] if path.is_file() else []


HEADER = (
    "device",
    "DoF",
    "equalities",
    "muscles",
    "refitted",
    "points",
    "wraps",
    "contacts",
    "us/step",
    "compiled",
    "worst fidelity",
)


def cells(row: Row) -> list[str]:
    """A row under ``HEADER``, from full to reduced where both are known; the worst of all bounds at the end."""
    if "error" in row:
        return [row["device"], *["-"] * (len(HEADER) - 2), f"not reduced: {row['error']}"]
    return [
        row["device"],
        *(_both(row[key]) for key in ("nv", "equalities")),
        str(row["muscles"]),
        str(row["refitted"]),
        *(_both(row[key]) for key in ("points", "wraps")),
        str(row["contact_pairs"]),
        _both(row["step_us"], ".0f"),
        "yes" if row["not_compiled"] is None else f"no: {row['not_compiled']}",
        verdict_text(worst(row["verdicts"])),
    ]


def verdict_text(verdict: dict[str, Any]) -> str:
    """Such as ``swing, couplings at 2 ms: 0.805 of 1 deg (knee_angle_r)``, with MISSED in front if it is."""
    value = "diverged" if verdict["value"] is None else f"{verdict['value']:.3g}"
    of = f" ({verdict['of']})" if verdict["of"] else ""
    text = f"{verdict['measure']}: {value} of {verdict['bound']:.3g} {verdict['unit']}{of}"
    return text if verdict["ok"] else f"MISSED {text}"


def missed(row: Row) -> list[dict[str, Any]]:
    """The bounds that a composition does not keep."""
    return [verdict for verdict in row.get("verdicts", []) if not verdict["ok"]]


def markdown(rows: Sequence[Row]) -> str:
    """Per human: a table of sizes, and one of fidelity with a column per measure."""
    parts = []
    for human in dict.fromkeys(row["human"] for row in rows):
        own = [row for row in rows if row["human"] == human]
        reduced = [row for row in own if "error" not in row]
        parts.append(f"### {human}\n")
        parts.append(
            _markdown_table((*HEADER[:-1], "device joints", "device actuators"), [_size(row) for row in reduced])
        )
        measures = list(dict.fromkeys(v["measure"] for row in reduced for v in row["verdicts"]))
        header = ("device", *(_bounded(measure, reduced) for measure in measures))
        parts.append(_markdown_table(header, [_fidelity(row, measures) for row in reduced]))
        parts += [_loop_text(row) for row in reduced if row.get("loop_gap_mm")]
        parts += [f"- `{row['device']}`: **not reduced**, {row['error']}\n" for row in own if "error" in row]
    return "\n".join(parts)


def _loop_text(row: Row) -> str:
    gap = row["loop_gap_mm"]
    return (
        f"- `{row['device']}`: in the reduced model's poses, closed loops of the full model stay open by "
        f"{gap['rms']:.1f} mm RMS, {gap['worst']:.0f} mm at worst.\n"
    )


def _size(row: Row) -> list[str]:
    names = [", ".join(f"`{name}`" for name in row[key]) or "-" for key in ("device_joints", "device_actuators")]
    return [f"`{row['device']}`", *cells(row)[1:-1], *names]


def _bounded(measure: str, rows: Sequence[Row]) -> str:
    """A column's title: the measure, its unit, and its bound where that is the same for all."""
    found = [v for row in rows for v in row["verdicts"] if v["measure"] == measure]
    bounds = {v["bound"] for v in found}
    return f"{measure} ({found[0]['unit']}" + (f", ≤ {bounds.pop():g})" if len(bounds) == 1 else ")")


def _fidelity(row: Row, measures: Sequence[str]) -> list[str]:
    found = {v["measure"]: v for v in row["verdicts"]}
    texts = []
    for measure in measures:
        verdict = found.get(measure)
        if verdict is None:
            texts.append("-")
            continue
        value = "diverged" if verdict["value"] is None else f"{verdict['value']:.2g}"
        of = f" {verdict['of']}" if verdict["of"] and verdict["value"] else ""
        texts.append(value + of if verdict["ok"] else f"**{value}**{of}")
    return [f"`{row['device']}`", *texts]


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _both(pair: dict[str, float], form: str = "") -> str:
    return f"{pair[FULL]:{form}} → {pair[REDUCED]:{form}}"


def _points(model: mujoco.MjModel) -> int:
    return int((model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE).sum())


def _wraps(model: mujoco.MjModel) -> int:
    return int(np.isin(model.wrap_type, [mujoco.mjtWrap.mjWRAP_SPHERE, mujoco.mjtWrap.mjWRAP_CYLINDER]).sum())


def _step_us(model: mujoco.MjModel, qpos: np.ndarray) -> float:
    """Microseconds per step of C MuJoCo here, on one core: the body stands on the floor and begins to fall."""
    steps, best = max(1, round(_TIMED / model.opt.timestep)), np.inf
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    up = np.flatnonzero((model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE) & (data.xaxis[:, 2] > 0.9))[0]
    standing = data.qpos.copy()
    standing[up] -= lowest(model, data)
    muscle = model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE
    for _ in range(_BATCHES):
        mujoco.mj_resetData(model, data)
        data.qpos[:] = standing
        set_drive(model, data, np.where(muscle, _EXCITATION, 0.0))
        start = time.perf_counter()
        mujoco.mj_step(model, data, steps)
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / steps
