"""PPO written from the papers in plain NumPy: loops, double precision, gradients by hand. What the learner must equal.

Heads are networks with one hidden tanh layer; parameters are nested dicts with Flax' names.
"""

import copy

import numpy as np

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


def double(tree):
    """A copy of a tree of arrays as float64 NumPy."""
    return {k: double(v) for k, v in tree.items()} if isinstance(tree, dict) else np.array(tree, np.float64)


def forward(net, x):
    """Output and hidden layer of ``tanh(x W + b) V + c``."""
    hidden = np.tanh(x @ net["dense_0"]["kernel"] + net["dense_0"]["bias"])
    return hidden @ net["out"]["kernel"] + net["out"]["bias"], hidden


def backward(net, x, hidden, slope):
    """Gradient of the parameters for the loss' gradient ``slope`` with respect to the output."""
    inside = (slope @ net["out"]["kernel"].T) * (1.0 - hidden**2)
    return {
        "dense_0": {"kernel": x.T @ inside, "bias": inside.sum(0)},
        "out": {"kernel": hidden.T @ slope, "bias": slope.sum(0)},
    }


def advantages(reward, value, next_value, terminated, done, gamma, lam):
    """Schulman 2016, eq. 16, as a sum over each step's future, one env at a time: ``[T, B]``."""
    steps, envs = reward.shape
    out = np.zeros((steps, envs))
    for b in range(envs):
        for t in range(steps):
            weight = 1.0
            for k in range(t, steps):
                bootstrap = 0.0 if terminated[k, b] else gamma * next_value[k, b]
                out[t, b] += weight * (reward[k, b] + bootstrap - value[k, b])
                if done[k, b]:
                    break
                weight *= gamma * lam
    return out


def log_density(action, mean, log_std):
    """Of a diagonal Gaussian, ``[N, k]`` -> ``[N]``; the action as the policy drew it, not as an env clips it."""
    return (-0.5 * ((action - mean) / np.exp(log_std)) ** 2 - log_std - HALF_LOG_2PI).sum(-1)


def divergence(mean, log_std, new_mean, new_log_std):
    """KL(old || new) of diagonal Gaussians, ``[N]``."""
    inside = np.exp(2 * (log_std - new_log_std)) + ((new_mean - mean) / np.exp(new_log_std)) ** 2 - 1.0
    return (new_log_std - log_std + 0.5 * inside).sum(-1)


def explained_variance(value, target):
    return 1.0 - np.var(target - value) / np.var(target)


