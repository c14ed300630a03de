"""One run as a tree of frozen dataclasses: JSON in, JSON out, strict about every key and type.

Key names are MyoAssist's where the meaning is the same, so its users find what they know.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mjx_assist.config_limits import check
from mjx_assist.config_tree import build, override
from mjx_assist.control.settings import DeviceController
from mjx_assist.control.settings import check as check_controller
from mjx_assist.errors import UserError, unknown

ACTIVATIONS = ("elu", "relu", "tanh")
BACKENDS = ("auto", "mjx", "warp", "mujoco")
VELOCITY_MODES = ("UNIFORM", "SINUSOIDAL", "STEP")
CRITIC = "common_critic"
LEARNING_RATES = (1e-5, 3e-3)  # between which a KL target may set it
MODEL_PATH, MODEL_KEYS = "env_params.model_path", ("msk_key", "device_key")

# Joint name patterns: a prosthesis' joint takes the place of the human one, and an amputated side may have none.
JOINT_POSITIONS = ("*ankle_angle_?", "*hip_flexion_?", "*knee_angle_?", "pelvis_tilt", "pelvis_ty")
JOINT_VELOCITIES = (*JOINT_POSITIONS[:-1], "pelvis_tx", "pelvis_ty")


@dataclass(frozen=True)
class RewardWeights:
    """Weight of every term (sim/reward.py has their formulas); 0 or {} switches a term off."""

    forward_reward: float = 0.0
    muscle_activation_penalty: float = 0.0
    muscle_activation_diff_penalty: float = 0.0
    foot_force_penalty: float = 0.0
    joint_constraint_force_penalty: float = 0.0
    qpos_imitation_rewards: dict[str, float] = field(default_factory=dict)
    qvel_imitation_rewards: dict[str, float] = field(default_factory=dict)
    end_effector_imitation_reward: float = 0.0
    footstep_delta_time: float = 0.0
    average_velocity_per_step: float = 0.0
    muscle_activation_penalty_per_step: float = 0.0
    exo_activation_penalty: float = 0.0
    pose_tracking_rewards: dict[str, float] = field(default_factory=dict)
    foot_tracking_reward: float = 0.0
    impact_penalty: float = 0.0


@dataclass(frozen=True)
class EnvParams:
    """What the walker is, what it sees and what it is rewarded for. Velocities in m/s, heights in m, periods in s.

    ``device_controller`` drives the device in the place of a learned head (null: the head does).

    The walker is assist_sim's (``msk_key``, ``device_key``) or a user's own MJCF file (``model_path``; the keys are
    then null). Joints are named by patterns such as ``*ankle_angle_?``.
    """

    msk_key: str | None = "myolegs22"
    device_key: str | None = "Tutorial_L1"
    model_path: str | None = None
    backend: str = "auto"
    num_envs: int = 256
    num_threads: int = 0
    seed: int = 1234
    control_framerate: int = 30
    physics_sim_framerate: int = 240
    safe_height: float = 0.7
    out_of_trajectory_threshold: float = 0.5
    custom_max_episode_steps: int = 1000
    flag_random_ref_index: bool = True
    velocity_mode: str = "UNIFORM"
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    min_target_velocity_period: float = 2.0
    max_target_velocity_period: float = 10.0
    observation_joint_pos_keys: tuple[str, ...] = JOINT_POSITIONS
    observation_joint_vel_keys: tuple[str, ...] = JOINT_VELOCITIES
    observation_joint_sensor_keys: tuple[str, ...] = ("r_foot", "l_foot", "r_toes", "l_toes")
    observe_gait_phase: bool = True
    reference_data_path: str | None = None
    device_controller: DeviceController | None = None
    reward_keys_and_weights: RewardWeights = field(default_factory=RewardWeights)

    @property
    def human(self) -> str:
        """What to reduce: the human's key, or the path of the user's model."""
        return self.model_path or self.msk_key


@dataclass(frozen=True)
class HeadIndexing:
    """What a head observes and drives: name patterns, or MyoAssist's range / index (and *_mapping) entries."""

    observation: tuple[str | dict, ...] = ("*",)
    action: tuple[str | dict, ...] = ()


