"""What names and constants of a model are, against the models themselves."""

import mujoco
import pytest

from mjx_assist.model import assembly, names


@pytest.mark.parametrize("couplings", [assembly.RIGID, assembly.AS_COMPOSED])
def test_gravity_is_mujocos_and_the_models(couplings):
    assert list(mujoco.MjOption().gravity) == [0.0, 0.0, -names.GRAVITY]
    assert list(assembly.full_model("myolegs22", "none", couplings).opt.gravity) == [0.0, 0.0, -names.GRAVITY]


def test_body_weight_is_that_of_all_that_moves():
    spec = mujoco.MjSpec.from_string("""
        <mujoco><worldbody><geom type="plane" size="1 1 1"/>
          <body><freejoint/><geom size="0.1" mass="2"/><body><joint/><geom size="0.1" mass="0.5"/></body></body>
        </worldbody></mujoco>
    """)
    assert names.body_weight(spec.compile()) == pytest.approx(2.5 * 9.81)
