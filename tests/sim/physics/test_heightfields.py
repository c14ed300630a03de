"""Feet on rough ground: C MuJoCo's contacts are the judge."""

import agreement
import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from grounds import PLAIN, RADII, ROUGH, WALKER
from mujoco import mjx

from mjx_assist.config.schema import EnvParams
from mjx_assist.model import assembly, mjcf, variation
from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics import heightfields
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain import heightfield
from mjx_assist.terrain.heightfield import FLOOR


def _depth(rng, walker):
    """How deep (m) a foot is in the ground; in every fourth walker so that centres are under it."""
    return rng.uniform(0, 0.03 if walker % 4 == 0 else 0.008)


def test_walkers_of_one_batch_come_to_rest_each_on_its_lane():
    ground = heightfield.make_terrain(ROUGH, PLAIN)
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


def test_contacts_in_mjx_are_those_of_c():
    """Every contact's depth, place and frame, of spheres 8 to 30 mm deep on several lanes of one batch, tilted."""
    ground = heightfield.make_terrain(ROUGH, PLAIN)
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
    ground = heightfield.make_terrain(params, PLAIN)
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
@pytest.mark.parametrize("backend", ["compiled", "mjx", "warp"])
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
    for env in range(envs):  # 1 cm above: a sphere deep in a hollow touches more triangles than the four that count
        data.qpos[:] = qpos[env]
        mujoco.mj_kinematics(model, data)
        x, y, z = data.geom_xpos[feet].T
        qpos[env, up] -= (z - model.geom_size[feet, 0] - heightfield.height(ground, lanes[env], 0.0, x, y)).min() - 0.01
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
