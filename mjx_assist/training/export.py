"""From a run's newest checkpoint to a policy bundle. JAX is imported only when a checkpoint is read."""

import dataclasses
import sys
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
from mjx_assist.errors import UserError
from mjx_assist.paths import CHECKPOINTS, POLICY_FOLDER
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy import shipped
from mjx_assist.policy.policy import HeadWeights, MirrorWeights, Policy
from mjx_assist.sim.observation import CLIP


def export_run(run: Path, update: int | None = None) -> bundles.Bundle:
    """The policy of a run's newest readable checkpoint, or of that after an ``update``.

    Raises:
        UserError: ``run`` is no run, or has no checkpoint.
    """
    from mjx_assist.files.logs import read_rows
    from mjx_assist.paths import TRAIN_LOG

    config, env, spec, state = restored(run, update=update)
    return policy_bundle(config, env, spec, state, read_rows(run / TRAIN_LOG, update))


def restored(run: Path, also: Sequence[str] = (), update: int | None = None) -> tuple:
    """``(config, env, spec, state)`` of a run's newest readable checkpoint, or of that after an ``update``; of
    ``state`` only what a policy needs.

    ``also`` names fields of `ppo.learner.TrainState` that are to be there too.

    Raises:
        UserError: ``run`` is no run, or has no checkpoint.
    """
    import jax

    from mjx_assist.ppo import learner
    from mjx_assist.sim.env import make_env
    from mjx_assist.training import loop, origin
    from mjx_assist.training.batch import batched
    from mjx_assist.training.checkpoint import Checkpoints

    config = origin.checked(run, origin.config_of(run))
    origin.tell_edited(run)
    env = make_env(without_own_code(config.env_params))
    spec = loop.make_policy_spec(config, env)
    made = learner.make_learner(batched(env, everybody=False), spec, config.ppo_params)
    template = jax.eval_shape(partial(learner.init, made), jax.random.PRNGKey(0))
    checkpoints = Checkpoints(run / CHECKPOINTS, config.logger_params.keep_checkpoints)
    items = template.items()
    wanted = {"policy": items["policy"], "training": {name: items["training"][name] for name in also}}
    found = checkpoints.restore({name: item for name, item in wanted.items() if item}, True, update)
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
    from mjx_assist.sim.fit_to_body import fitted

    asked = config.env_params
    reduced = reduce_model(asked.human, asked.device_key or NO_DEVICE)
    params = fitted(asked, reduced.model)
    config = dataclasses.replace(config, env_params=params)
    wall = rows[-1].get("wall_s") if rows else None
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
            "wall_s": round(wall, 1) if wall is not None else None,
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


def has_checkpoints(path: Path) -> bool:
    """Whether a folder is that of a run which has saved something."""
    return path.is_dir() and (path / CHECKPOINTS).is_dir()


def updates_saved(run: Path) -> list[int]:
    """The updates that a folder, if it is a run's, has checkpoints of."""
    folder = run / CHECKPOINTS
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []


def _newer(run: Path, exported: bundles.Bundle) -> bundles.Bundle | None:
    """The policy of a run's newest checkpoint if the run went on after its policy was exported; that is said."""
    updates = updates_saved(run)
    config, done = exported.config, exported.info["control_steps"]
    if max(updates, default=0) * config.env_params.num_envs * config.ppo_params.n_steps <= done:
        return None
    made = export_run(run)
    steps = made.info["control_steps"]
    if steps <= done:  # the newest one is damaged
        return None
    print(f"note: {run} went on after it was exported: {steps:,} control steps, not {done:,}.", file=sys.stderr)
    return made


def load_policy(path: str | Path) -> bundles.Bundle:
    """A bundle, a shipped policy by its name, or a run: its ``policy/`` or its newest checkpoint, whichever is newer; a
    session or zip of MyoAssist's too.

    Raises:
        UserError: there is none of them, or it cannot be read.
    """
    path = shipped.find(path)
    if bundles.is_bundle(path):
        return bundles.load(path)
    if myoassist.is_policy(path):
        return myoassist.import_policy(path)
    if bundles.is_bundle(path / POLICY_FOLDER):
        exported = bundles.load(path / POLICY_FOLDER)
        return exported if (newest := _newer(path, exported)) is None else newest
    if has_checkpoints(path):
        return export_run(path)
    raise UserError(f"{str(path)!r} is neither a training run nor a policy bundle.")
