"""Which backend a name stands for."""

import jax
import pytest

from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.make import resolve_backend


@pytest.mark.parametrize(("platform", "backend"), [("gpu", "warp"), ("tpu", "mjx"), ("cpu", "compiled")])
def test_auto_picks_the_platforms_backend(monkeypatch, platform, backend):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    monkeypatch.setattr(build, "compiler", lambda: ["c++"])
    assert resolve_backend("auto") == backend
    assert resolve_backend("mjx") == "mjx"
