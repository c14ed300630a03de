"""Progress of walkers: the rules one by one, schedules against NumPy, and where populations of known ability settle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.curriculum import progress
from mjx_assist.curriculum.progress import Progress
from mjx_assist.curriculum.settings import Curriculum

SPEED = {"max_target_velocity": (1.25, 1.9)}
FULL, HALF, NONE = 1.0, 0.6, 0.1  # of the distance asked: above promote, between the two, below demote


def walker(level, steps=0):
    return Progress(np.int32(level), np.int32(steps))


def after(settings, level, covered, survived=True, tracking=0.0, uniform=0.0):
    """The next level."""
    return int(progress.finish(settings, walker(level), covered, tracking, survived, uniform).level)


# --- the rules


@pytest.mark.parametrize(
    ("level", "covered", "survived", "following"),
    [
        (2, FULL, True, 3),
        (2, FULL, False, 2),  # who falls on the last step is not lifted, nor lowered
        (2, HALF, True, 2),
        (2, NONE, True, 1),  # who stands still does not fall
        (2, NONE, False, 1),
        (0, NONE, False, 0),
        (2, 0.8, True, 3),  # promote itself is enough
        (2, 0.4, True, 2),  # demote itself too
    ],
)
def test_an_episode_moves_its_walker_by_one_level_at_most(level, covered, survived, following):
    assert after(Curriculum(levels=5, by_level=SPEED), level, covered, survived) == following


@pytest.mark.parametrize(("tracking", "following"), [(0.19, 3), (0.2, 3), (0.21, 2)])
def test_tracking_holds_back_who_walks_far_but_unlike_the_reference(tracking, following):
    settings = Curriculum(levels=5, by_level=SPEED, promote_tracking=0.2)
    assert after(settings, 2, FULL, tracking=tracking) == following


def test_tracking_counts_only_where_a_limit_is_given():
    assert after(Curriculum(levels=5, by_level=SPEED), 2, FULL, tracking=9.0) == 3


def test_masters_of_the_highest_level_go_on_at_all_levels_alike():
    settings = Curriculum(levels=4, by_level=SPEED)
    uniform = (np.arange(400) + 0.5) / 400
    level = progress.finish(settings, Progress(np.full(400, 3), np.zeros(400)), FULL, 0.0, True, uniform).level
    np.testing.assert_array_equal(np.bincount(level), [100, 100, 100, 100])
    assert after(settings, 3, FULL, uniform=1.0) == 3  # a float just under 1 may be 1 in single precision


def test_walkers_begin_at_all_levels_up_to_the_start_level_alike():
    settings = Curriculum(levels=9, start_level=3, by_level=SPEED)
    begun = progress.begin(settings, (np.arange(400) + 0.5) / 400)
    np.testing.assert_array_equal(np.bincount(begun.level), [100, 100, 100, 100])
    np.testing.assert_array_equal(begun.steps, 0)
    assert progress.begin(settings, 1.0).level == 3


def test_an_episodes_end_leaves_the_count_of_steps():
    settings = Curriculum(levels=5, by_level=SPEED)
    assert progress.finish(settings, walker(2, 700), FULL, 0.0, True, 0.0).steps == 700


# --- values


def test_values_by_level_are_evenly_spaced_between_the_two_given():
    settings = Curriculum(levels=6, by_level=SPEED)
    speeds = [progress.values(settings, walker(k), 1)["max_target_velocity"] for k in range(6)]
    np.testing.assert_allclose(speeds, np.linspace(1.25, 1.9, 6))


POINTS = ((1e5, 1.0), (4e5, 0.25), (5e7, 0.0))


@pytest.mark.parametrize("num_envs", [1, 256, 4096])
def test_values_by_step_are_interpolated_over_the_control_steps_of_all_walkers(num_envs):
    settings = Curriculum(by_step={"safe_height": POINTS})
    total = np.concatenate([np.linspace(0, 6e5, 40), np.linspace(1e6, 1e8, 40), [1e5, 4e5, 5e7]])
    steps = (total // num_envs).astype(np.int32)
    expected = np.interp(steps * float(num_envs), *zip(*POINTS, strict=True))
    for xp in (np, jnp):
        one = progress.values(settings, Progress(xp.zeros_like(steps), xp.asarray(steps)), num_envs, xp)
        np.testing.assert_allclose(one["safe_height"], expected, rtol=1e-5, atol=1e-6)


def test_a_schedule_does_not_overflow_where_steps_times_walkers_does():
    settings = Curriculum(by_step={"safe_height": ((0.0, 0.0), (1e10, 1.0))})
    now = Progress(jnp.int32(0), jnp.int32(1_000_000))
    assert progress.values(settings, now, 8192, jnp)["safe_height"] == pytest.approx(0.8192, rel=1e-5)


def test_only_what_is_scheduled_has_a_value():
    settings = Curriculum(by_level=SPEED, by_step={"safe_height": POINTS})
    assert set(progress.values(settings, walker(0), 1)) == {"max_target_velocity", "safe_height"}


# --- what is logged


def test_metrics_average_to_shares_and_rates_of_success_by_level():
    settings = Curriculum(levels=3, by_level=SPEED)
    level = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    ended = np.array([1, 1, 0, 1, 0, 1, 1, 1.0])
    lifted = np.array([1, 0, 1, 1, 1, 0, 1, 0.0])  # where nothing ended it means nothing
    logged = progress.metrics(settings, Progress(level, np.full(8, 10)), 8, ended, lifted)
    mean = {name: np.mean(x) for name, x in logged.items()}
    assert mean["level"] == pytest.approx(1.0)
    np.testing.assert_allclose([mean[f"level_share/{k}"] for k in range(3)], [3 / 8, 2 / 8, 3 / 8])
    rate = [mean[f"level_promoted/{k}"] / mean[f"level_ended/{k}"] for k in range(3)]
    np.testing.assert_allclose(rate, [1 / 2, 1, 1 / 3])
    assert mean["curriculum/max_target_velocity"] == pytest.approx(1.25 + 0.65 / 2)


def test_a_schedule_alone_has_no_levels_to_log():
    settings = Curriculum(by_step={"safe_height": POINTS})
    assert set(progress.metrics(settings, walker(0), 1, 0.0, 0.0)) == {"curriculum/safe_height"}


# --- populations


def simulate(settings, ability, walkers=4096, episodes=400, seed=0):
    """Levels ``[episodes, walkers]`` of walkers who succeed at level k with probability ``ability[k]``, else fall."""
    ability = jnp.asarray(ability)

    def episode(level, key):
        chance, draw = jax.random.split(key)
        good = jax.random.uniform(chance, (walkers,)) < ability[level]
        covered, uniform = jnp.where(good, FULL, NONE), jax.random.uniform(draw, (walkers,))
        now = Progress(level, jnp.zeros_like(level))
        level = progress.finish(settings, now, covered, 0.0, good, uniform, jnp).level
        return level, level

    start = progress.begin(settings, jax.random.uniform(jax.random.PRNGKey(seed + 1), (walkers,)), jnp).level
    return np.asarray(jax.lax.scan(episode, start, jax.random.split(jax.random.PRNGKey(seed), episodes))[1])


def settled(ability):
    """Shares of the levels in the long run: the Markov chain's own vector of eigenvalue 1."""
    n = len(ability)
    chain = np.zeros((n, n))
    for k, p in enumerate(ability):
        chain[k, max(k - 1, 0)] += 1 - p
        chain[k] += p * (np.arange(n) == k + 1 if k + 1 < n else np.full(n, 1 / n))
    eigenvalues, vectors = np.linalg.eig(chain.T)
    vector = np.real(vectors[:, np.argmin(np.abs(eigenvalues - 1))])
    return vector / vector.sum()


