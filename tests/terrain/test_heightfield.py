"""Rough ground: C MuJoCo's rays and contacts, closed forms and myoassist-terrains itself are the judges."""

import dataclasses
import math

import agreement
import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from mjx_assist import config
from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum.settings import Curriculum
from mjx_assist.errors import UserError
from mjx_assist.model import assembly, mjcf, variation
from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics import heightfields
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain import heightfield
from mjx_assist.terrain.heightfield import FLOOR
from mjx_assist.terrain.kinds import NODE, kinds

RADII = (0.02, 0.05, 0.03)
# Three feet without a body, each free to move: enough of a walker for the ground.
WALKER = f"""<mujoco><option timestep="0.004"/><worldbody><geom name="floor" type="plane" size="0 0 1"/>
{
    "".join(
        f'''<body name="b{i}"><joint name="{name}" type="slide" axis="1 0 0"/><joint type="slide" axis="0 1 0"/>
<joint type="slide" axis="0 0 1" damping="300"/>
<geom name="s{i}" size="{r}" contype="0" conaffinity="0" density="1e5"/></body>'''
        for i, (r, name) in enumerate(zip(RADII, ("pelvis_tx", "a", "b"), strict=True))
    )
}</worldbody>
<contact>{"".join(f'<pair geom1="floor" geom2="s{i}" condim="3"/>' for i in range(3))}</contact>
<actuator><motor joint="a" gear="0"/></actuator></mujoco>"""
ROUGH = EnvParams(terrain_type="random", terrain_params="0.06")
WAVY = EnvParams(terrain_type="harmonic_sinusoidal", terrain_params="0.02 1.5 0.05 2")
MIXED = EnvParams(
    terrain_type=("random", "harmonic_sinusoidal", "slope"),
    terrain_params=("0.06", "0 1 0.04 4", "0.1"),
    curriculum=Curriculum(by_level={"terrain_amplitude": (0.0, 1.0)}),
)
COURSE = {
    "terrain_name": "course",
    "grid": {"rows": 1, "cols": 2, "tile_size": [6.0, 6.0]},
    "tiles": [
        {"row": 0, "col": 0, "type": "stairs", "params": {"n_steps": 4, "step_height": 0.1, "axis": "x"}},
        {"row": 0, "col": 1, "type": "slope", "params": {"angle_deg": 8.0, "axis": "x"}},
    ],
}


def _depth(rng, walker):
    """How deep (m) a foot is in the ground; in every fourth walker so that centres are under it."""
    return rng.uniform(0, 0.03 if walker % 4 == 0 else 0.008)


@pytest.fixture(scope="module")
def plain():
    return mujoco.MjModel.from_xml_string(WALKER)


@pytest.fixture(scope="module")
def spatial():
    return mujoco.MjModel.from_xml_string(WALKER.replace('"a"', '"pelvis_tz"'))


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
def test_height_is_that_of_the_compiled_heightfield(plain, params, slope):
    ground = heightfield.make_terrain(params, plain)
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


def test_random_ground_is_uniform_between_nodes_and_differs_between_variants_and_seeds(plain):
    ground = heightfield.make_terrain(ROUGH, plain)
    assert ground.spacing == NODE
    lanes, far = lane_heights(ground), np.abs(along(ground)) >= 3.0
    drawn = lanes[:, :, far].ravel()
    assert drawn.min() >= 0 and drawn.max() <= 0.06 + 1e-9
    shares = np.histogram(drawn, 6, (0, 0.06))[0] / drawn.size
    np.testing.assert_allclose(shares, 1 / 6, atol=0.01)
    flat = lanes[:, :, far].reshape(len(lanes), -1)
    assert np.abs(np.corrcoef(flat) - np.eye(len(lanes))).max() < 0.15
    np.testing.assert_array_equal(heightfield.make_terrain(ROUGH, plain).heights, ground.heights)
    other = heightfield.make_terrain(dataclasses.replace(ROUGH, seed=5), plain).heights
    assert np.abs(other - ground.heights).max() > 0.03


def test_waves_have_their_amplitudes_and_periods_and_touch_zero(plain):
    ground = heightfield.make_terrain(WAVY, plain)
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


def test_start_is_level_and_the_lane_longer_than_the_longest_walk(plain):
    for params in (ROUGH, WAVY):
        ground = heightfield.make_terrain(params, plain)
        x = along(ground)
        assert (lane_heights(ground)[:, :, np.abs(x) <= 1.0] == 0).all()
        assert (lane_heights(ground)[:, :, np.abs(x) <= 1.5].max(axis=(1, 2)) < 0.03).all()
        assert ground.end >= 33.4 * 1.9 + 3.0


