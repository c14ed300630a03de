"""What a run's config may say: its words, and relations between values that no type can tell. What a number alone may
be stands on its field (limits.py); ranges and levels are checked in curriculum/."""

from typing import TYPE_CHECKING

from mjx_assist.config.device_file import check as check_controller
from mjx_assist.config.family import check as check_family
from mjx_assist.config.limits import COUNT
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.own_code import check_name
from mjx_assist.config.subject import check as check_subject
from mjx_assist.config.words import (
    AUTO,
    COMPOSED,
    CRITIC,
    FREEZE,
    LEARNING_RATES,
    LOAD,
    MATCHED,
    MUJOCO,
    RESET,
)
from mjx_assist.curriculum.check import check_curriculum
from mjx_assist.curriculum.settings import check_randomization
from mjx_assist.errors import UserError, unknown
from mjx_assist.terrain.kinds import kinds as check_terrain

if TYPE_CHECKING:
    from mjx_assist.config.around import EvaluateParams, InitFrom
    from mjx_assist.config.heads import PolicyParams
    from mjx_assist.config.schema import EnvParams, RunConfig


_MOST_LEAN = 1.0  # rad


def check(config: "RunConfig") -> None:
    """Check a config; what depends on the model is checked where the model is known.

    Raises:
        UserError: the first mistake found, with its key.
    """
    check_numbers(config)
    _check_names(config)
    _check_env(config.env_params)
    for i, entry in enumerate(config.evaluate_param_list):
        _check_evaluation(entry, f"config key 'evaluate_param_list[{i}].")
    _check_learning(config)
    _check_heads(config.policy_params)
    if config.init_from is not None:
        _check_init_from(config.init_from, config.policy_params)


def _check_names(config: "RunConfig") -> None:
    env, init = config.env_params, config.init_from
    names = {key: getattr(env, key) for key in ("msk_key", "device_key", "model_path", "reference_data_path")}
    named = {f"env_params.{key}": name for key, name in names.items()}
    if init is not None:
        named["init_from.source"] = init.source
    for key, name in named.items():
        if name is not None and (not name.strip() or "\0" in name):
            raise UserError(f"config key {key!r}: {name!r} is no name; give one, or null for none.")


def _check_env(env: "EnvParams") -> None:
    if env.msk_key is None and env.model_path is None:
        raise UserError("config keys 'env_params.msk_key' and 'env_params.model_path': one of them must be given.")
    if env.model_kind == COMPOSED and env.backend not in (AUTO, MUJOCO):
        raise UserError(
            f"config key 'env_params.backend': {env.backend!r} cannot do model_kind {COMPOSED!r}; choose {MUJOCO!r}."
        )
    if env.reference_speed is not None and env.reference_playback == MATCHED:
        raise UserError(
            f"config key 'env_params.reference_speed': {env.reference_speed:g} has no effect while "
            f"reference_playback is {MATCHED!r}: the reference is that of the commanded speed. Choose 'recorded' or "
            "'scaled'."
        )
    if abs(env.trunk_lean) > _MOST_LEAN:
        raise UserError(
            f"config key 'env_params.trunk_lean': must lie in +-{_MOST_LEAN} rad, got {env.trunk_lean:g}. "
            "Are these degrees?"
        )
    if env.subject is not None:
        check_subject(env.subject, "config key 'env_params.subject'")
    _check_cohort(env)
    if env.device_controller is not None:
        check_controller(env.device_controller, "config key 'env_params.device_controller'")
    if env.device_family is not None:
        check_family(env.device_family, "config key 'env_params.device_family")
        _check_one_driver(env)
    for name in env.reward_keys_and_weights.extra_terms:
        check_name(name, "config key 'env_params.reward_keys_and_weights.extra_terms'")
    check_randomization(env.randomization, "config key 'env_params.randomization")
    check_terrain(env)
    if env.curriculum is not None:
        check_curriculum(env.curriculum, env, "config key 'env_params.curriculum")
    if env.physics_sim_framerate % env.control_framerate:
        raise UserError(
            f"config key 'env_params.physics_sim_framerate': {env.physics_sim_framerate} is not a multiple of "
            f"control_framerate {env.control_framerate}."
        )
    if env.min_heading_rate > env.max_heading_rate:
        raise UserError(
            f"config keys 'env_params.min_heading_rate' ({env.min_heading_rate}) and 'max_heading_rate' "
            f"({env.max_heading_rate}): need min <= max; to the left is positive."
        )
    for low in ("min_target_velocity", "min_target_velocity_period"):
        high = low.replace("min_", "max_")
        if not 0.0 < getattr(env, low) <= getattr(env, high):
            raise UserError(
                f"config keys 'env_params.{low}' ({getattr(env, low)}) and '{high}' ({getattr(env, high)}): "
                "need 0 < min <= max."
            )