class Replica:
    """``spec`` (one hidden layer, tanh, no mirror), ``ppo`` parameters; state in plain attributes."""

    def __init__(self, spec, ppo, params):
        self.spec, self.ppo = spec, ppo
        self.params = double(params)
        self.first = _zeros(self.params)
        self.second = _zeros(self.params)
        self.steps = 0
        self.rate = ppo.learning_rate
        self.seen, self.returns, self.discounted = [], [], 0.0

    def normalise(self, obs):
        """With mean and standard deviation of all observations of earlier updates."""
        mean, std = 0.0, 1.0
        if self.seen:
            everything = np.concatenate(self.seen)
            mean, std = everything.mean(0), np.maximum(everything.std(0), 1e-6)
        return np.clip((obs - mean) / std, -10, 10)

    def act(self, obs):
        """Mean ``[N, nu]`` and log std ``[nu]`` for normalised observations."""
        mean = np.tile(np.array(self.spec.neutral, float), (len(obs), 1))
        log_std = np.zeros(mean.shape[1])
        for head in self._enabled():
            mean[:, head.action] = forward(self.params[head.name], obs[:, head.observation])[0]
            log_std[list(head.action)] = self.params[f"{head.name}_log_std"]
        return mean, log_std

    def value(self, obs):
        return forward(self.params["critic"], obs[:, self.spec.critic_observation])[0][:, 0]

    def update(self, rollout, orders):
        """One update from a rollout (dict of ``[T, B, ...]``, raw observations), minibatches as given by ``orders``.

        ``orders[epoch][minibatch]`` are (step, walker) pairs. Returns what the learner logs.
        """
        ppo, shape = self.ppo, rollout["reward"].shape
        obs, next_obs = (self.normalise(rollout[k].reshape(-1, rollout[k].shape[-1])) for k in ("obs", "next_obs"))
        value, next_value = self.value(obs).reshape(shape), self.value(next_obs).reshape(shape)
        ends = rollout["terminated"], rollout["done"]
        reward = rollout["reward"] / self._return_spread(rollout) if ppo.normalize_reward else rollout["reward"]
        advantage = advantages(reward, value, next_value, *ends, ppo.gamma, ppo.gae_lambda)
        target = advantage + value
        mean, log_std = self.act(obs)
        old = {
            "obs": obs.reshape(*shape, -1),
            "action": rollout["action"],
            "mean": mean.reshape(*shape, -1),
            "value": value,
            "advantage": advantage,
            "target": target,
        }
        log, stopped, taken = {}, False, []
        for epoch in orders:
            logs = []
            for minibatch in epoch:
                if not stopped:
                    step, walker = np.array(minibatch).T
                    log = self._minibatch({k: x[step, walker] for k, x in old.items()}, log_std)
                    stopped = 0 < ppo.max_kl < log["kl"]
                    taken.append(len(minibatch))
                logs.append(log)
        log = {k: np.mean([x[k] for x in logs]) for k in log}
        self.seen.append(rollout["obs"].reshape(-1, rollout["obs"].shape[-1]))
        if ppo.target_kl and log["kl"] > 1.5 * ppo.target_kl:
            self.rate /= 1.5
        elif ppo.target_kl and log["kl"] < ppo.target_kl / 1.5:
            self.rate *= 1.5
        self.rate = np.clip(self.rate, 1e-5, 3e-3) if ppo.target_kl else self.rate
        return {**log, "learning_rate": self.rate, "explained_variance": explained_variance(value, target)}, len(taken)

    def gradient(self, batch, old_log_std):
        """Gradient of the loss (as a tree like the parameters) for one minibatch, and what is logged of it."""
        ppo, active, n = self.ppo, self._active(), len(batch["obs"])
        mean, log_std = self.act(batch["obs"])
        before = log_density(batch["action"][:, active], batch["mean"][:, active], old_log_std[active])
        ratio = np.exp(log_density(batch["action"][:, active], mean[:, active], log_std[active]) - before)
        advantage = batch["advantage"]
        if ppo.normalize_advantage:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        clipped = np.clip(ratio, 1 - ppo.clip_range, 1 + ppo.clip_range)
        follows = ratio * advantage <= clipped * advantage  # where the unclipped term is the smaller, it has a slope
        per_density = np.where(follows, -ratio * advantage, 0.0)[:, None] / n
        z = (batch["action"] - mean) / np.exp(log_std)

        value, hidden = forward(self.params["critic"], batch["obs"][:, self.spec.critic_observation])
        value = value[:, 0]
        error, per_value = (value - batch["target"]) ** 2, 2 * (value - batch["target"])
        if ppo.clip_range_vf:
            moved = value - batch["value"]
            near = batch["value"] + np.clip(moved, -ppo.clip_range_vf, ppo.clip_range_vf)
            other = (near - batch["target"]) ** 2
            # Clipped, the error does not depend on the value. Within the clip both errors are one but for rounding.
            per_value = np.where((error >= other) | (np.abs(moved) < ppo.clip_range_vf), per_value, 0.0)
            error = np.maximum(error, other)
        slope = ppo.vf_coef * per_value[:, None] / n
        critic = backward(self.params["critic"], batch["obs"][:, self.spec.critic_observation], hidden, slope)

        grads = _zeros(self.params) | {"critic": critic}
        for head in self._enabled():
            if head.frozen:
                continue
            drives, sees = list(head.action), list(head.observation)
            hidden = forward(self.params[head.name], batch["obs"][:, sees])[1]
            slope = per_density * z[:, drives] / np.exp(log_std[drives])
            grads[head.name] = backward(self.params[head.name], batch["obs"][:, sees], hidden, slope)
            grads[f"{head.name}_log_std"] = (per_density * (z[:, drives] ** 2 - 1.0)).sum(0) - ppo.ent_coef
        kl = {
            f"kl/{head.name}": divergence(
                *(x[..., list(head.action)] for x in (batch["mean"], old_log_std, mean, log_std))
            ).mean()
            if head.enabled
            else 0.0
            for head in self.spec.heads
        }
        return grads, {
            "policy_loss": -np.minimum(ratio * advantage, clipped * advantage).mean(),
            "value_loss": error.mean(),
            "entropy": (log_std[active] + HALF_LOG_2PI + 0.5).sum(),
            "kl": sum(kl.values()),
            "clip_fraction": (np.abs(ratio - 1) > ppo.clip_range).mean(),
            **kl,
        }

    def _minibatch(self, batch, old_log_std):
        """Clip the gradient's norm (over all parameters together), then Adam (Kingma 2015, algorithm 1)."""
        grads, log = self.gradient(batch, old_log_std)
        norm = log["grad_norm"] = np.sqrt(sum((x**2).sum() for x in _leaves(grads)))
        shrink = min(1.0, self.ppo.max_grad_norm / norm)
        self.steps += 1
        own = {head.name: head.learning_rate for head in self.spec.heads}
        for name, part in self.params.items():
            special = own.get(name.removesuffix("_log_std"))
            rate = self.rate if special is None else self.rate * special / self.ppo.learning_rate
            trees = part, grads[name], self.first[name], self.second[name]
            for x, g, m, v in zip(*(_leaves(t) for t in trees), strict=True):
                m += 0.1 * (shrink * g - m)
                v += 0.001 * ((shrink * g) ** 2 - v)
                x -= rate * (m / (1 - 0.9**self.steps)) / (np.sqrt(v / (1 - 0.999**self.steps)) + 1e-5)
        return log

    def _return_spread(self, rollout):
        """Standard deviation of each episode's discounted rewards so far, over all steps of all updates."""
        for reward, done in zip(rollout["reward"], rollout["done"], strict=True):
            self.discounted = self.ppo.gamma * self.discounted + reward
            self.returns.append(self.discounted)
            self.discounted = np.where(done, 0.0, self.discounted)
        return np.std(self.returns)

    def _enabled(self):
        return [head for head in self.spec.heads if head.enabled]

    def _active(self):
        return sorted(i for head in self._enabled() for i in head.action)


def _leaves(tree):
    return [x for k in sorted(tree) for x in _leaves(tree[k])] if isinstance(tree, dict) else [tree]


def _zeros(tree):
    out = copy.deepcopy(tree)
    for x in _leaves(out):
        x[...] = 0.0
    return out