def test_flat_and_slope_need_no_heightfield(plain):
    for params in (EnvParams(), EnvParams(terrain_type="slope", terrain_params="0.1")):
        assert heightfield.make_terrain(params, plain) is None
    assert heightfield.with_ground(WALKER, None) == WALKER
    assert heightfield.base_slope(EnvParams(terrain_type="slope", terrain_params="0.1"), 0.5, 3) == pytest.approx(0.05)
    assert heightfield.base_slope(ROUGH, 1.0, 0) == 0.0
    assert heightfield.height(None, None, 0.1, 2.0, 5.0) == pytest.approx(0.2)
    assert heightfield.height(None, None, None, 2.0, 5.0) == 0.0


def test_kinds_take_lanes_in_turn_and_rows_are_shares_of_the_amplitude(plain):
    ground = heightfield.make_terrain(MIXED, plain)
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
    fixed = heightfield.make_terrain(dataclasses.replace(MIXED, curriculum=None, terrain_amplitude=0.5), plain)
    np.testing.assert_allclose(lane_heights(fixed), 0.5 * lane_heights(ground)[-count:], atol=2e-5)
    assert heightfield.lane_number(fixed, 0.5, 4) == 4


def test_lanes_are_wide_where_the_walker_can_leave_its_plane(plain, spatial):
    narrow, wide = (heightfield.make_terrain(ROUGH, model) for model in (plain, spatial))
    assert narrow.lane_width == pytest.approx(0.6) and wide.lane_width == pytest.approx(4.0)


def test_course_is_the_packages_from_its_edge_on_and_again(plain):
    from myoassist_terrains import surface_height_at
    from myoassist_terrains.config import config_from_dict

    ground = heightfield.make_terrain(EnvParams(terrain=COURSE), plain)
    course, length = config_from_dict(COURSE), 12.5  # two tiles and the strip between them
    for x in (3.25, 4.5, 7.0, 9.3, 3.25 + length, 9.3 + 2 * length):
        right = surface_height_at(course, x % length - 0.5 * length, 0.025)
        assert heightfield.height(ground, heightfield.lane_offset(ground, 0), 0.0, x, 0.025) == pytest.approx(
            right, abs=1e-5
        )
    assert ground.heights.max() == pytest.approx(0.4, abs=0.3)


def test_uniform_surfaces_of_the_package(plain):
    up = EnvParams(terrain={"terrain": "slope", "deg": 5.0})
    assert heightfield.make_terrain(up, plain) is None
    assert heightfield.base_slope(up, 1.0, 0) == pytest.approx(math.tan(math.radians(5.0)))
    wave = EnvParams(terrain={"terrain": "sinusoidal", "amplitude": 0.1, "period": 5.0, "safe_zone_radius": 2.0})
    ground = heightfield.make_terrain(wave, plain)
    x = np.array([2.0, 3.5, 6.1, 11.0])
    expected = 0.05 * (1 + np.sin(2 * np.pi * (x - 10.0) / 5.0))  # the surface begins at its edge, 10 m from its middle
    np.testing.assert_allclose(heightfield.height(ground, 0.0, 0.0, x, 0.0), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"terrain_type": "randon"}, ("terrain_type", "'random'")),
        ({"terrain_type": "random"}, ("terrain_params", "amplitude")),
        ({"terrain_type": "random", "terrain_params": "high"}, ("terrain_params", "numbers")),
        ({"terrain_type": "random", "terrain_params": "-0.1"}, ("amplitude", "0 or more")),
        ({"terrain_type": "flat", "terrain_params": "0.1"}, ("no numbers",)),
        ({"terrain_type": "harmonic_sinusoidal", "terrain_params": "0.1 2"}, ("amplitude_row period_row",)),
        ({"terrain_type": "harmonic_sinusoidal", "terrain_params": "0.1 0 0 1"}, ("period_row", "positive")),
        ({"terrain_type": ["flat", "random"], "terrain_params": "0.1"}, ("for each of",)),
        ({"terrain_type": []}, ("at least one",)),
        ({"terrain_amplitude": 1.5}, ("terrain_amplitude", "0..1")),
        ({"terrain": {"terrain": "slope", "dge": 8}}, ("env_params.terrain", "dge")),
        ({"terrain": {"terrain": "slope"}, "terrain_type": "random", "terrain_params": "0.1"}, ("one of them",)),
    ],
)
def test_mistakes_in_a_config_are_told(given, words):
    with pytest.raises(UserError) as error:
        config.from_dict({"env_params": given})
    assert all(word in str(error.value) for word in words), error.value


