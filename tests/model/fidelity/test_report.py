"""The measures of a reduction's fidelity against closed forms and MuJoCo's constraints, and that they see damage."""

import copy
import dataclasses
import json

import mujoco
import numpy as np
import pytest

from mjx_assist.model import assembly, mjcf, reduction
from mjx_assist.model.fidelity.accelerations import seen_through
from mjx_assist.model.fidelity.bounds import verdicts, worst
from mjx_assist.model.fidelity.motions import TIME_CONSTANTS_MS
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.skeleton.coupling import read_coupling

ARM = """
<mujoco><option gravity="0 0 -9.81"/><worldbody><body>
  <joint name="turn" axis="0 -1 0" damping="0.3"/><inertial pos="0 0 0" mass="1" diaginertia="0.1 0.2 0.1"/>
  <body><joint name="slide" type="slide" axis="1 0 0"/>
    <inertial pos="0 0 0" mass="2" diaginertia="1e-9 1e-9 1e-9"/></body></body></worldbody>
<equality><joint joint1="slide" joint2="turn" polycoef="0.5 0.1 -0.3 0.2 0"/></equality></mujoco>"""


def test_accelerations_seen_through_a_coupling_are_lagranges():
    """A 2 kg bead on a turning arm at r(q): (I + m (r^2 + r'^2)) a = -c v - m (r r' + r' r'') v^2 - m g (r sin q)'."""
    model = mujoco.MjModel.from_xml_string(ARM)
    for q, v in ((0.0, 1.0), (0.7, -3.0), (-1.1, 5.0)):
        r, slope, bend = 0.5 + 0.1 * q - 0.3 * q**2 + 0.2 * q**3, 0.1 - 0.6 * q + 0.6 * q**2, -0.6 + 1.2 * q
        inertia = 0.2 + 2.0 * (r**2 + slope**2)
        weight = 2.0 * 9.81 * (r * np.cos(q) + slope * np.sin(q))
        wanted = (-0.3 * v - 2.0 * (r * slope + slope * bend) * v**2 - weight) / inertia
        found = seen_through(model, [read_coupling(model)], np.array([q]), np.array([v]), np.zeros(0))
        assert found == pytest.approx([wanted], rel=1e-6)


def test_at_rest_they_are_what_mujocos_rigid_couplings_leave(reduced):
    """The full model with its equalities on, nothing moving: its own constraint forces do the projection."""
    full = assembly.full_model("myolegs22", "Tutorial_L1", "composed")
    # without muscles: their pull on points of 1 g is what soft equalities do not balance exactly
    full.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_ACTUATION
    full.opt.tolerance = 1e-12
    qpos = reduced.model.qpos0.copy()
    qpos[3:] += 0.5 * np.array([0.3, -0.6, 0.1, 0.1] * 2)
    found = seen_through(full, [reduced.coupling], qpos, np.zeros_like(qpos), np.zeros(full.nu))
    data = mujoco.MjData(full)
    data.qpos[:] = reduced.coupling.lift(qpos)
    mujoco.mj_forward(full, data)
    own = [full.joint(reduced.model.joint(j).name).dofadr[0] for j in range(reduced.model.nv)]
    np.testing.assert_allclose(found, data.qacc[own], rtol=2e-3, atol=0.05)


@pytest.fixture(scope="module")
def report(reduced):
    return fidelity(reduced)


def test_every_bound_is_kept(report):
    assert {row["measure"]: row["value"] for row in report["verdicts"] if not row["ok"]} == {}
    assert len(report["verdicts"]) == 13
    assert json.loads(json.dumps(report, allow_nan=False))["verdicts"] == report["verdicts"]


def test_the_full_model_approaches_the_reduced_one_as_its_couplings_stiffen(report):
    motions = report["convergence"]
    assert len(motions) == 3
    for motion in motions.values():
        assert motion["moves_deg"] > 10
        differences = [row["difference_deg"] for row in motion["rows"]]
        assert [row["time_constant_ms"] for row in motion["rows"]] == list(TIME_CONSTANTS_MS)
        assert differences == sorted(differences, reverse=True)
        assert differences[0] > 5
        assert differences[-1] < 1.0
        assert motion["rows"][-1]["bone_slip_mm"] < 0.1 < motion["rows"][0]["bone_slip_mm"]


def damaged(reduced, change):
    """The same reduction with something wrong in its file."""
    spec = mujoco.MjSpec.from_string(reduced.xml)
    change(spec)
    spec.compile()
    xml = spec.to_xml()
    return dataclasses.replace(reduced, xml=xml, model=mjcf.load(xml))


def test_damage_is_seen(reduced):
    """A path point moved by 1 cm, a shank too heavy by a fifth, a heel too low by 6 mm."""

    def change(spec):
        site, shank = spec.site("tib_ant_r_tib_ant_r-P2"), spec.body("tibia_r")
        site.pos = np.add(site.pos, [0.01, 0, 0])
        shank.mass, shank.fullinertia = 1.2 * shank.mass, 1.2 * shank.fullinertia
        for geom in spec.geoms:
            if geom.name.startswith("r_foot"):
                geom.pos = np.subtract(geom.pos, [0, 0.006, 0])

    report = fidelity(damaged(reduced, change), dynamics=False)
    missed = {row["measure"] for row in report["verdicts"] if not row["ok"]}
    assert {
        "exact moment arms",
        "mass, centre, inertia",
        "accelerations, median of the worst joint",
        "sole height",
    } <= missed


def row(muscle: str, length: float, arm: float, peak: float, refitted: bool) -> dict:
    return {
        "muscle": muscle,
        "length_rmse_mm": length,
        "moment_arm_rmse_mm": arm,
        "moment_arm_peak_mm": peak,
        "refitted": refitted,
    }


def test_moment_arms_keep_either_bound_and_nan_keeps_none():
    body = {"body": "femur", "mass_error_kg": 0.0, "centre_error_m": 0.0, "inertia_error_kg_m2": 0.0}
    muscles = [
        row("long", 0.1, 2.4, 50.0, True),
        row("short", 0.1, 1.9, 10.0, True),
        row("same", 0.0, 0.0, 30.0, False),
    ]
    motion = {"rows": [{"difference_deg": float("nan"), "joint": "knee"}]}
    report = {"muscles": muscles, "bodies": [body], "convergence": {"swing": motion}}
    found = {v["measure"]: v for v in verdicts(report)}
    assert found["moment arm, RMSE"]["ok"]
    assert found["moment arm, RMSE"]["of"] == "long"
    assert not found["swing, couplings at 2 ms"]["ok"]
    assert worst(list(found.values())) is found["swing, couplings at 2 ms"]
    spoiled = copy.deepcopy(report)
    spoiled["muscles"][0]["moment_arm_rmse_mm"] = 2.6
    assert not {v["measure"]: v for v in verdicts(spoiled)}["moment arm, RMSE"]["ok"]


@pytest.mark.slow
@pytest.mark.parametrize("device", assembly.available()["myolegs22"])
@pytest.mark.parametrize("human", ["myolegs22", "myolegs26"])
def test_all_compositions_keep_the_bounds_of_geometry_and_mass(human: str, device: str):
    report = fidelity(reduction.reduce_model(human, device))
    kept = {row["measure"]: row["ok"] for row in report["verdicts"]}
    assert all(kept[measure] for measure in ("muscle length, RMSE", "mass, centre, inertia", "standing height"))
