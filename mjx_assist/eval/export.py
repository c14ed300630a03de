"""From a run's newest checkpoint to a policy bundle. JAX is imported only when a checkpoint is read."""

from importlib.metadata import version
from pathlib import Path

import numpy as np

import mjx_assist
from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.eval import bundle as bundles
from mjx_assist.eval.policy import HeadWeights, MirrorWeights, Policy

POLICY_FOLDER = "policy"


def export_run(run: Path) -> bundles.Bundle:
    """The policy of a run's newest readable checkpoint.

    Raises:
        UserError: ``run`` is no run, or has no checkpoint.
    """
    import jax

    from mjx_assist.ppo import learner, train
    from mjx_assist.ppo.callbacks import read_log
    from mjx_assist.ppo.checkpoint import Checkpoints
    from mjx_assist.sim.env import make_env

    if not (run / train.CONFIG_FILE).is_file():
        raise UserError(f"{str(run)!r} is not a training run: it has no {train.CONFIG_FILE}.")
    config = configs.load(run / train.CONFIG_FILE)
    env = make_env(config.env_params)
    spec = train.make_policy_spec(config, env)
    reset, step = train.batched(env)
    num_envs = config.env_params.num_envs
    init, _ = learner.make_learner(reset, step, spec, config.ppo_params, num_envs, env.observation_size)
    template = jax.eval_shape(init, jax.random.PRNGKey(0))
    checkpoints = Checkpoints(run / "checkpoints", config.logger_params.keep_checkpoints)
    found = checkpoints.restore({"policy": template.items()["policy"]})
    checkpoints.close()
    if found is None:
        raise UserError(f"{str(run)!r} has no checkpoint yet.")
    state = template.replace(**found["policy"])
    return policy_bundle(config, env, spec, state, read_log(run))


def policy_bundle(config: configs.RunConfig, env, spec, state, rows: list[dict]) -> bundles.Bundle:
    """The policy of a training state (`ppo.learner.TrainState`) with all it needs to walk; ``rows`` of the log."""
    from mjx_assist.sim.assembly import NO_DEVICE
    from mjx_assist.sim.reduction import reduce_model

    return bundles.Bundle(
        config=config,
        xml=env.xml,
        coupling=reduce_model(config.env_params.human, config.env_params.device_key or NO_DEVICE).coupling,
        gait=env.gait,
        observation=env.observation_spec,
        policy=numpy_policy(spec, state.params["params"], state.normaliser),
        info={
            "mjx_assist": mjx_assist.__version__,
            "assist_sim": version("assist_sim"),
            "myo_sim": version("myo_sim"),
            "mujoco": version("mujoco"),
            "control_steps": int(state.updates) * config.env_params.num_envs * config.ppo_params.n_steps,
            "wall_s": round(rows[-1]["wall_s"], 1) if rows else None,
        },
        learning_curve=tuple(rows),
    )


def numpy_policy(spec, params: dict, normaliser) -> Policy:
    """A `PolicySpec` with Flax parameters and brax running statistics as a NumPy policy."""
    heads = []
    for head in spec.heads:
        net = params[head.name]
        layers = [net[f"dense_{i}"] for i in range(len(head.hidden))] + [net["out"]]
        heads.append(
            HeadWeights(
                name=head.name,
                observation=np.array(head.observation),
                action=np.array(head.action),
                enabled=head.enabled,
                layers=tuple((np.asarray(layer["kernel"]), np.asarray(layer["bias"])) for layer in layers),
            )
        )
    mirror = None
    if spec.mirror is not None:
        mirror = MirrorWeights(
            np.array(spec.mirror.observation),
            np.array(spec.mirror.observation_sign, np.float32),
            np.array(spec.mirror.action),
        )
    return Policy(
        heads=tuple(heads),
        mean=np.asarray(normaliser.mean),
        std=np.asarray(normaliser.std),
        neutral=np.array(spec.neutral, np.float32),
        mirror=mirror,
        activation=spec.activation,
    )


def open_policy(path: str | Path) -> bundles.Bundle:
    """A bundle, or a run: its ``policy/`` if it has been exported, else its newest checkpoint."""
    path = Path(path)
    if bundles.is_bundle(path):
        return bundles.load(path)
    if bundles.is_bundle(path / POLICY_FOLDER):
        return bundles.load(path / POLICY_FOLDER)
    if not path.exists():
        raise UserError(f"{str(path)!r} does not exist: expected a training run or a policy bundle.")
    if path.is_dir() and (path / "checkpoints").is_dir():
        return export_run(path)
    raise UserError(f"{str(path)!r} is neither a training run nor a policy bundle.")
