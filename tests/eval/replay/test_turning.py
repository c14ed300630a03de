"""Replayed walks that turn: laid out straight in the record, in the world for other programs, told in figures."""

import dataclasses
import math

import mujoco
import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.eval.gait import turning
from mjx_assist.eval.gait.summary import episode_summary, summarize
from mjx_assist.eval.replay.conditions import Conditions, constant, figure_of_eight, fixed
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.straight import in_world
from mjx_assist.eval.studies import challenge
from mjx_assist.model import anatomy
from mjx_assist.model.names import joint_names
from mjx_assist.model.reduction import reduce_model
from mjx_assist.policy.bundle import reduced_model
from mjx_assist.reference import cycle, standing
from mjx_assist.sim import command, observation

ENV = EnvParams(msk_key="myolegs26", device_key=None, min_heading_rate=-0.8, max_heading_rate=0.8, safe_height=0.3)
ENV = dataclasses.replace(
    ENV, observation_joint_pos_keys=(*ENV.observation_joint_pos_keys, "pelvis_rotation"), standing_share=0.1
)
RATE = math.radians(40)


@pytest.fixture(scope="module")
def bundle(untrained_bundle):
    """A 3-D walker that knows nothing: what it does in a second is enough."""
    reduced = reduce_model("myolegs26", "none")
    model = reduced.model
    pose = np.zeros((2, cycle.PHASES, model.nq))
    pose[:, :, joint_names(model).index("pelvis_ty")] = 0.93 - anatomy.height_offset(model)
    gait = cycle.complete(model, np.array([0.5, 2.0]), np.array([0.7, 1.0]), pose)
    spec = observation.spec_of(model, ENV)
    rng = np.random.default_rng(0)
    head = untrained_bundle.policy.heads[0]
    layers = ((rng.normal(0, 0.1, (spec.size, model.nu)).astype(np.float32), np.full(model.nu, -0.7, np.float32)),)
    head = dataclasses.replace(
        head, observation=np.arange(spec.size), action=np.arange(model.nu), layers=layers, mirrored=False, log_std=None
    )
    policy = dataclasses.replace(
        untrained_bundle.policy,
        heads=(head,),
        mean=np.zeros(spec.size, np.float32),
        std=np.ones(spec.size, np.float32),
        neutral=np.full(model.nu, -1.0, np.float32),
        mirror=None,
    )
    return dataclasses.replace(
        untrained_bundle,
        config=RunConfig(env_params=ENV),
        xml=reduced.xml,
        coupling=reduced.coupling,
        gait=standing.with_standing(gait, model),
        observation=spec,
        policy=policy,
    )


@pytest.fixture(scope="module")
def record(bundle):
    return replay(bundle, steps=25, seed=2, conditions=Conditions(command=constant(1.2), turn=constant(RATE)))


