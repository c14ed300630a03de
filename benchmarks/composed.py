"""Why policies fall in assist_sim's model as it is composed: which couplings slip, what muscles lose, what it costs.

`python benchmarks/composed.py [BUNDLE] [--seeds N] [--json FILE]` prints the tables of docs/composed.md.
"""

import argparse
import json
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.eval.replay.walk import Walk
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles

CONTROL_STEPS = 300
RIGID_STEP = 0.0005  # s: a constraint's time constant must be at least two steps
GROUPS = ("knee", "hamstrings", "iliopsoas", "rect_fem", "vasti", "gastroc")
ACTIVE, ENOUGH = 0.3, 0.02  # a muscle counts when it is this active and its arm (m) is this long


def walk(bundle, seed: int, rigid: tuple[str, ...] = (), each=None, timestep: float | None = None) -> int:
    """Control steps until the fall, the groups' couplings in ``rigid`` made stiff; ``each(walker)`` after every one."""
    session = Walk(bundle, "composed", seed)
    model = session.walker.model
    model.opt.timestep = timestep or model.opt.timestep
    for e in range(model.neq):
        if model.joint(model.eq_obj1id[e]).name.startswith(rigid):
            model.eq_solref[e] = 2 * RIGID_STEP, 1.0
    while session.steps < CONTROL_STEPS and session.step():
        if each:
            each(session.walker)
    return session.steps


def slips(bundle, seeds: int) -> dict[str, dict[str, float]]:
    """By group: how far its joints are from where their couplings want them, mm."""
    found = {group: [] for group in GROUPS}

    def look(walker):
        model, qpos = walker.model, walker.data.qpos
        for e in range(model.neq):
            driven, driver = model.eq_obj1id[e], model.eq_obj2id[e]
            at = qpos[driver] - model.qpos0[driver]
            off = qpos[driven] - model.qpos0[driven] - np.polynomial.polynomial.polyval(at, model.eq_data[e, :5])
            group = next(group for group in GROUPS if model.joint(driven).name.startswith(group))
            found[group].append(1e3 * abs(off))

    for seed in range(seeds):
        walk(bundle, seed, each=look)
    return {
        group: {"median_mm": np.median(x), "p95_mm": np.quantile(x, 0.95), "max_mm": np.max(x)}
        for group, x in found.items()
    }


def losses(bundle, seeds: int) -> dict[str, dict[str, float]]:
    """By muscle and joint, while active: length, arm and force as they are and with every coupling satisfied."""
    rows = {}

    def look(walker):
        model, there = walker.model, walker.data
        qpos = there.qpos[walker.qpos_index]
        tight = mujoco.MjData(model)
        tight.qpos[:] = walker.coupling.lift(qpos)
        tight.qvel[:] = walker.coupling.lift_velocity(qpos, there.qvel[walker.qpos_index])
        tight.act[:] = there.act
        mujoco.mj_forward(model, there)
        mujoco.mj_forward(model, tight)
        arms = [walker.to_reduced(qpos, _moments(model, data)) for data in (there, tight)]
        for name in walker.actuator_names:
            actuator = model.actuator(name).id
            if model.actuator_actadr[actuator] < 0 or there.act[model.actuator_actadr[actuator]] < ACTIVE:
                continue
            for joint in np.flatnonzero(np.abs(arms[1][actuator]) > ENOUGH):
                shorter = 1e3 * (tight.actuator_length[actuator] - there.actuator_length[actuator])
                force = [-data.actuator_force[actuator] for data in (there, tight)]
                arm = [100 * abs(a[actuator, joint]) for a in arms]
                key = name.rsplit("_", 1)[0], walker.joint_names[joint].rsplit("_", 1)[0]
                rows.setdefault(key, []).append((shorter, *arm, *force, *np.multiply(arm, force) / 100))

    for seed in range(seeds):
        walk(bundle, seed, each=look)
    names = ("shorter_mm", "arm_cm", "tight_arm_cm", "force_n", "tight_force_n", "moment_nm", "tight_moment_nm")
    return {f"{muscle}, {joint}": dict(zip(names, np.mean(x, 0), strict=True)) for (muscle, joint), x in rows.items()}


def _moments(model, data) -> np.ndarray:
    """Moment arms ``[nu, nv]``."""
    arms = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(arms, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    return arms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=str(data_path("models", "policies", "walk22_exo")))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bundle, seeds = bundles.load(arguments.bundle), range(arguments.seeds)
    report = {"steps": {}, "slip": slips(bundle, len(seeds)), "muscles": losses(bundle, len(seeds))}
    cases = {"none": (), "all": GROUPS} | {f"only {g}": (g,) for g in GROUPS}
    cases |= {f"all but {g}": tuple(x for x in GROUPS if x != g) for g in GROUPS}
    for name, rigid in cases.items():
        report["steps"][f"{name} rigid"] = [walk(bundle, s, rigid, timestep=RIGID_STEP) for s in seeds]
    for timestep in (0.001, 0.002, 1 / 330, 1 / 240):
        report["steps"][f"steps of {1e3 * timestep:.3g} ms"] = [walk(bundle, s, timestep=timestep) for s in seeds]
    for table, rows in report.items():
        print(f"\n{table}")
        for name, row in rows.items():
            print(f"  {name:32s}", row if isinstance(row, list) else {k: round(float(x), 2) for k, x in row.items()})
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, default=float) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
