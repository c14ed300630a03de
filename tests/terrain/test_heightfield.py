"""Rough ground's heights: C MuJoCo's rays, closed forms and myoassist-terrains itself are the judges."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from grounds import COURSE, MIXED, PLAIN, ROUGH, WALKER, WAVY

from mjx_assist.config.schema import EnvParams
from mjx_assist.model import mjcf, variation
from mjx_assist.terrain import heightfield
from mjx_assist.terrain.kinds import NODE

SPATIAL = mujoco.MjModel.from_xml_string(WALKER.replace('"a"', '"pelvis_tz"'))


def on_ground(xml, ground, lane, slope=0.0):
    """The compiled model, its ground moved and tilted as a walker's variation says."""
    model = mjcf.load(heightfield.with_ground(xml, ground))
    offset = heightfield.lane_offset(ground, lane)
    variation.write(model, model, variation.Variation(lane=offset, slope=np.asarray(slope)))
    return model, mujoco.MjData(model), offset


def lane_heights(ground):
    """``[lanes, Y, X]``"""
    return ground.heights.reshape(ground.n_rows * ground.n_variants, -1, ground.heights.shape[1])


def along(ground):
    return ground.first_x + ground.spacing * np.arange(ground.heights.shape[1])


def across(ground):
    count = lane_heights(ground).shape[1]
    return (np.arange(count) - 0.5 * (count - 1)) * ground.spacing


@pytest.mark.parametrize("params", [ROUGH, WAVY, MIXED], ids=["random", "waves", "mixed"])
@pytest.mark.parametrize("slope", [0.0, 0.1, -0.1])
def test_height_is_that_of_the_compiled_heightfield(params, slope):
    ground = heightfield.make_terrain(params, PLAIN)
    rng = np.random.default_rng(0)
    for lane in rng.choice(ground.n_rows * ground.n_variants, 3):
        model, data, offset = on_ground(WALKER, ground, lane, slope)
        mujoco.mj_forward(model, data)
        x, y = rng.uniform(-2.5, 75.0, 200), rng.uniform(-0.25, 0.25, 200)
        down, floor = np.array([0.0, 0.0, -1.0]), model.geom("floor").id
        found = [
            20.0 - mujoco.mj_rayHfield(model, data, floor, np.array([a, b, 20.0]), down, None)
            for a, b in zip(x, y, strict=True)
        ]
        np.testing.assert_allclose(heightfield.height(ground, offset, slope, x, y), found, rtol=0, atol=1e-6)
        of_jax = heightfield.height(ground, offset, jnp.float32(slope), jnp.float32(x), jnp.float32(y), jnp)
        np.testing.assert_allclose(of_jax, found, rtol=0, atol=2e-5)


def test_random_ground_is_uniform_between_nodes_and_differs_between_variants_and_seeds():
    ground = heightfield.make_terrain(ROUGH, PLAIN)
    assert ground.spacing == NODE
    lanes, far = lane_heights(ground), np.abs(along(ground)) >= 3.0
    drawn = lanes[:, :, far].ravel()
    assert drawn.min() >= 0 and drawn.max() <= 0.06 + 1e-9
    shares = np.histogram(drawn, 6, (0, 0.06))[0] / drawn.size
    np.testing.assert_allclose(shares, 1 / 6, atol=0.01)
    flat = lanes[:, :, far].reshape(len(lanes), -1)
    assert np.abs(np.corrcoef(flat) - np.eye(len(lanes))).max() < 0.15
    np.testing.assert_array_equal(heightfield.make_terrain(ROUGH, PLAIN).heights, ground.heights)
    other = heightfield.make_terrain(dataclasses.replace(ROUGH, seed=5), PLAIN).heights
    assert np.abs(other - ground.heights).max() > 0.03


def test_waves_have_their_amplitudes_and_periods_and_touch_zero():
    ground = heightfield.make_terrain(WAVY, PLAIN)
    x, y, far = along(ground), across(ground), np.abs(along(ground)) >= 3.0
    assert ground.spacing == pytest.approx(0.1)  # at least ten nodes per wave
    angle_x, angle_y = 2 * np.pi * x[far] / 2.0, 2 * np.pi * y / 1.5
    for lane in lane_heights(ground):
        heights = lane[:, far]
        # a sine along, a sine across and a constant explain every height
        columns = [
            np.sin(angle_x),
            np.cos(angle_x),
            np.zeros_like(angle_x),
            np.zeros_like(angle_x),
            np.ones_like(angle_x),
        ]
        rows = [
            np.zeros_like(angle_y),
            np.zeros_like(angle_y),
            np.sin(angle_y),
            np.cos(angle_y),
            np.zeros_like(angle_y),
        ]
        design = np.stack([c[None, :] + r[:, None] for c, r in zip(columns, rows, strict=True)], -1).reshape(-1, 5)
        fit, *_ = np.linalg.lstsq(design, heights.ravel(), rcond=None)
        np.testing.assert_allclose(design @ fit, heights.ravel(), atol=2e-5)
        assert math.hypot(*fit[:2]) == pytest.approx(0.05, abs=1e-4)
        assert math.hypot(*fit[2:4]) == pytest.approx(0.02, abs=1e-4)
        assert heights.min() == pytest.approx(0.0, abs=1e-3)


