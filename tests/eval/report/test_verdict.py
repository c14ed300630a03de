"""The verdict's rules: synthetic gaits of known health fall on each side of every threshold."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import JOINTS, healthy_stub, synthetic_gait

from mjx_assist.eval.gait import events
from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report.verdict import verdict
from mjx_assist.eval.report.verdict.facts import facts
from mjx_assist.eval.report.verdict.rules import FAIR, GOOD, POOR, RULES, UNKNOWN
from mjx_assist.reference.published import healthy_band

RULE = {rule.key: rule for rule in RULES}


def judged(records, band=healthy_stub, **more):
    records = records if isinstance(records, list) else [records]
    return {found.rule.key: found for found in verdict.judge(facts(summarize(records), band, **more))}


@pytest.mark.parametrize("rule", RULES, ids=list(RULE))
def test_a_rule_changes_its_mark_at_its_own_thresholds(rule):
    step = np.copysign(1e-6, rule.fair - rule.good)
    assert rule.mark(rule.good) == GOOD
    assert rule.mark(rule.good + step) == (FAIR if rule.fair != rule.good else POOR)
    assert rule.mark(rule.fair + step) == POOR
    assert rule.mark(None) == rule.mark(float("nan")) == UNKNOWN
    assert rule.bound and rule.source


def test_fallen_episodes_are_counted():
    walks = [synthetic_gait(seed=i) for i in range(9)]
    fell = [synthetic_gait(duration=5.0, fell=True)]
    assert judged(walks)["walks"].mark == GOOD
    assert judged([*walks, *fell])["walks"].mark == FAIR  # 10 %
    found = judged([*walks[:3], *fell])["walks"]
    assert found.mark == POOR
    assert found.sentence == "No: fell in 1 of 4 episodes, the first time after 5.0 s."


@pytest.mark.parametrize(("asked", "mark"), [(1.29, GOOD), (1.17, FAIR), (1.37, POOR)])
def test_speed_is_compared_with_what_was_asked(asked, mark):
    record = synthetic_gait()  # 1.25 m/s
    found = judged(dataclasses.replace(record, target_velocity=np.full(record.time.size, asked)))["speed"]
    assert found.mark == mark
    assert f"1.25 m/s, asked {asked:.2f}." in found.sentence


def walker_with_published_angles(offset_deg):
    """Joint angles of the published healthy mean at 1.25 m/s, all moved by ``offset_deg``; and the RMS of the SDs."""
    record = synthetic_gait(start_phase=0.3, stride_time=1.1, left_delay=0.5)
    qpos, spread = record.qpos.copy(), []
    for coordinate in ("hip_flexion", "knee_angle", "ankle_angle", "pelvis_tilt"):
        percent, mean, sd = healthy_band(coordinate, 1.25)
        spread.append(np.mean(sd**2))
        for side, delay in (("_r", 0.0), ("_l", 0.5)):
            phase = (0.3 + record.time / 1.1 - delay) % 1
            name = coordinate + side if coordinate + side in JOINTS else coordinate
            qpos[:, JOINTS.index(name)] = np.radians(np.interp(100 * phase, percent, mean) + offset_deg)
    return dataclasses.replace(record, qpos=qpos), np.sqrt(np.mean(spread))


@pytest.mark.parametrize(("beyond_own_spread", "mark"), [(-10.0, GOOD), (1.2, GOOD), (2.4, FAIR), (4.0, POOR)])
def test_joint_angles_as_far_from_the_mean_as_healthy_people_are_healthy(beyond_own_spread, mark):
    _, spread = walker_with_published_angles(0.0)
    record, _ = walker_with_published_angles(max(0.0, spread + beyond_own_spread))
    found = judged(record, healthy_band)
    assert found["kinematics"].mark == mark
    measured = facts(summarize([record]), healthy_band)
    assert measured["gps_healthy_deg"] == pytest.approx(spread, rel=1e-6)
    assert measured["gps_deg"] == pytest.approx(max(0.0, spread + beyond_own_spread), abs=0.6)


@pytest.mark.parametrize(("peak", "mark"), [(1.25, GOOD), (1.35, FAIR), (1.5, POOR), (0.95, POOR)])
def test_ground_reaction_peaks_are_counted_in_healthy_standard_deviations(peak, mark):
    found = judged(synthetic_gait(peak_bw=(peak, peak)))["ground"]  # healthy here: 1.2 +- 0.06
    assert found.mark == mark
    assert f"{peak:.2f} BW, healthy 1." in found.sentence and found.sentence.endswith(" ± 0.06.")


@pytest.mark.parametrize(("outside", "mark"), [(0, GOOD), (4, GOOD), (10, FAIR), (20, POOR)])
def test_moments_are_counted_by_the_share_of_the_cycle_within_two_standard_deviations(outside, mark):
    """The knee's moment is 2.5 SD off for some per cent of the cycle, which its root mean square would hide."""
    record = synthetic_gait(duration=20.0, start_phase=0.3, stride_time=1.1, device_peak=(0.0, 0.0))
    moment = np.zeros_like(record.qpos)
    for joint, coordinate in (("hip", "hip_flexion"), ("knee", "knee_angle"), ("ankle", "ankle_angle")):
        percent, mean, sd = healthy_band(f"{joint}_moment", 1.25)
        least = np.maximum(sd, 0.5 * np.sqrt(np.mean(sd**2)))
        off = np.where((percent >= 20) & (percent < 20 + outside), 2.5 * least, 0) if joint == "knee" else 0 * sd
        for side, delay in (("_r", 0.0), ("_l", 0.5)):
            phase = (0.3 + record.time / 1.1 - delay) % 1
            moment[:, JOINTS.index(coordinate + side)] = np.interp(100 * phase, percent, mean + off) * record.body_mass
    record = dataclasses.replace(record, joint_moment=moment, device_moment=0 * moment)
    assert judged(record, healthy_band)["moments"].mark == mark
    measured = facts(summarize([record]), healthy_band)
    assert measured["moment_within_percent"] == pytest.approx(100 - outside, abs=1.5)
    assert not outside or measured["moment_worst"].endswith("knee moment")