def test_a_config_of_ground_is_read_and_written_alike():
    given = [{"terrain_type": ["random", "slope"], "terrain_params": ["0.06", 0.1]}, {"terrain": COURSE}]
    for env in ({"terrain_type": "random", "terrain_params": [0.06]}, *given):
        read = config.from_dict({"env_params": env})
        assert config.from_dict(config.to_dict(read)) == read
    assert kinds(read.env_params)[0].heights is not None


def test_walkers_of_one_batch_come_to_rest_each_on_its_lane(plain):
    ground = heightfield.make_terrain(ROUGH, plain)
    backend = make_physics("mujoco", heightfield.with_ground(WALKER, ground), 500, 4, num_threads=2)
    lanes = np.array([0, 3, 7, 15])
    places = np.array([[5.02, 0.03], [20.11, -0.06], [61.3, 0.02]])
    qpos = np.zeros((4, 9))
    qpos[:, 0::3], qpos[:, 1::3], qpos[:, 2::3] = places[:, 0], places[:, 1], 0.12
    start = jax.vmap(lambda q: reset_state(backend.model, q, jnp.zeros(9), jnp.zeros(0)))(jnp.float32(qpos))
    lane = jnp.float32(heightfield.lane_offset(ground, lanes))
    after = jax.jit(jax.vmap(backend.step))(start, jnp.zeros((4, 1)), variation.Variation(lane=lane))
    place = np.asarray(after.qpos).reshape(4, 3, 3)  # walker, foot, xyz: they slide to where they rest
    for walker, foot in np.ndindex(4, 3):
        x, y, z = place[walker, foot]
        near = x + np.linspace(-0.05, 0.05, 41), y + np.linspace(-0.05, 0.05, 41)
        h = heightfield.height(ground, lane[walker], 0.0, *np.meshgrid(*near))
        gap = np.sqrt((near[0] - x)[None, :] ** 2 + (near[1] - y)[:, None] ** 2 + (z - h) ** 2).min() - RADII[foot]
        assert -0.004 < gap < 0.002, (walker, foot, gap)


def test_contacts_in_mjx_are_those_of_c(plain):
    """Every contact's depth, place and frame, of spheres 8 to 30 mm deep on several lanes of one batch, tilted."""
    ground = heightfield.make_terrain(ROUGH, plain)
    heightfields.register()
    rng, slope, walkers = np.random.default_rng(1), 0.1, 200
    lanes = rng.integers(ground.n_variants, size=walkers)
    model = mjcf.load(heightfield.with_ground(WALKER, ground))
    base, data = mujoco.MjModel.from_xml_string(heightfield.with_ground(WALKER, ground)), mujoco.MjData(model)
    qpos, expected = np.zeros((walkers, 9)), []
    for walker, lane in enumerate(lanes):
        offset = heightfield.lane_offset(ground, lane)
        variation.write(base, model, variation.Variation(lane=offset, slope=np.asarray(slope)))
        for foot, radius in enumerate(RADII):
            x, y = rng.uniform(4, 70), rng.uniform(-0.15, 0.15)
            z = heightfield.height(ground, offset, slope, x, y) + radius - _depth(rng, walker)
            qpos[walker, 3 * foot : 3 * foot + 3] = x, y, z
        data.qpos[:] = qpos[walker]
        mujoco.mj_forward(model, data)
        contacts = [(c.geom2, c.dist, *c.pos, *c.frame) for c in data.contact]
        expected.append([sorted(c[1:] for c in contacts if c[0] == model.geom(f"s{i}").id) for i in range(3)])
    mjx_model = mjx.put_model(base)
    empty = mjx.make_data(mjx_model)

    def contacts(q, lane):
        fields = variation.model_fields(base, variation.Variation(lane=lane, slope=jnp.float32(slope)), jnp)
        changed = mjx_model.tree_replace(fields)
        return mjx.collision(changed, mjx.kinematics(changed, empty.replace(qpos=q)))._impl.contact

    offsets = jnp.float32(heightfield.lane_offset(ground, lanes))
    found = jax.device_get(jax.jit(jax.vmap(contacts))(jnp.float32(qpos), offsets))
    crowded = 0
    for walker, foot in np.ndindex(walkers, 3):
        of_foot = found.geom2[walker] == model.geom(f"s{foot}").id
        rows = np.column_stack(
            [a[walker][of_foot].reshape(of_foot.sum(), -1) for a in (found.dist, found.pos, found.frame)]
        )
        rows, right = np.array(sorted(map(tuple, rows[rows[:, 0] < 0]))), np.array(expected[walker][foot])
        crowded += len(right) > heightfields.CONTACTS
        sure = right[: heightfields.CONTACTS]
        sure = sure[sure[:, 0] < -2e-5]  # of what touches by less, 32 bits cannot tell
        assert len(sure) <= len(rows) <= len(sure) + 2
        # C finds what is under ground by iteration
        np.testing.assert_allclose(rows[: len(sure), :4], sure[:, :4], rtol=0, atol=5e-4 if walker % 4 == 0 else 3e-5)
        distinct = np.diff(sure[:, 0], prepend=-1.0) > 1e-4  # equally deep ones may come in another order
        np.testing.assert_allclose(rows[: len(sure), 4:7][distinct], sure[:, 4:7][distinct], rtol=0, atol=5e-3)
    assert crowded < 0.05 * 3 * walkers