@dataclass(frozen=True)
class HeadOptions:
    """One actor head: ``initial_action`` in [-1, 1] is what an untrained head outputs.

    ``init_from``: a run or bundle whose head of the same name gives the weights to start with; a head that is frozen as
    well keeps seeing observations normalised as there. ``learning_rate`` and ``log_std_init``: null means the run's; a
    ``target_kl`` changes all rates by the same factor. ``log_std_min``
    bounds exploration from below; null means nothing does.
    """

    enabled: bool = True
    frozen: bool = False
    init_from: str | None = None
    initial_action: float = 0.0
    learning_rate: float | None = None
    log_std_init: float | None = None
    log_std_min: float | None = None


@dataclass(frozen=True)
class PolicyParams:
    """Networks: hidden sizes and wiring per head (``common_critic`` is the value function).

    ``mirror_symmetric``: one network serves both sides; null means where the model is left-right symmetric.
    """

    net_arch: dict[str, tuple[int, ...]] = field(
        default_factory=lambda: {"human_actor": (128, 128), "exo_actor": (32, 32), CRITIC: (128, 128)}
    )
    net_indexing_info: dict[str, HeadIndexing] = field(
        default_factory=lambda: {
            "human_actor": HeadIndexing(action=("muscles",)),
            "exo_actor": HeadIndexing(action=("device",)),
            CRITIC: HeadIndexing(),
        }
    )
    head_options: dict[str, HeadOptions] = field(default_factory=dict)
    activation: str = "elu"
    log_std_init: float = -0.7
    mirror_symmetric: bool | None = None


@dataclass(frozen=True)
class PPOParams:
    """Proximal policy optimisation (Schulman 2017).

    ``target_kl`` steers the learning rate; 0 keeps it constant. ``max_kl`` ends an update early; 0 never does.
    ``normalize_reward`` divides rewards by the standard deviation of their discounted sums. ``mirror_loss_coef`` weighs
    how far the action for the mirror image is from the mirrored action (Yu 2018), for networks that are not symmetric.
    """

    learning_rate: float = 1e-3
    n_steps: int = 64
    batch_size: int = 4096
    n_epochs: int = 5
    gamma: float = 0.98
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    clip_range_vf: float = 0.0
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 1.0
    target_kl: float = 0.01
    max_kl: float = 0.0
    normalize_advantage: bool = True
    normalize_reward: bool = False
    mirror_loss_coef: float = 0.0


@dataclass(frozen=True)
class LoggerParams:
    """How often, in updates, a run logs, saves and lets its policy walk in C MuJoCo (evaluation; 0: never)."""

    logging_frequency: int = 1
    checkpoint_frequency: int = 20
    keep_checkpoints: int = 3
    evaluation_frequency: int = 50


@dataclass(frozen=True)
class EvaluateParams:
    """An entry of ``evaluate_param_list``, in MyoAssist's words: control steps, m/s, s.

    ``cam_type``, ``cam_distance`` and ``visualize_activation`` are of MyoAssist's videos and change nothing here.
    """

    num_timesteps: int = 1000
    velocity_mode: str = "UNIFORM"
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    target_velocity_period: float = 5.0
    cam_type: str = "follow"
    cam_distance: float = 2.5
    visualize_activation: bool = True


@dataclass(frozen=True)
class RunConfig:
    """A whole run. Each entry of ``evaluate_param_list`` becomes a report at its end."""

    total_timesteps: int = 6_000_000
    evaluate_param_list: tuple[EvaluateParams, ...] = ()
    env_params: EnvParams = field(default_factory=EnvParams)
    policy_params: PolicyParams = field(default_factory=PolicyParams)
    ppo_params: PPOParams = field(default_factory=PPOParams)
    logger_params: LoggerParams = field(default_factory=LoggerParams)


