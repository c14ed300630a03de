"""A healthy gait is good by every rule; one that is spoilt in one thing is poor for that thing's own reason."""

import dataclasses
from functools import cache

import healthy_gait
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report.verdict import facts, verdict
from mjx_assist.eval.report.verdict.rules import FAIR, GOOD, POOR, UNKNOWN
from mjx_assist.reference.published import adults, healthy_band

pytestmark = pytest.mark.filterwarnings("error")
# How a gait is spoilt, and by which rules it is then poor; by all others it is not.
SPOILT = {
    "locked_ankle": {"shape"},
    "reversed_ankle": {"shape", "posture"},
    "stiff_knee": {"kinematics", "posture"},
    "pelvis_back": {"posture"},
    "leaning_on_a_stop": {"stops", "spikes"},
    "light_stop": {"stops"},
    "spiked_moment": {"spikes"},
    "hard_working_hip": {"powers", "moments", "spikes"},
    "foot_slap": {"landing"},
    "silent_calf": {"calf", "timing"},
    "pressure_back": {"pressure"},
    "braking_hard": {"ground"},
    "costly_muscles": {"level"},
    "limp": {"symmetry"},
    "falling": {"walks"},
}
base = cache(healthy_gait.healthy_gait)


def judged(record):
    return verdict.judge(facts.facts(summarize([record]), healthy_band))


def keys(findings, mark):
    return {found.rule.key for found in findings if found.mark == mark}


def test_healthy_people_walk_like_healthy_people():
    findings = judged(base())
    assert keys(findings, GOOD) == set(verdict.GAIT_RULES)
    assert verdict.overall(findings) == "It walks like healthy people."


def test_adults_whom_no_rule_has_seen_move_like_healthy_people():
    """Bovi et al. (2011) at their natural speed, their ankle from the zero that the models have."""
    walked = adults("natural")
    record = base()
    for joint, curve in walked.angles.items():
        if joint not in healthy_gait.COORDINATES:
            continue
        upright = walked.angles["pelvis_tilt"].mean() if joint == "hip_flexion" else 0.0
        zero = curve.mean() - healthy_gait.band(joint, np.linspace(0, 1, 101)).mean() if joint == "ankle_angle" else 0.0
        angles = np.radians(curve + upright - zero)
        grid = np.linspace(0, 1, curve.size)
        record = healthy_gait.each_leg(
            record, "qpos", joint, lambda _, at, angles=angles, grid=grid: CubicSpline(grid, angles)(at)
        )
    assert keys(judged(record), GOOD) == set(verdict.GAIT_RULES)


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_gait_is_poor_for_its_own_reason(how):
    findings = judged(getattr(healthy_gait, how)(base()))
    assert keys(findings, POOR) == SPOILT[how]
    assert len(keys(findings, FAIR)) <= 2 and not keys(findings, UNKNOWN)
    about = [found.rule.about for found in findings if found.mark == POOR and found.rule.about]
    assert all(phrase in verdict.overall(findings) for phrase in about)


def test_one_spoilt_leg_does_not_hide_in_the_mean_of_both():
    """Only the left ankle is locked, and the left hip leans on its stop."""
    whole, spoilt = base(), healthy_gait.leaning_on_a_stop(healthy_gait.locked_ankle(base()))
    fields = {}
    for name in ("qpos", "limit_moment", "passive_moment"):
        fields[name] = getattr(whole, name).copy()
        for joint in ("hip_flexion_l", "ankle_angle_l"):
            column = whole.joint_names.index(joint)
            fields[name][:, column] = getattr(spoilt, name)[:, column]
    found = {f.rule.key: f for f in judged(dataclasses.replace(whole, **fields))}
    assert found["shape"].mark == found["stops"].mark == POOR
    assert "left ankle: r = 0.00" in found["shape"].sentence and "left hip's limit" in found["stops"].sentence


def test_the_sentences_tell_what_was_done_to_the_gait():
    def sentence(how, key):
        return {f.rule.key: f.sentence for f in judged(getattr(healthy_gait, how)(base()))}[key]

    assert "bears 97 N·m (1.30 N·m/kg)" in sentence("leaning_on_a_stop", "stops")
    assert "is 0.10 N·m/kg; people's 0.62" in sentence("silent_calf", "calf")
    assert "on from 30 to 61 % of the cycle, people's from" in sentence("silent_calf", "timing")
    assert "within 2 SD of the healthy mean for 97 %" in sentence("spiked_moment", "moments")


def test_a_stop_is_in_the_moment_as_it_is_in_peoples():
    """Published moments are those of inverse dynamics: what a stop gives counts as what a muscle gives."""
    record = healthy_gait.leaning_on_a_stop(base())
    as_muscle = dataclasses.replace(
        record,
        joint_moment=record.joint_moment + record.passive_moment,
        passive_moment=0 * record.passive_moment,
        limit_moment=0 * record.qpos,
    )
    stopped, pulled = (summarize([r])["healthy"]["rmse"]["hip_moment_nm_per_kg"] for r in (record, as_muscle))
    assert stopped == pytest.approx(pulled) and stopped > 0.2


def test_what_an_old_record_does_not_hold_cannot_be_told():
    known = {"limit_moment": None, "toe_tip": None}
    record = dataclasses.replace(base(), **known)
    summary = summarize([record])
    found = {f.rule.key: f.mark for f in verdict.judge(facts.facts(summary, healthy_band))}
    assert found["stops"] == UNKNOWN and found["moments"] == GOOD
    assert summary["both"]["margin_of_stability_forward_m"] is None
    assert any("not recorded: limit_moment, toe_tip" in note for note in summary["notes"])


@pytest.mark.parametrize(("speed", "low", "high"), [(1.25, 2.1, 2.8), (0.7, 1.06, 1.42), (1.9, 4.07, 5.42)])
def test_what_people_pay_follows_the_speed_as_ralston_found(speed, low, high):
    """Net of 1.2 W/kg standing: (29 + 0.0053 v²) cal/min/kg at v m/min, in proportion to 2.1 to 2.8 at 1.25 m/s."""

    def net(v):
        return (29 + 0.0053 * (60 * v) ** 2) * 4.184 / 60 - 1.2

    assert low == pytest.approx(2.1 * net(speed) / net(1.25), abs=0.02)
    summary = summarize([base()]) | {"speed_m_s": speed}
    told = facts.facts(summary, healthy_band)
    assert told["people_low_w_per_kg"] == pytest.approx(low, abs=0.02)
    assert told["people_high_w_per_kg"] == pytest.approx(high, abs=0.02)


def test_a_device_counts_in_no_ones_mass():
    """12 kg of device on the same person: W/kg and N*m/kg stay, the weight on the ground is that of both."""
    record = base()
    worn = dataclasses.replace(record, body_mass=record.body_mass + 12.0, device_mass=12.0)
    bare, laden = summarize([record]), summarize([worn])
    assert laden["person_mass_kg"] == pytest.approx(bare["person_mass_kg"])
    for figure in ("hip_positive_work_j_per_kg", "ankle_plantarflexion_moment_peak_nm_per_kg"):
        assert laden["both"][figure] == pytest.approx(bare["both"][figure])
    power = [s["metabolic"]["bhargava2004"]["power_w_per_kg"] for s in (bare, laden)]
    assert power[0] == pytest.approx(power[1])
    assert laden["both"]["grf_peak_bw"] == pytest.approx(
        bare["both"]["grf_peak_bw"] * record.body_mass / worn.body_mass
    )
    assert np.isclose(record.person_mass, worn.person_mass)
