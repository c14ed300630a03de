"""Fixtures that many tests share: the reduced model, an untrained policy's bundle made without JAX, quick training."""

import os
from pathlib import Path

import numpy as np
import pytest

from mjx_assist.config.schema import RunConfig
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.names import actuator_names, is_muscle, mirror
from mjx_assist.model.reduction import ReducedModel, reduce_model
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.policy import HeadWeights, MirrorWeights, Policy
from mjx_assist.reference import healthy
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim import action, observation
from mjx_assist.training import run as run_module

# Read when JAX starts: compiled programs are kept in the checkout, so a second run of the tests compiles little.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
# A test compiles much and computes little: without optimization XLA takes a fifth of the time. `XLA_FLAGS= make test`
# tests the programs as training compiles them, and so does `make test-all` with its slow tests, which compute much.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")


@pytest.fixture(scope="session")
def reduced() -> ReducedModel:
    """myolegs22 with Tutorial_L1, reduced."""
    return reduce_model("myolegs22", "Tutorial_L1")


@pytest.fixture(scope="session")
def report(reduced: ReducedModel) -> dict:
    """How true that model is to the full one, without its motions."""
    return fidelity(reduced, dynamics=False)


@pytest.fixture(scope="session")
def gait(reduced: ReducedModel) -> ReferenceGait:
    """The healthy reference gait of that model."""
    return healthy.healthy_gait(reduced.model)


@pytest.fixture(scope="session")
def untrained_bundle(reduced: ReducedModel, gait: ReferenceGait) -> bundles.Bundle:
    """A bundle that can walk a few steps and then falls: small random weights, mirrored heads."""
    config = RunConfig()
    env = config.env_params
    spec = observation.make_spec(
        reduced.model,
        env.observation_joint_pos_keys,
        env.observation_joint_vel_keys,
        env.observation_joint_sensor_keys,
        env.observe_gait_phase,
    )
    actuators = actuator_names(reduced.model)
    index, sign = mirror(spec.names)
    partner = mirror(actuators)[0]
    muscle = is_muscle(reduced.model)
    right = np.flatnonzero(np.arange(len(actuators)) < partner)
    heads = (("human_actor", right[muscle[right]], -0.8), ("exo_actor", right[~muscle[right]], 0.0))
    rng = np.random.default_rng(0)
    policy = Policy(
        heads=tuple(_head(name, spec.size, driven, bias, rng) for name, driven, bias in heads),
        mean=np.zeros(spec.size, np.float32),
        std=np.ones(spec.size, np.float32),
        neutral=action.make_action_spec(reduced.model).neutral,
        mirror=MirrorWeights(index, sign, partner),
    )
    return bundles.Bundle(
        config=config,
        xml=reduced.xml,
        coupling=reduced.coupling,
        gait=gait,
        observation=spec,
        policy=policy,
        info={"mjx_assist": "test", "control_steps": 0, "wall_s": None},
        learning_curve=tuple(_log_row(update) for update in range(1, 4)),
    )


@pytest.fixture
def bundle_path(untrained_bundle: bundles.Bundle, tmp_path: Path) -> Path:
    """The untrained bundle as a folder of its own, free to be damaged."""
    path = tmp_path / "untrained"
    bundles.save(untrained_bundle, path)
    return path


@pytest.fixture
def quick_gait(monkeypatch: pytest.MonkeyPatch, untrained_bundle):
    """The shipped reference gait without fitting it again."""
    monkeypatch.setattr(healthy, "healthy_gait", lambda model, name="schwartz2008": untrained_bundle.gait)


@pytest.fixture(autouse=True)
def no_compilation_cache(monkeypatch: pytest.MonkeyPatch):
    """Leave JAX's settings in this process and the user's cache folder alone."""
    monkeypatch.setattr(run_module, "_use_compilation_cache", lambda: None)


@pytest.fixture(autouse=True, scope="session")
def shared_training_programs():
    """A small run compiles nothing that a run before it in this process has compiled."""
    import shared_programs  # starts JAX, which reads the settings above

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_programs.loop, "open_run", shared_programs.open_run)
        yield


def _log_row(update: int) -> dict:
    steps = 1000 * update
    return {"control_steps": steps, "wall_s": update * 1.0, "steps_per_s": 1e3, "reward": 0.1, "episode_length": 9.0}


def _head(name: str, size: int, driven: np.ndarray, bias: float, rng: np.random.Generator) -> HeadWeights:
    layers = (
        (rng.normal(0.0, 0.1, (size, 8)).astype(np.float32), np.zeros(8, np.float32)),
        (rng.normal(0.0, 0.1, (8, driven.size)).astype(np.float32), np.full(driven.size, bias, np.float32)),
    )
    return HeadWeights(name, np.arange(size), driven, True, layers)
