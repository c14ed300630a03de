"""Actor heads: mirror symmetry, disabled heads, densities against scipy, NumPy inference against Flax."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from brax.training.acme import running_statistics

from mjx_assist.ppo import gaussian, networks, rollout
from mjx_assist.training.export import numpy_policy

N_OBS = 6
MIRROR = networks.Mirror((1, 0, 3, 2, 4, 5), (1.0, 1.0, 1.0, 1.0, 1.0, -1.0), (2, 3, 0, 1, 5, 4))


def spec(mirror=MIRROR, **options):
    """Actuators 0..3 are muscles (0, 1 right; 2, 3 left), 4 and 5 a device on each side."""
    sides = ((0, 1), (4,)) if mirror else ((0, 1, 2, 3), (4, 5))
    heads = (
        networks.Head("human", (0, 1, 2, 3, 4, 5), sides[0], (16, 16), -0.9, -1.0),
        networks.Head("device", (2, 3, 5), sides[1], (8,), 0.0, -2.0, **options),
    )
    return networks.PolicySpec(heads, (0, 1, 2, 3, 4, 5), (16,), (-1.0,) * 4 + (0.0,) * 2, mirror)


def build(policy_spec, seed=0):
    """(module, parameters with every layer well away from its start)."""
    model = networks.ActorCritic(policy_spec)
    params = model.init(jax.random.PRNGKey(seed), jnp.zeros((1, N_OBS)))
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.PRNGKey(seed + 1), len(leaves))
    noisy = [x + 0.3 * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)]
    return model, jax.tree.unflatten(tree, noisy)


@pytest.fixture(scope="module")
def observations():
    return np.random.default_rng(0).normal(size=(32, N_OBS)).astype(np.float32)


def test_mirrored_observation_gives_mirrored_action_and_equal_value(observations):
    model, params = build(spec())
    other = observations[:, MIRROR.observation] * np.array(MIRROR.observation_sign)
    mean, log_std, value = model.apply(params, observations)
    mean_other, _, value_other = model.apply(params, other)
    np.testing.assert_allclose(mean_other, np.asarray(mean)[:, MIRROR.action], atol=1e-5)
    np.testing.assert_allclose(value_other, value, atol=1e-5)
    np.testing.assert_array_equal(log_std, np.asarray(log_std)[list(MIRROR.action)])
    assert np.abs(np.asarray(mean)[:, :2] - np.asarray(mean)[:, 2:4]).max() > 0.1  # not merely equal sides


def test_without_a_mirror_sides_are_free(observations):
    model, params = build(spec(mirror=None))
    mean, _, _ = model.apply(params, observations)
    other = observations[:, MIRROR.observation] * np.array(MIRROR.observation_sign)
    assert np.abs(model.apply(params, other)[0] - np.asarray(mean)[:, MIRROR.action]).max() > 0.1


def test_untrained_heads_output_their_initial_action(observations):
    policy_spec = spec()
    model = networks.ActorCritic(policy_spec)
    params = model.init(jax.random.PRNGKey(0), jnp.zeros((1, N_OBS)))
    mean, log_std, _ = model.apply(params, observations)
    np.testing.assert_allclose(np.asarray(mean)[:, :4], -0.9, atol=0.1)
    np.testing.assert_allclose(np.asarray(mean)[:, 4:], 0.0, atol=0.1)
    np.testing.assert_allclose(log_std, [-1.0] * 4 + [-2.0] * 2)


def test_disabled_head_is_neutral_and_out_of_the_density(observations):
    policy_spec = spec(enabled=False)
    model, params = build(policy_spec)
    mean, log_std, _ = model.apply(params, observations)
    np.testing.assert_array_equal(np.asarray(mean)[:, 4:], 0.0)
    np.testing.assert_array_equal(policy_spec.active, [True] * 4 + [False] * 2)
    action = np.asarray(mean) + 0.3
    moved = action.copy()
    moved[:, 4:] += 5.0
    args = mean, log_std
    np.testing.assert_array_equal(
        gaussian.log_prob(*args, action, policy_spec.active), gaussian.log_prob(*args, moved, policy_spec.active)
    )


def test_density_entropy_and_divergence_against_scipy():
    rng = np.random.default_rng(1)
    mean, new_mean, action = rng.normal(size=(3, 5, 4))
    log_std, new_log_std = rng.normal(-0.5, 0.3, size=(2, 4))
    active = np.array([True, True, False, True])
    old = scipy.stats.norm(mean[:, active], np.exp(log_std[active]))
    expected = old.logpdf(action[:, active]).sum(-1)
    np.testing.assert_allclose(gaussian.log_prob(mean, log_std, action, active), expected, rtol=1e-5)
    np.testing.assert_allclose(gaussian.entropy(log_std, active), old.entropy()[0].sum(), rtol=1e-5)
    x = mean[:, :, None] + np.exp(log_std)[None, :, None] * np.linspace(-12, 12, 20001)
    p = scipy.stats.norm.pdf(x, mean[..., None], np.exp(log_std)[:, None])
    q = scipy.stats.norm.logpdf(x, new_mean[..., None], np.exp(new_log_std)[:, None])
    integral = np.trapezoid(p * (np.log(p + 1e-300) - q), x, axis=-1)[:, active].sum(-1)
    kl = gaussian.kl_divergence(mean, log_std, new_mean, new_log_std, active).sum(-1)
    np.testing.assert_allclose(kl, integral, rtol=1e-3)


def straightforward(policy_spec, params, obs):
    """(mean, value) as they are defined: each network on what it sees of the observation, and of its mirror image."""
    nets, mirror = params["params"], policy_spec.mirror

    def net(name, sees, views):
        first, *rest = [*sorted(k for k in nets[name] if k != "out"), "out"]
        layer = lambda k, x: x @ nets[name][k]["kernel"] + nets[name][k]["bias"]  # noqa: E731
        act = lambda k, x: x if k == "out" else jax.nn.elu(x)  # noqa: E731
        sides = [act(first, layer(first, view[:, np.array(sees)])) for view in views]
        sides = [sum(sides) / len(sides)] if name == "critic" else sides
        for k in rest:
            sides = [act(k, layer(k, side)) for side in sides]
        return sides

    views = [obs] if mirror is None else [obs, obs[:, np.array(mirror.observation)] * np.array(mirror.observation_sign)]
    mean = jnp.tile(jnp.array(policy_spec.neutral), (len(obs), 1))
    for head in policy_spec.heads:
        for side, out in enumerate(net(head.name, head.observation, views)):
            driven = np.array(mirror.action)[list(head.action)] if side else np.array(head.action)
            mean = mean.at[:, driven].set(out) if head.enabled else mean
    return mean, net("critic", policy_spec.critic_observation, views)[0][:, 0]


@pytest.mark.parametrize("mirror", [MIRROR, None], ids=["mirror", "no mirror"])
@pytest.mark.parametrize("options", [{}, {"enabled": False}], ids=["enabled", "disabled"])
@pytest.mark.parametrize("hidden", [(16, 12), (16,), ()], ids=["two layers", "one layer", "linear"])
def test_outputs_and_gradients_equal_networks_on_selected_and_mirrored_samples(observations, mirror, options, hidden):
    """For any weights of what comes out; the critic sees a part of the observation, in another order."""
    policy_spec = spec(mirror, **options)
    heads = (dataclasses.replace(policy_spec.heads[0], hidden=hidden), policy_spec.heads[1])
    policy_spec = dataclasses.replace(policy_spec, heads=heads, critic_hidden=hidden, critic_observation=(5, 2, 0, 1))
    model, params = build(policy_spec)
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(len(observations), 6)), rng.normal(size=len(observations))

    def weighed(params, outputs):
        mean, value = outputs(params)
        return (mean * weights[0]).sum() + (value * weights[1]).sum(), (mean, value)

    def ours(params):
        mean, _, value = model.apply(params, jnp.asarray(observations))
        return mean, value

    slope = jax.jit(jax.grad(weighed, has_aux=True), static_argnums=1)
    found = slope(params, ours)
    expected = slope(params, lambda params: straightforward(policy_spec, params, jnp.asarray(observations)))
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4, err_msg=jax.tree_util.keystr(path))
    mean, value = found[1]
    np.testing.assert_allclose(model.apply(params, observations, method="actor")[0], mean, atol=1e-6)
    np.testing.assert_allclose(model.apply(params, observations, method="critic"), value, atol=1e-6)


def test_parts_are_what_a_mirror_keeps_and_what_it_negates(observations):
    """Pairs exchanged, one entry that stays and one that changes its sign; a pair whose sign changes as well."""
    mirror = networks.Mirror((1, 0, 3, 2, 4, 5), (1.0, 1.0, -1.0, -1.0, 1.0, -1.0), MIRROR.action)
    other = observations[:, mirror.observation] * np.array(mirror.observation_sign, np.float32)
    own, image = (np.array(networks.parts(mirror, x)) for x in (observations, other))
    np.testing.assert_allclose(image[:, :3], own[:, :3], atol=1e-6)
    np.testing.assert_allclose(image[:, 3:], -own[:, 3:], atol=1e-6)
    assert np.linalg.matrix_rank(own) == N_OBS  # nothing is lost
    np.testing.assert_array_equal(networks.parts(None, observations), observations)


@pytest.mark.parametrize("mirror", [MIRROR, None])
@pytest.mark.parametrize("enabled", [True, False])
def test_numpy_policy_equals_flax(observations, mirror, enabled):
    policy_spec = spec(mirror, enabled=enabled)
    model, params = build(policy_spec)
    normaliser = running_statistics.init_state(jax.ShapeDtypeStruct((N_OBS,), jnp.float32))
    normaliser = running_statistics.update(normaliser, jnp.asarray(3.0 * observations + 1.0))
    policy = numpy_policy(policy_spec, jax.device_get(params)["params"], normaliser)
    mean = model.apply(params, rollout.normalize(policy_spec, normaliser, jnp.asarray(observations)), method="actor")[0]
    np.testing.assert_allclose(policy.act(observations), np.clip(mean, -1, 1), atol=1e-5)
    np.testing.assert_allclose(policy.act(observations[0]), np.clip(mean[0], -1, 1), atol=1e-5)


def half_mirrored(**options):
    """The muscles' network serves each side alone, the device's both; both end in tanh."""
    heads = (
        networks.Head("human", (0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (16,), 0.0, -1.0, mirrored=False),
        networks.Head("device", (2, 3, 5), (4,), (8,), 0.0, -2.0),
    )
    wide = {"output_activation": "tanh", "critic_mirrored": False, "gains": (1.0, 1.0)}
    return networks.PolicySpec(heads, tuple(range(6)), (16,), (-1.0,) * 4 + (0.0,) * 2, MIRROR, **wide | options)


def test_mirroring_is_each_heads_own(observations):
    model, params = build(half_mirrored())
    other = observations[:, MIRROR.observation] * np.array(MIRROR.observation_sign)
    mean, _, value = (np.asarray(x) for x in model.apply(params, observations))
    mean_other, _, value_other = (np.asarray(x) for x in model.apply(params, other))
    np.testing.assert_allclose(mean_other[:, 4:], mean[:, [5, 4]], atol=1e-5)
    assert np.abs(mean_other - mean[:, MIRROR.action])[:, :4].max() > 0.1
    assert np.abs(value_other - value).max() > 0.1
    assert np.abs(mean).max() <= 1.0


def test_numpy_and_flax_agree_on_half_mirrored_heads_with_raw_observations(observations):
    policy_spec = half_mirrored(normalized=False)
    model, params = build(policy_spec)
    normaliser = running_statistics.init_state(jax.ShapeDtypeStruct((N_OBS,), jnp.float32))
    policy = numpy_policy(policy_spec, jax.device_get(params)["params"], normaliser)
    seen = 30.0 * observations  # beyond where normalised observations are clipped
    normal = rollout.normalize(policy_spec, normaliser, jnp.asarray(seen))
    np.testing.assert_allclose(policy.act(seen), model.apply(params, normal)[0], atol=1e-5)


def test_observations_come_back_whole_from_their_parts(observations):
    parts = networks.parts(MIRROR, jnp.asarray(observations))
    np.testing.assert_allclose(networks.whole(MIRROR, parts), observations, atol=1e-6)
    assert networks.whole(None, parts) is parts


def test_initial_gains_scale_orthogonal_layers(observations):
    model = networks.ActorCritic(half_mirrored(gains=(1.0, 1.0)))
    params = model.init(jax.random.PRNGKey(0), jnp.zeros((1, N_OBS)))["params"]
    kernel = np.asarray(params["human"]["out"]["kernel"])  # [16, 4], orthonormal columns
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(4), atol=1e-5)
