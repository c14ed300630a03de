"""Warp takes C MuJoCo's step, and says what it has no room for."""

import re
import sys

import agreement
import everything
import jax
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.sim.physics import warp
from mjx_assist.sim.physics.make import make_physics


@pytest.mark.slow  # compiles Warp's kernels: minutes the first time
def test_warp_takes_c_mujocos_control_step_and_follows_it(reduced, c_backend, start, controls, c_rollouts, determined):
    pytest.importorskip("warp")
    step = jax.jit(jax.vmap(make_physics("warp", reduced.xml, agreement.SUBSTEPS, agreement.ENVS).step))
    agreement.assert_loaded_steps_match(c_backend.model, step, start, controls, c_rollouts)
    agreement.assert_follows(c_backend.model, step, start, controls, c_rollouts, determined)


@pytest.mark.slow
def test_warp_takes_c_mujocos_step_with_everything_but_dry_friction():
    """Which it does not solve as C does, and is not asked to."""
    pytest.importorskip("warp")
    dry = everything.KINDS.mjCNSTR_FRICTION_DOF, everything.KINDS.mjCNSTR_FRICTION_TENDON
    everything.assert_takes_cs_step("warp", re.sub(r' frictionloss="[0-9.]+"', "", everything.XML), dry)


@pytest.mark.slow
def test_warp_reports_what_it_has_no_room_for(reduced, start, controls):
    pytest.importorskip("warp")
    for headroom, overflow in ((1.25, 0.0), (0.1, 1.0)):
        backend = warp.WarpPhysics(reduced.xml, agreement.SUBSTEPS, agreement.ENVS, headroom=headroom)
        after = jax.jit(jax.vmap(backend.step))(start, controls[0][0])
        np.testing.assert_array_equal(after.overflow, overflow)


def test_warp_refuses_dry_friction():
    pytest.importorskip("warp")
    with pytest.raises(UserError, match=r"joint 'ankle' has frictionloss 0\.8"):
        make_physics("warp", everything.XML, 1, 1)


def test_warp_without_warp_lang_says_what_to_install(monkeypatch, reduced):
    monkeypatch.setitem(sys.modules, "warp", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[cuda\]'"):
        make_physics("warp", reduced.xml, agreement.SUBSTEPS, 2)