def test_a_record_that_turned_is_in_the_world_where_mujoco_has_it(bundle, record):
    np.testing.assert_allclose(record.heading, RATE * record.time, atol=1e-6)
    world, model = in_world(record), reduced_model(bundle)
    data, names = mujoco.MjData(model), ("r_foot_position", "l_foot_position")
    for sample in (0, len(record.time) // 2, -1):
        data.qpos[:] = world.qpos[sample]
        mujoco.mj_forward(model, data)
        feet = [data.sensor(name).data for name in names]
        np.testing.assert_allclose(world.foot_position[sample], feet, atol=1e-6)
        np.testing.assert_allclose(world.com_position[sample], data.subtree_com[1], atol=1e-6)
        np.testing.assert_allclose(record.pelvis_place[sample, 0], world.column(world.qpos, "pelvis_tx")[sample])
    step = np.gradient(world.qpos, world.time, axis=0)
    close = np.abs(step - world.qvel)[5:-5, [0, 1, 2]]  # of the pelvis' place
    assert np.median(close) < 0.02
    assert in_world(world) is world


def test_the_frame_goes_where_the_walk_went(record):
    """Its way and side, from the world's path alone, by an integral of its own."""
    place, yaw = np.asarray(record.pelvis_place), np.asarray(record.heading)
    step, middle = np.diff(place[:, :2], axis=0), 0.5 * (yaw[1:] + yaw[:-1])
    way = np.cumsum(np.cos(middle) * step[:, 0] + np.sin(middle) * step[:, 1])
    right = np.cumsum(np.sin(middle) * step[:, 0] - np.cos(middle) * step[:, 1])
    tx, tz = (record.column(record.qpos, name) for name in ("pelvis_tx", "pelvis_tz"))
    np.testing.assert_allclose(tx[1:] - tx[0], way, atol=2e-3)
    np.testing.assert_allclose(tz[1:] - tz[0], right, atol=2e-3)


def test_a_straight_walk_of_who_can_turn_is_what_it_is_in_the_world(bundle):
    straight = replay(bundle, steps=10, seed=2, conditions=Conditions(command=constant(1.2)))
    assert not np.any(straight.heading)
    np.testing.assert_allclose(straight.column(straight.qpos, "pelvis_tx"), np.asarray(straight.pelvis_place)[:, 0])
    stands = replay(bundle, steps=30, seed=2, conditions=Conditions(command=constant(1.2), standing=(0.5, 0.9)))
    speed = stands.target_velocity
    assert speed[0] == 0.0 and speed[-1] == 0.0 and 0.1 < speed.max() < 0.3
    assert np.ptp(stands.reference_qpos[:10], axis=0).max() < 1e-12 < np.ptp(stands.reference_qpos, axis=0).max()


def test_a_push_from_the_side_moves_the_walker_there(bundle):
    ways = []
    for angle in (90, -90):
        pushed = Conditions(command=constant(1.2), push=(20.0, 0.2, math.radians(angle)), randomization=fixed())
        ways.append(replay(bundle, steps=13, seed=2, conditions=pushed).com_velocity[-1, 1])
    assert ways[0] - ways[1] > 2 * 0.5 * 20.0 / 80.0  # N*s over kg, at least half of it


def test_the_figure_of_eight_closes():
    """Integrated: the path of a constant speed is back after a period, whatever the phase it begins in."""
    turn = figure_of_eight(RATE)
    drawn = command.sample(turn, np.random.default_rng(0).uniform(size=command.N_UNIFORM))
    time = np.linspace(0.0, float(drawn.period), 20001)
    rate = np.array([float(command.target_velocity(drawn, t)) for t in time])
    yaw = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(time))])
    length = 1.2 * time[-1]
    assert np.hypot(np.mean(np.cos(yaw)), np.mean(np.sin(yaw))) * length < 1e-3 * length
    assert np.abs(rate).max() == pytest.approx(RATE, rel=1e-3) and np.ptp(yaw) > math.radians(270)


def walked(facing_deg, drift):
    """A synthetic walk on a turn, so far off its heading and drifting so many m/s to the right."""
    gait = synthetic_gait()
    off = np.stack([np.full(gait.time.size, math.radians(facing_deg)), drift * gait.time], axis=1)
    empty = np.zeros((gait.time.size, 2))
    fields = {name: getattr(gait, name) for name in ("joint_moment", "device_moment", "passive_moment", "limit_moment")}
    return dataclasses.replace(
        gait,
        joint_names=(*gait.joint_names, "pelvis_rotation", "pelvis_tz"),
        qpos=np.hstack([gait.qpos, off]),
        qvel=np.hstack([gait.qvel, empty]),
        reference_qpos=np.hstack([gait.reference_qpos, empty]),
        heading=0.5 * gait.time,
        joint_sign=None,
        **{name: np.hstack([series, empty]) for name, series in fields.items()},
    )


def test_how_far_a_walk_was_off_its_turn_is_told():
    found = episode_summary(walked(-12.0, 0.1))
    assert found["heading_rate_asked_deg_s"] == pytest.approx(math.degrees(0.5))
    assert found["heading_error_deg"] == pytest.approx(12.0) and found["heading_rate_error_deg_s"] == pytest.approx(0.0)
    assert found["path_error_m"] == pytest.approx(0.1 * 6.0, abs=0.01)  # whole windows of 2 s from 2 to 10 s
    assert any("asked to turn" in note for note in summarize([walked(0.0, 0.0)])["notes"])
    assert not set(turning.KEYS) & set(episode_summary(synthetic_gait()))


def test_a_challenge_row_of_a_turn_asks_for_heading_and_path(bundle, untrained_bundle):
    rows = challenge.rows(["turns", "standing", "pushes"])
    assert not [row for row in rows if challenge.lacks(row, bundle)]
    left = [row for row in rows if challenge.lacks(row, untrained_bundle)]
    assert {row.group for row in left} == {"turns", "standing", "pushes"} and len(left) == len(rows) - 2
    target = next(row for row in rows if row.group == "turns").target
    reached = {"heading_error_deg": 5.0, "path_error_m": 0.2}
    assert challenge.met(target, 1.0, reached)
    assert not challenge.met(target, 1.0, reached | {"path_error_m": 0.6})
    assert not challenge.met(target, 1.0, reached | {"heading_error_deg": None})