def test_start_is_level_and_the_lane_longer_than_the_longest_walk():
    for params in (ROUGH, WAVY):
        ground = heightfield.make_terrain(params, PLAIN)
        x = along(ground)
        assert (lane_heights(ground)[:, :, np.abs(x) <= 1.0] == 0).all()
        assert (lane_heights(ground)[:, :, np.abs(x) <= 1.5].max(axis=(1, 2)) < 0.03).all()
        assert ground.end >= 33.4 * 1.9 + 3.0


def test_flat_and_slope_need_no_heightfield():
    for params in (EnvParams(), EnvParams(terrain_type="slope", terrain_params="0.1")):
        assert heightfield.make_terrain(params, PLAIN) is None
    assert heightfield.with_ground(WALKER, None) == WALKER
    assert heightfield.base_slope(EnvParams(terrain_type="slope", terrain_params="0.1"), 0.5, 3) == pytest.approx(0.05)
    assert heightfield.base_slope(ROUGH, 1.0, 0) == 0.0
    assert heightfield.height(None, None, 0.1, 2.0, 5.0) == pytest.approx(0.2)
    assert heightfield.height(None, None, None, 2.0, 5.0) == 0.0


def test_kinds_take_lanes_in_turn_and_rows_are_shares_of_the_amplitude():
    ground = heightfield.make_terrain(MIXED, PLAIN)
    count = ground.n_variants
    assert count % 3 == 0 and ground.n_rows == 11
    rows = lane_heights(ground).reshape(11, count, -1)
    for row in range(11):
        np.testing.assert_allclose(rows[row], 0.1 * row * rows[10], atol=2e-5)
    assert (rows[10].max(axis=1) > 0.03).tolist() == [True, True, False] * (count // 3)
    slopes = [float(heightfield.base_slope(MIXED, 1.0, v)) for v in range(count)]
    assert slopes == [0.0, 0.0, 0.1] * (count // 3)
    assert heightfield.lane_number(ground, 0.26, 4) == 3 * count + 4
    assert jax.vmap(lambda s: heightfield.lane_number(ground, s, 4, jnp))(jnp.array([0.0, 1.0])).tolist() == [
        4,
        10 * count + 4,
    ]
    fixed = heightfield.make_terrain(dataclasses.replace(MIXED, curriculum=None, terrain_amplitude=0.5), PLAIN)
    np.testing.assert_allclose(lane_heights(fixed), 0.5 * lane_heights(ground)[-count:], atol=2e-5)
    assert heightfield.lane_number(fixed, 0.5, 4) == 4


def test_lanes_are_wide_where_the_walker_can_leave_its_plane():
    narrow, wide = (heightfield.make_terrain(ROUGH, model) for model in (PLAIN, SPATIAL))
    assert narrow.lane_width == pytest.approx(0.6) and wide.lane_width == pytest.approx(4.0)


def test_course_is_the_packages_from_its_edge_on_and_again():
    from myoassist_terrains import surface_height_at
    from myoassist_terrains.config import config_from_dict

    ground = heightfield.make_terrain(EnvParams(terrain=COURSE), PLAIN)
    course, length = config_from_dict(COURSE), 12.5  # two tiles and the strip between them
    for x in (3.25, 4.5, 7.0, 9.3, 3.25 + length, 9.3 + 2 * length):
        right = surface_height_at(course, x % length - 0.5 * length, 0.025)
        assert heightfield.height(ground, heightfield.lane_offset(ground, 0), 0.0, x, 0.025) == pytest.approx(
            right, abs=1e-5
        )
    assert ground.heights.max() == pytest.approx(0.4, abs=0.3)


def test_uniform_surfaces_of_the_package():
    up = EnvParams(terrain={"terrain": "slope", "deg": 5.0})
    assert heightfield.make_terrain(up, PLAIN) is None
    assert heightfield.base_slope(up, 1.0, 0) == pytest.approx(math.tan(math.radians(5.0)))
    wave = EnvParams(terrain={"terrain": "sinusoidal", "amplitude": 0.1, "period": 5.0, "safe_zone_radius": 2.0})
    ground = heightfield.make_terrain(wave, PLAIN)
    x = np.array([2.0, 3.5, 6.1, 11.0])
    expected = 0.05 * (1 + np.sin(2 * np.pi * (x - 10.0) / 5.0))  # the surface begins at its edge, 10 m from its middle
    np.testing.assert_allclose(heightfield.height(ground, 0.0, 0.0, x, 0.0), expected, atol=1e-3)


def test_a_walker_that_turns_meets_no_step_between_lanes_and_level_ground_around_them():
    ground = heightfield.make_terrain(MIXED, PLAIN, turns=True)
    plain = heightfield.make_terrain(MIXED, PLAIN)
    lanes = ground.n_rows * ground.n_variants
    borders = (np.arange(lanes + 1) - 0.5 * lanes) * ground.lane_width
    x = np.linspace(-30, 70, 101)
    for y in (*borders, borders[0] - 30, borders[-1] + 30):
        height = heightfield.height(ground, 0.0, 0.0, x, np.full(x.size, y))
        assert np.abs(height).max() < 0.01
    middle = heightfield.lane_offset(ground, lanes - 2)
    own = [heightfield.height(g, middle, 0.0, x[30:], np.zeros(71)) for g in (ground, plain)]
    assert np.ptp(own[0]) > 0.02
    assert ground.end == plain.end and ground.first_x < plain.first_x - 30