def load(path: str | Path, overrides: Sequence[tuple[str, str]] = ()) -> RunConfig:
    """Read a JSON config, apply ``(dotted.key, text)`` overrides, check everything.

    Raises:
        UserError: missing file, bad JSON, unknown key, wrong type, a value out of range.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"config file {str(path)!r} does not exist.")
    try:
        tree = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"config file {str(path)!r} is not JSON: {error}.") from None
    if not isinstance(tree, dict):
        raise UserError(f"config file {str(path)!r} must hold one JSON object.")
    for key, text in overrides:
        override(tree, key, text, to_dict(RunConfig()))
    _choose_model(tree, {key for key, _ in overrides})
    return from_dict(tree)


def from_dict(tree: dict) -> RunConfig:
    """Build and validate a run config from plain JSON data."""
    config = build(RunConfig, _with_one_model(tree), "")
    _validate(config)
    return config


def to_dict(config: Any) -> dict:
    """Plain JSON data of a config; ``from_dict(to_dict(c)) == c``."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _choose_model(tree: dict, keys: set[str]) -> None:
    """On the command line a model's path takes the place of the file's human and device, and they that of a path."""
    env = tree.get("env_params")
    if not isinstance(env, dict):
        return
    keyed = {f"env_params.{k}" for k in MODEL_KEYS} & keys
    if MODEL_PATH in keys and not keyed:
        env.update(dict.fromkeys(MODEL_KEYS))
    elif keyed and MODEL_PATH not in keys:
        env.pop("model_path", None)


def _with_one_model(tree: dict) -> dict:
    """The tree with null for the human's and device's keys where a model's path takes their place.

    Raises:
        UserError: both are given.
    """
    env = tree.get("env_params")
    if not isinstance(env, dict) or env.get("model_path") is None:
        return tree
    for key in MODEL_KEYS:
        if env.get(key) is not None:
            raise UserError(
                f"config keys 'env_params.model_path' ({env['model_path']!r}) and 'env_params.{key}' ({env[key]!r}): "
                "give one of them, and null for the other."
            )
    return {**tree, "env_params": {**env, **dict.fromkeys(MODEL_KEYS)}}


def _validate(config: RunConfig) -> None:
    """Relations between values that no type can say; what depends on the model is checked where the model is known."""
    check(to_dict(config))
    env, ppo, policy = config.env_params, config.ppo_params, config.policy_params
    if env.backend not in BACKENDS:
        raise unknown("config key 'env_params.backend'", env.backend, BACKENDS)
    if env.msk_key is None and env.model_path is None:
        raise UserError("config keys 'env_params.msk_key' and 'env_params.model_path': one of them must be given.")
    if policy.activation not in ACTIVATIONS:
        raise unknown("config key 'policy_params.activation'", policy.activation, ACTIVATIONS)
    if env.velocity_mode not in VELOCITY_MODES:
        raise unknown("config key 'env_params.velocity_mode'", env.velocity_mode, VELOCITY_MODES)
    if env.device_controller is not None:
        check_controller(env.device_controller, "config key 'env_params.device_controller'")
    for i, entry in enumerate(config.evaluate_param_list):
        _check_evaluation(entry, f"config key 'evaluate_param_list[{i}].")
    if env.physics_sim_framerate % env.control_framerate:
        raise UserError(
            f"config key 'env_params.physics_sim_framerate': {env.physics_sim_framerate} is not a multiple of "
            f"control_framerate {env.control_framerate}."
        )
    for low in ("min_target_velocity", "min_target_velocity_period"):
        high = low.replace("min_", "max_")
        if not 0.0 < getattr(env, low) <= getattr(env, high):
            raise UserError(
                f"config keys 'env_params.{low}' ({getattr(env, low)}) and '{high}' ({getattr(env, high)}): "
                "need 0 < min <= max."
            )
    rollout = env.num_envs * ppo.n_steps
    if rollout % ppo.batch_size:
        raise UserError(
            f"config key 'ppo_params.batch_size': {ppo.batch_size} does not divide num_envs x n_steps = "
            f"{env.num_envs} x {ppo.n_steps} = {rollout}."
        )
    if ppo.mirror_loss_coef > 0 and policy.mirror_symmetric is not False:
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


def _check_evaluation(entry: EvaluateParams, where: str) -> None:
    if entry.velocity_mode not in VELOCITY_MODES:
        raise unknown(f"{where}velocity_mode'", entry.velocity_mode, VELOCITY_MODES)
    if min(entry.num_timesteps, entry.target_velocity_period) <= 0:
        raise UserError(f"{where}num_timesteps' and 'target_velocity_period' must be positive.")
    if not 0.0 < entry.min_target_velocity <= entry.max_target_velocity:
        raise UserError(
            f"{where}min_target_velocity' ({entry.min_target_velocity}) and 'max_target_velocity' "
            f"({entry.max_target_velocity}): need 0 < min <= max."
        )