def logistic(levels, half, slope=1.0):
    """Success by level, one half at level ``half``."""
    return 1 / (1 + np.exp(slope * (np.arange(levels) - half)))


@pytest.mark.parametrize("ability", [logistic(10, 4), logistic(10, 6.5, 2.0), logistic(10, 12), np.full(10, 0.9)])
def test_a_population_settles_as_the_markov_chain_of_its_ability(ability):
    levels = simulate(Curriculum(levels=10, by_level=SPEED), ability)[200:]
    shares = np.bincount(levels.ravel(), minlength=10) / levels.size
    np.testing.assert_allclose(shares, settled(ability), atol=0.004)


@pytest.mark.parametrize("half", [2.0, 4.5, 7.0])
def test_a_population_settles_where_half_of_its_episodes_succeed(half):
    """Up by one and down by one balance where both are as likely."""
    levels = simulate(Curriculum(levels=10, by_level=SPEED), logistic(10, half, 2.0))[200:]
    assert levels.mean() == pytest.approx(half, abs=0.15)


def test_a_population_that_learns_rises_level_by_level_and_then_sees_all_of_them():
    settings, sure = Curriculum(levels=6, by_level=SPEED), np.ones(6)
    levels = simulate(settings, sure, episodes=300)
    for episode in range(5):
        assert (levels[episode] == episode + 1).all()
    shares = np.bincount(levels[100:].ravel()) / levels[100:].size
    np.testing.assert_allclose(shares, np.arange(1, 7) / 21, atol=0.004)  # back at k or below, and up again


def test_the_same_key_gives_the_same_levels_and_another_key_others():
    settings = Curriculum(levels=10, start_level=5, by_level=SPEED)
    first, again, other = (simulate(settings, logistic(10, 5), 64, 20, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_jax_and_numpy_follow_the_same_rules():
    settings, draw = Curriculum(levels=7, start_level=6, promote_tracking=0.3, by_level=SPEED), np.random.default_rng(0)
    uniform, covered, tracking, again = draw.random((4, 500)).astype(np.float32)
    survived = draw.random(500) < 0.8
    made = {}
    for xp in (np, jnp):
        now = progress.begin(settings, xp.asarray(uniform), xp)
        told = (xp.asarray(x) for x in (covered + 0.2, tracking, survived, again))
        made[xp] = progress.finish(settings, now, *told, xp=xp)
    np.testing.assert_array_equal(made[np].level, made[jnp].level)
    assert set(np.unique(made[np].level)) == set(range(7))