def test_full_model_stands_on_the_ground():
    params = EnvParams(terrain_type="harmonic_sinusoidal", terrain_params="0 1 0.05 4")
    ground = heightfield.make_terrain(params, mujoco.MjModel.from_xml_string(WALKER))
    model = assembly.full_model("myolegs22", "none", "composed", ground)
    base = assembly.full_model("myolegs22", "none", "composed", ground)
    data, offset = mujoco.MjData(model), heightfield.lane_offset(ground, 2)
    variation.write(base, model, variation.Variation(lane=offset, slope=np.asarray(0.1)))
    floor = model.geom(FLOOR).id
    for x in (0.0, 7.3, 40.9):
        mujoco.mj_resetDataKeyframe(model, data, model.key("stand").id)
        data.qpos[model.joint("pelvis_tx").qposadr[0]] += x
        up = model.joint("pelvis_ty").qposadr[0]
        feet = [model.body(f"calcn_{side}").id for side in "rl"]
        mujoco.mj_kinematics(model, data)
        data.qpos[up] += max(heightfield.height(ground, offset, 0.1, *data.xpos[foot][:2]) for foot in feet) + 0.05
        touching = None
        for _ in range(200):  # let down until a foot touches
            data.qpos[up] -= 0.001
            mujoco.mj_forward(model, data)
            if data.ncon:
                touching = data.contact[0]
                break
        assert touching is not None and floor in touching.geom
        assert touching.pos[2] == pytest.approx(heightfield.height(ground, offset, 0.1, *touching.pos[:2]), abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["mjx", "warp"])
def test_walkers_on_rough_ground_step_as_in_c(reduced, gait, backend):
    """From every state of C's half second one control step further, each walker on its lane."""
    envs, rng = 16, np.random.default_rng(0)
    ground = heightfield.make_terrain(ROUGH, reduced.model)
    xml = heightfield.with_ground(reduced.xml, ground)
    c_backend = make_physics("mujoco", xml, agreement.SUBSTEPS, envs, num_threads=2)
    model, data = c_backend.model, mujoco.MjData(c_backend.model)
    qpos, qvel, _ = sample(gait, np.arange(envs) / envs, 1.25)
    feet = [g for g in range(model.ngeom) if model.geom(g).name[:6] in ("r_foot", "l_foot", "r_toes", "l_toes")]
    lanes = heightfield.lane_offset(ground, np.arange(envs) % ground.n_variants)
    forward, up = (model.joint(name).qposadr[0] for name in ("pelvis_tx", "pelvis_ty"))
    qpos[:, forward] = rng.uniform(4, 70, envs)
    for env in range(envs):  # the lowest foot 3 mm deep
        data.qpos[:] = qpos[env]
        mujoco.mj_kinematics(model, data)
        x, y, z = data.geom_xpos[feet].T
        qpos[env, up] -= (
            z - model.geom_size[feet, 0] - heightfield.height(ground, lanes[env], 0.0, x, y)
        ).min() + 0.003
    reset = jax.vmap(lambda q, v: reset_state(model, q, v, jnp.full(model.na, 0.01)))
    start = reset(jnp.float32(qpos), jnp.float32(qvel))
    differs = variation.Variation(lane=jnp.float32(lanes))
    controls = agreement.random_controls(model, 1, envs)
    c_step = jax.jit(jax.vmap(c_backend.step))
    rollouts = [agreement.rollout(lambda s, c: c_step(s, c, differs), start, controls[0])]
    step = jax.jit(jax.vmap(make_physics(backend, xml, agreement.SUBSTEPS, envs).step))
    tolerances_of_c = agreement.assert_control_steps_match(
        model, lambda s, c: step(s, c, differs), start, controls, rollouts, grazes=0.1
    )
    assert tolerances_of_c[0] > 500.0  # N: the feet did carry
