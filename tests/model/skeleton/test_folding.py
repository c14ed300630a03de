"""Chains, loops and kept couplings on small mechanisms with known answers."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.skeleton.coupling import read_coupling, reduced_joints
from mjx_assist.model.skeleton.folding import Sweeps, kept_joints
from mjx_assist.model.skeleton.loops import Loops
from mjx_assist.model.skeleton.skeleton import read_skeleton

BALL = '<geom size="0.02" mass="{mass}" contype="1"/>'


def model(bodies: str, equality: str) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(
        f'<mujoco><compiler angle="radian"/><worldbody>{bodies}</worldbody><equality>{equality}</equality></mujoco>'
    )


def nested(*parts: str) -> str:
    """Bodies within bodies, each 0.3 m along x from the one before."""
    text = ""
    for part in reversed(parts):
        text = f'<body pos="0.3 0 0">{part}{text}</body>'
    return text


def names(full: mujoco.MjModel, joints: list[int]) -> list[str]:
    return [full.joint(j).name for j in joints]


def test_chains_of_couplings_are_composed_exactly():
    """c follows b follows a, all with reference angles: a polynomial of degree 4 of a quartic."""
    full = model(
        nested(
            *(
                f'<joint name="{n}" axis="0 1 0" ref="{r}"/>{BALL.format(mass=1)}'
                for n, r in zip("abc", (0.2, -0.1, 0.3), strict=True)
            )
        ),
        '<joint joint1="c" joint2="b" polycoef="0.05 0.5 0.3 -0.2 0.1"/>'
        '<joint joint1="b" joint2="a" polycoef="-0.02 -0.9 0.1 0.05 0.2"/>',
    )
    coupling = read_coupling(full)
    assert coupling.polycoef.shape == (3, 17) and names(full, reduced_joints(full, coupling)) == ["a"]
    b = lambda a: -0.1 - 0.02 - 0.9 * (a - 0.2) + 0.1 * (a - 0.2) ** 2 + 0.05 * (a - 0.2) ** 3 + 0.2 * (a - 0.2) ** 4  # noqa: E731
    for angle in (-0.6, 0.0, 0.7):
        follow = b(angle) + 0.1
        c = 0.3 + 0.05 + 0.5 * follow + 0.3 * follow**2 - 0.2 * follow**3 + 0.1 * follow**4
        np.testing.assert_allclose(coupling.lift(np.array([angle])), [angle, b(angle), c], atol=1e-12)
        step = 1e-6
        numeric = (coupling.lift(np.array([angle + step])) - coupling.lift(np.array([angle - step]))) / (2 * step)
        np.testing.assert_allclose(coupling.slope(np.array([angle])), numeric, atol=1e-7)


def test_a_joint_without_driver_is_constant():
    full = model(
        nested(f'<joint name="a"/>{BALL.format(mass=1)}', f'<joint name="b" ref="0.4"/>{BALL.format(mass=1)}'),
        '<joint joint1="b" polycoef="0.1 0 0 0 0"/>',
    )
    np.testing.assert_allclose(read_coupling(full).lift(np.array([0.7])), [0.7, 0.5], atol=1e-12)


def test_couplings_in_a_circle_are_refused():
    joints = [f'<joint name="{n}"/>{BALL.format(mass=1)}' for n in "ab"]
    circle = '<joint joint1="a" joint2="b"/><joint joint1="b" joint2="a"/>'
    with pytest.raises(UserError, match="'a' is coupled to itself"):
        read_coupling(model(nested(*joints), circle))


@pytest.mark.parametrize(("mass", "slope", "kept"), [(0.1, 0.5, []), (1.0, 0.5, ["b"]), (1.0, 0.002, [])])
def test_heavy_bodies_that_move_keep_their_joint(mass, slope, kept):
    """A coupled hinge: folded where its body is light, or heavy and hardly moving; kept where it is heavy and moves."""
    full = model(
        nested(
            f'<joint name="a" axis="0 1 0"/>{BALL.format(mass=1)}',
            f'<joint name="b" axis="0 1 0"/>{BALL.format(mass=mass)}',
        ),
        f'<joint joint1="b" joint2="a" polycoef="0 {slope} 0 0 0"/>',
    )
    folded, ranges = read_coupling(full), {0: (-1.0, 1.0)}
    found = kept_joints(Sweeps(full, folded, ranges))
    assert names(full, found) == kept
    coupling = read_coupling(full, found)
    skeleton = read_skeleton(full, coupling, ranges, folded)
    assert names(full, skeleton.joints) == ["a", *kept] and len(skeleton.segments) == 2 + len(kept)
    assert sum(s.inertial.mass for s in skeleton.segments) == pytest.approx(full.body_mass.sum())


def test_a_body_that_a_loop_holds_follows_it():
    """A parallelogram: the coupler of a four-bar linkage keeps its direction whatever the crank does."""
    bar = '<geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.01" mass="{m}" contype="1"/>'
    coupler = '<geom type="capsule" fromto="0 0 0 0.1 0 0" size="0.01" mass="0.1" contype="1"/>'
    full = model(
        f"""<body name="crank"><joint name="crank" axis="0 1 0" range="-0.8 0.8" limited="true"/>{bar.format(m=2)}
              <body name="coupler" pos="0 0 -0.2"><joint name="coupler" axis="0 1 0"/>{coupler}</body></body>
            <body name="rocker" pos="0.1 0 0"><joint name="rocker" axis="0 1 0"/>{bar.format(m=1)}</body>""",
        '<connect body1="rocker" body2="coupler" anchor="0 0 -0.2"/>',
    )
    coupling = read_coupling(full)
    assert names(full, reduced_joints(full, coupling)) == ["crank"]
    for angle in (-0.8, -0.3, 0.0, 0.5):
        lifted = coupling.lift(np.array([angle]))
        np.testing.assert_allclose(lifted, [angle, -angle, angle], atol=2e-3)
        assert np.abs(Loops(full).gap(lifted)).max() < 5e-4


def test_what_an_amputation_leaves_behind_is_still():
    """Light bodies that carry nothing hang on joints without couplings: they do not become degrees of freedom."""
    dust = '<body><joint name="dust" type="slide"/><geom size="0.01" mass="0.001" contype="0" conaffinity="0"/></body>'
    full = model(f'<body><joint name="a"/>{BALL.format(mass=1)}{dust}</body>', "")
    coupling = read_coupling(full)
    assert names(full, reduced_joints(full, coupling)) == ["a"]
    assert coupling.lift(np.array([0.3])).tolist() == [0.3, 0.0]
