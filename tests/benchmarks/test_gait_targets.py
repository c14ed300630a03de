"""The measures that walkers are held to: people reach them, and a walker is told from people."""

import dataclasses

import gait_targets
import healthy_gait
import numpy as np
import pytest

from mjx_assist.eval.gait.summary import summarize
from mjx_assist.eval.report.verdict.facts import facts
from mjx_assist.reference.published import healthy_band


def walk(record):
    metrics = summarize([record])
    return gait_targets.Walk([record], metrics, facts(metrics, healthy_band))


@pytest.fixture(scope="module")
def people():
    return healthy_gait.healthy_gait()


def test_people_reach_what_is_aimed_at(people):
    values = gait_targets.figures([walk(people)])
    missed = {t.title for t in gait_targets.TARGETS if not t.reached(values[t.title][0])}
    # Two laboratories' adults tilt the pelvis unlike each other, by a degree; the record's activations are drawn.
    assert missed <= {"pelvis tilt, r with adults", "metabolic power, Bhargava, W/kg"}


def test_a_locked_ankle_is_told_from_people(people):
    qpos = people.qpos.copy()
    ankles = [i for i, name in enumerate(people.joint_names) if name.startswith("ankle_angle")]
    qpos[:, ankles] = 1e-3 * np.random.default_rng(0).standard_normal((len(qpos), len(ankles)))
    values = gait_targets.figures([walk(dataclasses.replace(people, qpos=qpos))])
    assert values["ankle angle, r with adults"][0] < 0.5


def test_the_table_tells_mean_range_and_how_many_reach_it(people):
    one = gait_targets.figures([walk(people)])
    speed = next(t for t in gait_targets.TARGETS if t.title.startswith("speed"))
    side = {title: values * 3 for title, values in one.items()} | {speed.title: [1.0, 1.25, 1.29]}
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in gait_targets.table({"none": side}).splitlines()}
    assert rows[speed.title] == "| speed, m/s | 1.20 to 1.30 | 1.18 (1 to 1.29); 2 of 3 |"