def _check_cohort(env: "EnvParams") -> None:
    for name, subject in env.cohort.items():
        check_subject(subject, f"config key 'env_params.cohort.{name}'")
    if env.cohort and env.num_envs % len(env.cohort) and env.subject is None:
        raise UserError(
            f"config keys 'env_params.num_envs' ({env.num_envs}) and 'cohort': must be a multiple of its "
            f"{len(env.cohort)} people, as many walkers of each; such as {_multiple(env.num_envs, len(env.cohort))}."
        )
    if env.cohort and env.model_path is not None:
        raise UserError("config keys 'env_params.cohort' and 'model_path': people are made of assist_sim's humans.")


def _multiple(number: int, of: int) -> int:
    return max(of, number // of * of)


def _check_one_driver(env: "EnvParams") -> None:
    if env.device_controller is not None:
        raise UserError(
            "config keys 'env_params.device_family' and 'env_params.device_controller': give one of them; null for the "
            "other."
        )


def _check_learning(config: "RunConfig") -> None:
    env, ppo, policy = config.env_params, config.ppo_params, config.policy_params
    rollout = env.num_envs * ppo.n_steps
    if not COUNT.holds(rollout):
        raise UserError(
            f"config keys 'env_params.num_envs' ({env.num_envs:,}) and 'ppo_params.n_steps' ({ppo.n_steps:,}): their "
            f"product, the samples of an update, must {COUNT.words}; it is {rollout:,}."
        )
    if rollout % ppo.batch_size:
        raise UserError(
            f"config key 'ppo_params.batch_size': {ppo.batch_size} does not divide num_envs x n_steps = "
            f"{env.num_envs} x {ppo.n_steps} = {rollout}."
        )
    unshared = any(options.mirror_symmetric is False for options in policy.head_options.values())
    if ppo.mirror_loss_coef > 0 and policy.mirror_symmetric is not False and not unshared:
        raise UserError(
            f"config key 'ppo_params.mirror_loss_coef': {ppo.mirror_loss_coef} has no effect on networks that are "
            "symmetric by construction; set policy_params.mirror_symmetric to false."
        )
    if ppo.target_kl > 0 and not LEARNING_RATES[0] <= ppo.learning_rate <= LEARNING_RATES[1]:
        raise UserError(
            f"config key 'ppo_params.learning_rate': with a target_kl it must lie in {LEARNING_RATES[0]:g}.."
            f"{LEARNING_RATES[1]:g}, got {ppo.learning_rate:g}."
        )
    if ppo.target_kl > 0 and ppo.n_epochs * rollout == ppo.batch_size:
        raise UserError(
            "config key 'ppo_params.target_kl': one epoch of one minibatch has no KL to steer by; set it to 0."
        )


def _check_heads(policy: "PolicyParams") -> None:
    if len(policy.initial_gains) != 2:
        raise UserError(
            "config key 'policy_params.initial_gains': must be [hidden layers', an actor's last], "
            f"got {list(policy.initial_gains)}."
        )
    for key in ("net_arch", "net_indexing_info"):
        if CRITIC not in getattr(policy, key):
            raise UserError(f"config key 'policy_params.{key}': {CRITIC!r} is missing.")
    heads = set(policy.net_arch)
    for name in heads:
        if name == "critic" or name.endswith("_log_std"):
            raise UserError(f"config key 'policy_params.net_arch': no head can be called {name!r}; parameters are.")
    for name in [*policy.net_indexing_info, *policy.head_options, CRITIC]:
        if name not in heads:
            raise unknown("config key 'policy_params': head", name, heads)
    for name in heads - set(policy.net_indexing_info):
        raise UserError(f"config key 'policy_params.net_indexing_info': head {name!r} of net_arch is missing.")


def _check_init_from(init: "InitFrom", policy: "PolicyParams") -> None:
    where = "config key 'init_from"
    for name, do in init.heads.items():
        if name not in policy.net_arch:
            raise unknown(f"{where}.heads': head", name, policy.net_arch)
        if do not in (LOAD, RESET, FREEZE):
            raise unknown(f"{where}.heads.{name}'", do, (LOAD, RESET, FREEZE))
        if do == FREEZE and name == CRITIC:
            raise UserError(f"{where}.heads.{name}': only heads that act can freeze; choose {LOAD!r} or {RESET!r}.")
        if do == FREEZE and not init.normaliser:
            raise UserError(f"{where}.normaliser' is false, but {name!r} is to freeze: it needs it.")
        if do == RESET and name in policy.head_options and policy.head_options[name].init_from:
            raise UserError(f"{where}.heads.{name}' is {RESET!r}, but head_options.{name} has an init_from of its own.")
    if init.optimizer and not init.normaliser:
        raise UserError(f"{where}.optimizer' is true: its moments go with the statistics; set normaliser to true too.")


def _check_evaluation(entry: "EvaluateParams", where: str) -> None:
    if min(entry.num_timesteps, entry.target_velocity_period) <= 0:
        raise UserError(f"{where}num_timesteps' and 'target_velocity_period' must be positive.")
    if not 0.0 < entry.min_target_velocity <= entry.max_target_velocity:
        raise UserError(
            f"{where}min_target_velocity' ({entry.min_target_velocity}) and 'max_target_velocity' "
            f"({entry.max_target_velocity}): need 0 < min <= max."
        )
