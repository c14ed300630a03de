"""A controller of the user's own: the same in training and replay, and imported only where it is asked for."""

import dataclasses
import os
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from controlled import controlled
from printed import example

from mjx_assist.cli.main import main
from mjx_assist.config.device import Gains, Impedance, OwnController
from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies import trials
from mjx_assist.policy import bundle as bundles
from mjx_assist.sim.device.controller import make_controller
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training.export import load_policy

DT = 1 / 30


@pytest.fixture
def own_package(tmp_path, monkeypatch):
    """The package that docs/extending.md prints, where Python finds it, here and in processes that are started."""
    (tmp_path / "my_package").mkdir()
    more = "\n\ndef one(felt, xp):\n    return 3.0\n\n\ndef three(felt, xp):\n    return xp.ones(3)\n"
    (tmp_path / "my_package" / "controllers.py").write_text(example("A device controller") + more)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    yield
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


@pytest.fixture
def spring_file(tmp_path, own_package):
    """The printed settings as a file."""
    (tmp_path / "spring.json").write_text(example("A device controller", "json"))
    return str(tmp_path / "spring.json")


SPRING = "my_package.controllers:swing_spring"
PRINTED = OwnController(SPRING, "*ankle_angle*", "N*m", {"stiffness": 30.0, "rest": 0.1})
SAME = Impedance(joint="*ankle_angle*", swing=Gains(30.0, 0.0, 0.1))  # ours that does as the printed one


@pytest.mark.parametrize(("unit", "per"), [("N*m", 1.0), ("N*m/kg", 0.0)])
def test_the_printed_controller_is_the_same_spring_in_jax_and_in_numpy(own_package, reduced, unit, per):
    own = dataclasses.replace(PRINTED, torque_unit=unit)
    ours, theirs = (make_controller(s, reduced.model, DT, may_import=True) for s in (SAME, own))
    scale = per or ours.body_weight / 9.81
    rng, stances = np.random.default_rng(0), set()
    for _ in range(10):
        qpos, qvel = rng.uniform(-0.4, 0.4, reduced.model.nq), rng.uniform(-3, 3, reduced.model.nv)
        clock = ours.start()._replace(loaded=rng.random(2) < 0.5)
        stances |= set(clock.loaded.tolist())
        expected = scale * ours.wanted(clock, qpos, qvel)
        np.testing.assert_allclose(theirs.wanted(clock, qpos, qvel), expected, rtol=1e-12)
        in_jax = jax.jit(lambda *body: theirs.wanted(*body, jnp))(clock, jnp.asarray(qpos), jnp.asarray(qvel))
        np.testing.assert_allclose(in_jax, expected, rtol=1e-5, atol=1e-4)
    assert stances == {True, False}


def test_the_env_trains_with_the_printed_controller(own_package, reduced, gait):
    """Three steps of an env with it are those with ours that does the same."""
    params = EnvParams(backend="mujoco", num_envs=2)
    envs = [AssistEnv(dataclasses.replace(params, device_controller=s), reduced, gait) for s in (SAME, PRINTED, None)]
    ends = []
    for env in envs:
        state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(0), 2))
        step = jax.jit(jax.vmap(env.step))
        for _ in range(3):
            state = step(state, jnp.tile(jnp.asarray(env.action_spec.neutral), (2, 1)))
        ends.append(np.asarray(state.pipeline_state.physics.qpos))
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    assert np.abs(ends[0] - ends[2]).max() > 1e-3


def test_replay_imports_the_controller_that_is_asked_for(spring_file, untrained_bundle):
    for choice in (spring_file, PRINTED):
        record = replay(with_controller(untrained_bundle, choice), steps=8, seed=2)
        ours = replay(controlled(untrained_bundle, SAME), steps=8, seed=2)
        assert record.controller == SPRING
        np.testing.assert_allclose(record.device_torque, ours.device_torque, atol=1e-9)
    assert np.abs(record.device_torque).max() > 0.1


def test_processes_of_a_sweep_import_it_too(spring_file, untrained_bundle):
    bundle = with_controller(untrained_bundle, spring_file)
    assert [outcome["steps"] for _, outcome in trials.run([bundle], [trials.Trial(0, "reduced", 0.1, 0)])] == [3]


def test_a_policy_opens_and_is_refused_without_an_import(untrained_bundle, tmp_path, monkeypatch, capsys):
    """The package here ends the process that imports it."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "package_of_someone.py").write_text("raise SystemExit('imported')")
    settings = OwnController("package_of_someone:torque", parameters={"gain": 2})
    bundles.save(controlled(untrained_bundle, settings), tmp_path / "policy")
    bundle = load_policy(tmp_path / "policy")
    assert bundle.config.env_params.device_controller == settings
    with pytest.raises(UserError, match=r"--controller FILE\.json") as refused:
        replay(bundle, steps=2)
    assert main(["evaluate", str(tmp_path / "policy"), "--episodes", "1", "--steps", "2"]) == 2
    assert "'package_of_someone:torque' is a function of somebody's own" in capsys.readouterr().err
    assert "package_of_someone" not in sys.modules
    told = re.search(r"with (\{.*\}) in the file", str(refused.value))[1]  # what it says does help
    (tmp_path / "asked.json").write_text(told)
    for asked in (str(tmp_path / "asked.json"), settings):
        with pytest.raises(SystemExit, match="imported"):
            with_controller(bundle, asked)
    walks = replay(with_controller(bundle, "zero_torque"), steps=2)
    assert walks.controller == "zero_torque"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (OwnController("my_package.controllers:swing_sprin"), "Did you mean 'swing_spring'"),
        (OwnController("my_package.control:swing_spring"), "cannot be imported (No module named 'my_package.control')"),
        (OwnController(SPRING, parameters={"stifness": 3.0}), "unexpected keyword argument 'stifness'. Allowed: those"),
        (OwnController("my_package.controllers:three"), "must return a torque for each motor (2,), returned (3,)"),
        (OwnController(SPRING, joint="*hip*"), "ankle_angle_l, ankle_angle_r"),
        (OwnController(SPRING, torque_unit="Nm"), "torque_unit"),
        (OwnController("swing_spring"), "'swing_spring' names no function. Allowed: package.module:function"),
    ],
)
def test_an_own_controller_that_cannot_be_is_told(own_package, untrained_bundle, settings, told):
    with pytest.raises(UserError, match=re.escape(told)):
        replay(with_controller(untrained_bundle, settings), steps=1)


def test_one_torque_stands_for_every_motor(own_package, reduced):
    controller = make_controller(OwnController("my_package.controllers:one"), reduced.model, DT, may_import=True)
    body = np.zeros(reduced.model.nq), np.zeros(reduced.model.nv)
    np.testing.assert_array_equal(controller.wanted(controller.start(), *body), [3.0, 3.0])