def test_a_backward_force_twice_the_healthy_one_is_found():
    record = synthetic_gait()
    force = record.ground_reaction.copy()
    force[:, :, 0] *= 2  # healthy here: 0.2 +- 0.06
    found = judged(dataclasses.replace(record, ground_reaction=force))["ground"]
    assert found.mark == POOR
    assert (
        "backward, braking, 0.40 BW, healthy 0.20 ± 0.06." in found.sentence or "forward, propelling" in found.sentence
    )


@pytest.mark.parametrize(("left", "mark"), [(0.58, GOOD), (0.52, FAIR), (0.48, POOR)])
def test_stance_of_unequal_length_is_asymmetric(left, mark):
    index = 200 * (0.6 - left) / (0.6 + left)  # 3.4, 14.3, 22.2 %
    found = judged(synthetic_gait(stance=(0.6, left), duration=20.0, rate=1000.0))["symmetry"]
    assert found.mark == mark
    assert found.sentence.endswith(f"{index:.0f} % (stance).")


@pytest.mark.parametrize(("torque", "mark"), [(-60.0, GOOD), (-6.0, FAIR), (60.0, POOR)])
def test_a_device_helps_by_the_work_it_gives(torque, mark):
    record = synthetic_gait(device_peak=(torque, torque))
    measured = facts(summarize([record]), healthy_band)
    strides = [s for s in events.strides(record) if s.side == "right"]
    whole = slice(strides[0].start, strides[-1].end)
    mean_power = np.mean(record.device_power[whole].sum(axis=1)) / record.body_mass
    assert measured["device_net_w_per_kg"] == pytest.approx(mean_power, rel=0.02)
    assert judged(record, healthy_band)["device"].mark == mark


def test_push_off_is_told_as_a_share_of_the_healthy_ankles():
    record = synthetic_gait(device_peak=(-60.0, -60.0))
    summary = summarize([record])
    percent, power, _ = healthy_band("ankle_power", 1.25)
    window = (percent >= 40) & (percent <= 65)
    healthy = np.trapezoid(np.maximum(power, 0)[window], percent[window] / 100) * summary["both"]["stride_time_s"]
    share = summary["device"]["ankle_angle"]["both"]["push_off_positive_work_j_per_kg"] / healthy
    assert facts(summary, healthy_band)["device_share_percent"] == pytest.approx(100 * share)


@pytest.mark.parametrize(("factor", "mark"), [(1.10, GOOD), (1.0, FAIR), (0.9, POOR)])
def test_metabolic_power_is_compared_with_zero_torque(factor, mark):
    own, bare = summarize([synthetic_gait()]), summarize([synthetic_gait(device_peak=(0.0, 0.0))])
    for model in bare["metabolic"].values():
        model["power_w_per_kg"] *= factor
    found = {f.rule.key: f for f in verdict.judge(facts(own, healthy_stub, bare))}["metabolic"]
    assert found.mark == mark
    assert f"{100 / factor - 100:+.1f} %" in found.sentence
    assert "metabolic" not in judged(synthetic_gait())


def test_a_fall_on_the_full_model_is_told():
    episode = {"fell": True, "time_s": 3.2, "mean_speed_m_s": 1.1}
    found = judged(synthetic_gait(), full_model=episode)["model"]
    assert (found.mark, "after 3.2 s" in found.sentence) == (POOR, True)
    assert judged(synthetic_gait(), full_model={**episode, "fell": False})["model"].mark == GOOD


def test_what_cannot_be_measured_is_said_to_be_unknown():
    found = judged(synthetic_gait(duration=0.8))
    assert {key: found[key].mark for key in ("kinematics", "moments", "ground", "symmetry")} == dict.fromkeys(
        ("kinematics", "moments", "ground", "symmetry"), UNKNOWN
    )
    assert "device" not in found
    sentence = verdict.overall(list(found.values()))
    assert sentence == "Too short to tell whether it walks: no complete stride."
    assert found["walks"].mark == UNKNOWN


def findings(**marks):
    gait = dict.fromkeys(verdict.GAIT_RULES, GOOD)
    return [verdict.Finding(RULE[key], mark, "") for key, mark in (gait | marks).items()]


@pytest.mark.parametrize(
    ("marks", "sentence"),
    [
        ({}, "It walks like healthy people."),
        ({"walks": POOR, "ground": POOR}, "It falls."),
        ({"ground": POOR}, "It walks, but its ground reaction is not healthy."),
        (
            {"ground": POOR, "kinematics": POOR},
            "It walks, but its joint angles and its ground reaction are not healthy.",
        ),
        ({"symmetry": FAIR}, "It walks, and its symmetry is nearly healthy; the rest is."),
        ({"speed": POOR}, "It walks like healthy people. It does not keep the speed asked."),
        ({"device": POOR}, "It walks like healthy people. The device brakes: it takes more work than it gives."),
        (
            {"device": POOR, "metabolic": GOOD},
            "It walks like healthy people. The device helps: walking costs less than with zero torque.",
        ),
    ],
)
def test_the_sentence_on_top(marks, sentence):
    assert verdict.overall(findings(**marks)) == sentence
