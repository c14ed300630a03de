"""A body with a prosthesis on one leg: sides named, figures by closed forms, the joint in the ankle's place counted."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import JOINTS, healthy_stub, synthetic_gait

from mjx_assist.eval.gait import events
from mjx_assist.eval.gait.one_sided import PUSH_OFF, joint_power, push_off_work
from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report.page import page
from mjx_assist.eval.report.tables import leg_titles
from mjx_assist.eval.report.verdict import verdict
from mjx_assist.eval.report.verdict.facts import facts
from mjx_assist.eval.report.verdict.rules import GOOD, POOR

ANKLE = "OSL_A_L1_osl_ankle_angle_r"


def with_prosthesis(**walk):
    """The synthetic walker with a prosthetic right ankle."""
    record = synthetic_gait(**walk)
    names = tuple(ANKLE if name == "ankle_angle_r" else name for name in record.joint_names)
    driven = tuple(ANKLE if name == "ankle_angle_r" else name for name in record.device_joints)
    return dataclasses.replace(record, joint_names=names, device_joints=driven)


def test_the_sides_are_named_and_an_able_body_has_none():
    told = summarize([with_prosthesis()])["one_sided"]
    assert (told["level"], told["prosthetic_side"], told["sound_side"]) == ("transtibial", "right", "left")
    assert summarize([synthetic_gait()])["one_sided"] == {}


def test_stance_and_first_peak_go_to_their_side():
    told = summarize([with_prosthesis(stance=(0.57, 0.63), peak_bw=(1.0, 1.3))])["one_sided"]
    assert told["prosthetic"]["stance_time_s"] == pytest.approx(0.57 * 1.1, abs=0.01)
    assert told["sound"]["stance_time_s"] == pytest.approx(0.63 * 1.1, abs=0.01)
    assert told["ratio"]["stance_time_s"] == pytest.approx(57 / 63, abs=0.01)
    assert told["ratio"]["grf_loading_peak_bw"] == pytest.approx(1.0 / 1.3, rel=0.02)


def test_power_of_the_joint_in_the_ankles_place_counts_as_the_ankles():
    worn, own = with_prosthesis(), synthetic_gait()
    expected = own.joint_power[:, [JOINTS.index("ankle_angle_r"), JOINTS.index("ankle_angle_l")]] / own.person_mass
    np.testing.assert_allclose(joint_power(worn, "ankle_angle"), expected)
    assert np.abs(expected).max() > 0.01


def test_push_off_work_is_the_work_of_a_known_pulse():
    """A moment in proportion to velocity in push-off gives the integral of the velocity's square."""
    record = with_prosthesis(duration=8.0)
    column, gain = JOINTS.index(ANKLE.removeprefix("OSL_A_L1_osl_")), 5.0
    moment = np.zeros_like(record.joint_moment)
    moment[:, column] = gain * record.joint_velocity[:, column]
    still = dict.fromkeys(("passive_moment", "device_moment"), np.zeros_like(moment))
    record = dataclasses.replace(record, joint_moment=moment, **still)
    # angle a sin(w t - c), phase of the leg 0.40 to 0.65: integral of gain (a w cos)^2
    amplitude, omega, shift = 0.2, 2 * np.pi / 1.1, 0.22
    phase = np.linspace(0.40, 0.65, 2001)
    velocity = amplitude * omega * np.cos(2 * np.pi * (phase - shift))
    expected = gain * np.trapezoid(velocity**2, phase * 1.1) / record.person_mass
    own = push_off_work(record)[events.samples(record).foot == 0]
    assert own == pytest.approx(np.full(own.size, expected), rel=0.06)  # contact is told half a percent late
    assert summarize([record])["one_sided"]["prosthetic"][PUSH_OFF] == pytest.approx(own.mean())


def judged(record):
    return {found.rule.key: found for found in verdict.judge(facts(summarize([record]), healthy_stub))}


@pytest.mark.parametrize(("stance", "mark"), [((0.58, 0.604), GOOD), ((0.50, 0.66), POOR)])
def test_legs_are_compared_with_people_who_wear_a_prosthesis(stance, mark):
    """0.96 +- 0.03 of the sound side's stance is theirs; no symmetry is asked, however unlike the legs are."""
    found = judged(with_prosthesis(stance=stance))
    assert "symmetry" not in found
    assert found["sharing"].mark == mark
    assert "prosthetic (right) over sound side" in found["sharing"].sentence


def test_an_able_body_is_asked_for_symmetry_only():
    found = judged(synthetic_gait())
    assert "symmetry" in found and "sharing" not in found


def test_a_transfemoral_body_is_not_judged_by_figures_of_transtibial_people():
    record = with_prosthesis()
    names = tuple("OSL_KA_L1_osl_knee_angle_r" if n == "knee_angle_r" else n for n in record.joint_names)
    found = judged(dataclasses.replace(record, joint_names=names))
    assert not {"symmetry", "sharing"} & set(found)


def test_the_page_names_the_sides():
    metrics = summarize([with_prosthesis()])
    text = page("walk", metrics, ("", judged(with_prosthesis()).values()), [], b"", [], [])
    assert "right: prosthetic side (transtibial), left: sound side" in text
    assert leg_titles(metrics) == ("right (prosthetic)", "left (sound)", "both")
    assert "Sound and prosthetic side" in text
