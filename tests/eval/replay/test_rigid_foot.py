"""A prosthetic foot without a toe joint: heel and toes feel on the full model what they feel on the reduced one."""

import dataclasses

import mujoco
import numpy as np
import pytest

from mjx_assist.eval.replay.contact import ContactTape, RigidFoot
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference import cycle, healthy

STANCE = np.array([0.06, 0.15, 0.3, 0.45, 0.55])  # phases of the right leg's stance, heel strike to push-off

MOMENT = 1 / 120  # s: two of the reduced model's steps


@pytest.fixture(scope="module")
def prosthetic(untrained_bundle):
    """The bundle with a prosthetic ankle's body; its policy is not asked."""
    reduced = reduce_model("myolegs22", "OpenSourceLeg_A_L1")
    env = dataclasses.replace(untrained_bundle.config.env_params, device_key="OpenSourceLeg_A_L1")
    return dataclasses.replace(
        untrained_bundle,
        config=dataclasses.replace(untrained_bundle.config, env_params=env),
        xml=reduced.xml,
        coupling=reduced.coupling,
        gait=healthy.healthy_gait(reduced.model),
    )


def right_foot_loads(bundle, kind):
    """[phases, 2] N that heel and toes of the right foot feel a moment after it is put 1 cm into the ground."""
    walker, felt = Walker(bundle, kind), []
    for phase in STANCE:
        qpos, qvel, _ = cycle.sample(bundle.gait, phase, 1.25)
        qpos[walker.joint_names.index("pelvis_ty")] -= 0.01
        walker.reset(qpos, 0 * qvel, 0.3)
        for _ in range(round(MOMENT / walker.model.opt.timestep)):
            walker.step(np.where(walker.muscle, 0.3, 0.0))
        sensors = walker.state().sensordata
        felt.append([sensors[walker.reduced.sensor(name).adr[0]] for name in ("r_foot", "r_toes")])
    return np.array(felt)


def test_heel_and_toes_share_the_load_alike_on_both_models(prosthetic):
    reduced, full = (right_foot_loads(prosthetic, kind) for kind in ("reduced", "full"))
    shares = [loads[:, 1] / loads.sum(1) for loads in (reduced, full)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.1)
    assert shares[0][0] < 0.3 and shares[0][-1] > 0.9  # it rolls from heel to toe


@pytest.mark.parametrize("kind", ["reduced", "full"])
def test_a_record_has_the_loads_that_the_policy_felt(prosthetic, kind):
    walker = Walker(prosthetic, kind)
    qpos, qvel, _ = cycle.sample(prosthetic.gait, 0.2, 1.25)
    walker.reset(qpos, qvel, 0.3)
    for _ in range(round(0.02 / walker.model.opt.timestep)):
        walker.step(np.where(walker.muscle, 0.3, 0.0))
    felt = walker.sensors_from(walker.contact_forces()[1])
    touch = [walker.reduced.sensor(name).adr[0] for name in ("r_foot", "r_toes", "l_foot", "l_toes")]
    np.testing.assert_allclose(felt[touch], walker.state().sensordata[touch], rtol=0.05, atol=5.0)


@pytest.mark.parametrize("place", [-0.05, 0.0, 0.05, 0.1, 0.2, 0.25])
def test_a_load_between_the_ends_is_shared_as_a_lever_does(place):
    """A sphere under a beam at rest: the toes bear the part of the way from heel to toe, ends beyond bear all."""
    model = mujoco.MjModel.from_xml_string(
        f"""<mujoco><worldbody><geom name="floor" type="plane" size="0 0 1"/>
        <body pos="3 0 0.1"><joint type="slide" axis="0 0 1"/>
          <geom type="sphere" size="0.1" pos="{place} 0 0" mass="5"/></body></worldbody></mujoco>"""
    )
    data = mujoco.MjData(model)
    for _ in range(2000):
        mujoco.mj_step(model, data)
    rigid = RigidFoot(0, 1, np.array([[0.0, 0.0, 0.0], [0.2, 0.0, 0.0]]))
    tape = ContactTape(model, 0, np.array([-1, 1]), rigid=[rigid])
    tape.add(data)
    toes = min(max(place / 0.2, 0.0), 1.0)
    expected = 5 * 9.81 * np.array([1.0 - toes, toes])
    np.testing.assert_allclose(tape.decode().load[0, 0], expected, atol=0.05)
