"""Commanded speeds: what each mode does over time, and that training and replay are given the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.config.words import VELOCITY_MODES
from mjx_assist.sim import command

SPEED, PERIOD = (0.8, 1.6), (2.0, 4.0)
DRAWS = command.N_LEVELS + 2


def test_uniform_is_one_speed_anywhere_in_the_range():
    limits = command.CommandRange("UNIFORM", SPEED, PERIOD)
    rng = np.random.default_rng(0)
    speeds = []
    for _ in range(300):
        wish = command.sample(limits, rng.uniform(size=DRAWS))
        assert len({float(command.target_velocity(wish, t)) for t in (0.0, 1.0, 50.0)}) == 1
        speeds.append(float(command.target_velocity(wish, 0.0)))
    assert 0.8 <= min(speeds) < 0.82 and 1.58 < max(speeds) <= 1.6
    assert np.mean(speeds) == pytest.approx(1.2, abs=0.05)


def test_sinusoidal_swings_over_the_whole_range_from_a_random_point():
    limits = command.CommandRange("SINUSOIDAL", SPEED, PERIOD)
    wish = command.sample(limits, np.zeros(DRAWS))._replace(period=3.0, offset=0.25)
    at = [float(command.target_velocity(wish, t)) for t in (0.0, 0.75, 1.5, 2.25, 3.0)]
    np.testing.assert_allclose(at, [1.6, 1.2, 0.8, 1.2, 1.6], atol=1e-9)


def test_step_holds_each_level_for_one_period():
    limits = command.CommandRange("STEP", SPEED, PERIOD)
    levels = np.linspace(0.8, 1.6, command.N_LEVELS)
    wish = command.sample(limits, np.zeros(DRAWS))._replace(levels=levels, period=2.0, offset=0.5)  # half of it is over
    at = [float(command.target_velocity(wish, t)) for t in (0.0, 0.99, 1.01, 2.99, 3.01)]
    np.testing.assert_allclose(at, levels[[0, 0, 1, 1, 2]])


@pytest.mark.parametrize("mode", VELOCITY_MODES)
def test_jax_and_numpy_command_the_same(mode):
    limits = command.CommandRange(mode, SPEED, PERIOD)
    uniform = np.random.default_rng(1).uniform(size=DRAWS).astype(np.float32)
    times = np.linspace(0.0, 30.0, 97, dtype=np.float32)
    wish = command.sample(limits, uniform)
    in_numpy = [float(command.target_velocity(wish, t)) for t in times]
    speed = jax.jit(lambda u, t: command.target_velocity(command.sample(limits, u, jnp), t, jnp))
    in_jax = [float(speed(uniform, t)) for t in times]
    np.testing.assert_allclose(in_jax, in_numpy, atol=1e-4)


def test_mixed_commands_are_of_all_three_kinds_within_the_range():
    limits, rng = command.CommandRange("MIXED", SPEED, PERIOD), np.random.default_rng(2)
    kinds = {"constant": 0, "steps": 0, "smooth": 0}
    for _ in range(300):
        wish = command.sample(limits, rng.uniform(size=DRAWS))
        at = np.array([float(command.target_velocity(wish, t)) for t in np.linspace(0, 30, 301)])
        assert at.min() >= SPEED[0] - 1e-9 and at.max() <= SPEED[1] + 1e-9
        changes = (np.abs(np.diff(at)) > 1e-9).mean()
        kinds["constant" if changes == 0 else "steps" if changes < 0.5 else "smooth"] += 1
    assert min(kinds.values()) > 70


def test_random_draws_each_mode_alike_and_swings_over_the_whole_range():
    limits = command.CommandRange("RANDOM", SPEED, PERIOD)
    rng = np.random.default_rng(1)
    wishes = [command.sample(limits, rng.uniform(size=DRAWS)) for _ in range(600)]
    modes = [int(wish.mode) for wish in wishes]
    assert [modes.count(mode) for mode in range(3)] == pytest.approx([200, 200, 200], abs=45)  # 4 standard deviations
    assert {tuple(map(float, wish.swing)) for wish in wishes} == {SPEED}
