"""From a run's newest checkpoint to a policy bundle. JAX is imported only when a checkpoint is read."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

import mjx_assist
from mjx_assist import config as configs
from mjx_assist import myoassist
from mjx_assist.config.device import OwnController, ZeroTorque
from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import CRITIC
from mjx_assist.errors import UserError, unknown
from mjx_assist.paths import CHECKPOINTS, POLICY_FOLDER, SESSION_CONFIG, data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.policy import HeadWeights, MirrorWeights, Policy
from mjx_assist.sim.observation import CLIP


def export_run(run: Path) -> bundles.Bundle:
    """The policy of a run's newest readable checkpoint.

    Raises:
        UserError: ``run`` is no run, or has no checkpoint.
    """
    from mjx_assist.files.logs import read_rows
    from mjx_assist.paths import TRAIN_LOG

    config, env, spec, state = restored(run)
    return policy_bundle(config, env, spec, state, read_rows(run / TRAIN_LOG))


def restored(run: Path, also: Sequence[str] = ()) -> tuple:
    """``(config, env, spec, state)`` of a run's newest readable checkpoint; of ``state`` only what a policy needs.

    ``also`` names fields of `ppo.learner.TrainState` that are to be there too.

    Raises:
        UserError: ``run`` is no run, or has no checkpoint.
    """
    import jax

    from mjx_assist.ppo import learner
    from mjx_assist.sim.env import make_env
    from mjx_assist.training import loop
    from mjx_assist.training.checkpoint import Checkpoints

    if not (run / SESSION_CONFIG).is_file():
        raise UserError(f"{str(run)!r} is not a training run: it has no {SESSION_CONFIG}.")
    config = configs.load(run / SESSION_CONFIG)
    env = make_env(without_own_code(config.env_params))
    spec = loop.make_policy_spec(config, env)
    made = learner.make_learner(loop.batched(env), spec, config.ppo_params)
    template = jax.eval_shape(partial(learner.init, made), jax.random.PRNGKey(0))
    checkpoints = Checkpoints(run / CHECKPOINTS, config.logger_params.keep_checkpoints)
    items = template.items()
    wanted = {"policy": items["policy"], "training": {name: items["training"][name] for name in also}}
    found = checkpoints.restore({name: item for name, item in wanted.items() if item}, partial=True)
    checkpoints.close()
    if found is None:
        raise UserError(f"{str(run)!r} has no checkpoint yet.")
    state = template
    for item in found.values():
        state = state.replace(**item)
    return config, env, spec, state


def without_own_code(params: EnvParams) -> EnvParams:
    """The env without what would import a package of the user's own, which no policy is read with: terms of the reward,
    and a device controller (its head stays off)."""
    weights = dataclasses.replace(params.reward_keys_and_weights, extra_terms={})
    own = isinstance(params.device_controller, OwnController)
    controller = ZeroTorque() if own else params.device_controller
    return dataclasses.replace(params, reward_keys_and_weights=weights, device_controller=controller)


def policy_bundle(config: configs.RunConfig, env, spec, state, rows: list[dict]) -> bundles.Bundle:
    """The policy of a training state (`ppo.learner.TrainState`) with all it needs to walk; ``rows`` of the log."""
    from mjx_assist.model.assembly import NO_DEVICE
    from mjx_assist.model.mjcf import with_physics_rate
    from mjx_assist.model.reduction import reduce_model

    params = config.env_params
    reduced = reduce_model(params.human, params.device_key or NO_DEVICE)
    return bundles.Bundle(
        config=config,
        xml=with_physics_rate(reduced.xml, params.physics_sim_framerate),  # without the ground it was trained on
        coupling=reduced.coupling,
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
    heads = [
        HeadWeights(
            name=head.name,
            observation=np.array(head.observation),
            action=np.array(head.action),
            enabled=head.enabled,
            layers=layers(params[head.name]),
            log_std=np.asarray(params[f"{head.name}_log_std"]),
            mirrored=head.mirrored,
        )
        for head in spec.heads
    ]
    seen, nothing = np.array(spec.critic_observation), np.array([], int)
    critic = HeadWeights(CRITIC, seen, nothing, True, layers(params["critic"]), mirrored=spec.critic_mirrored)
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
        critic=critic,
        output_activation=spec.output_activation,
        clip=CLIP if spec.normalized else np.inf,
    )


def layers(net: dict) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """(kernel, bias) of a Flax network's layers, first to last."""
    names = [f"dense_{i}" for i in range(len(net) - 1)] + ["out"]
    return tuple((np.asarray(net[name]["kernel"]), np.asarray(net[name]["bias"])) for name in names)


def find_policy(text: str) -> Path:
    """The folder of a run or bundle, or of a shipped policy by its name (``walk22_exo``).

    Raises:
        UserError: there is neither.
    """
    path = Path(text)
    for place in (path, path.with_name(f"{path.name}.zip")) if path.name else ():
        if place.exists():
            return place
    shipped = data_path("models", "policies")
    names = sorted(folder.name for folder in shipped.iterdir() if bundles.is_bundle(folder))
    if text in names:
        return shipped / text
    message = f"{text!r} does not exist: expected a training run, a policy bundle or a shipped policy"
    raise unknown(f"{message}; policy", text, names)


def has_checkpoints(path: Path) -> bool:
    """Whether a folder is that of a run which has saved something."""
    return path.is_dir() and (path / CHECKPOINTS).is_dir()


def load_policy(path: str | Path) -> bundles.Bundle:
    """A bundle, a shipped policy by its name, or a run: its ``policy/`` if exported, else its newest checkpoint; a
    session or zip of MyoAssist's too.

    Raises:
        UserError: there is none of them, or it cannot be read.
    """
    shipped = data_path("models", "policies", str(path))
    path = shipped if not Path(path).exists() and bundles.is_bundle(shipped) else Path(path)
    if bundles.is_bundle(path):
        return bundles.load(path)
    if myoassist.is_policy(path):
        return myoassist.import_policy(path)
    if bundles.is_bundle(path / POLICY_FOLDER):
        return bundles.load(path / POLICY_FOLDER)
    if not path.exists():
        raise UserError(f"{str(path)!r} does not exist: expected a training run or a policy bundle.")
    if has_checkpoints(path):
        return export_run(path)
    raise UserError(f"{str(path)!r} is neither a training run nor a policy bundle.")
