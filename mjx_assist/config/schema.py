"""One run as a tree of frozen dataclasses: JSON in, JSON out, strict about every key and type.

Key names are MyoAssist's where the meaning is the same, so its users find what they know.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Annotated

from mjx_assist.config.around import EvaluateParams, InitFrom, LoggerParams
from mjx_assist.config.device import DeviceController
from mjx_assist.config.limits import (
    ACTION,
    COUNT,
    LAYER,
    NOT_NEGATIVE,
    POSITIVE,
    RATE,
    SEED,
    SHARE,
    THREADS,
    TOTAL,
)
from mjx_assist.config.words import (
    ALL_ACTIVATIONS,
    ASSIST_SIM,
    AUTO,
    BODY_MARK,
    CRITIC,
    ELU,
    FREEZE,
    FROM_ZERO,
    LEAN_MARK,
    LINEAR,
    LOAD,
    MATCHED,
    REDUCED,
    RESET,
    UNIFORM,
)
from mjx_assist.curriculum.settings import Curriculum, Randomization

# Joint name patterns: a prosthesis' joint takes the place of the human one, and an amputated side may have none.
JOINT_POSITIONS = ("*ankle_angle_?", "*hip_flexion_?", "*knee_angle_?", "pelvis_tilt", "pelvis_ty")
JOINT_VELOCITIES = (*JOINT_POSITIONS[:-1], "pelvis_tx", "pelvis_ty")


@dataclass(frozen=True)
class RewardWeights:
    """Weight of every term (sim/reward.py has their formulas); 0 or {} switches a term off.

    ``extra_terms``: the user's own, by where their function is: ``package.module:function`` (docs/extending.md).
    """

    forward_reward: float = 0.0
    muscle_activation_penalty: float = 0.0
    muscle_activation_mean_penalty: float = 0.0
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
    metabolic_power_penalty: float = 0.0
    device_power_penalty: float = 0.0
    device_torque_rate_penalty: float = 0.0
    trunk_steadiness_penalty: float = 0.0
    alive_reward: float = 0.0
    extra_terms: dict[str, float] = field(default_factory=dict)

    @property
    def terms(self) -> dict[str, float | dict[str, float]]:
        """Every term's weight (an imitation block's: by joint), the user's own too, by the name it is logged under."""
        ours = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "extra_terms"}
        return {**ours, **self.extra_terms}


@dataclass(frozen=True)
class EnvParams:
    """What the walker is, what it sees and what it is rewarded for. Velocities in m/s, heights in m, periods in s.

    ``device_controller`` drives the device in the place of a learned head (null: the head does).

    The walker is assist_sim's (``msk_key``, ``device_key``) or a user's own MJCF file (``model_path``; the keys are
    then null). Joints are named by patterns such as ``*ankle_angle_?``.

    ``fit_to_body``: joint patterns that the model lacks are left out, and what else must differ between bodies follows
    from the model (`sim.fit_to_body`), so that one config serves every human and device.

    ``body``: a variant of the human that differs from assist_sim's on purpose (docs/models.md). ``trunk_lean``: rad by
    which the trunk leans forward over the pelvis, for good.

    ``model_kind``: what moves in training, the ``reduced`` model or assist_sim's as ``composed`` (docs/composed.md; on
    the backend ``mujoco``).

    ``device_torque_limit``: share of the device's torque that its head can ask for. ``terrain_amplitude``: share of the
    heights that ``terrain_type`` with ``terrain_params`` describe. ``terrain_observation``: how far ahead of the pelvis
    (m) the ground's height over that under the pelvis is seen. ``terrain``: a config of the package myoassist-terrains
    in the place of ``terrain_type``, or the path of a JSON file with one (docs/terrain.md).

    ``device_action``: what a device's action means. ``observation_activations``: of all actuators that have one, or of
    the muscles. ``reference_playback``: how the reference is played; ``reference_speed`` (m/s): which one of several
    speeds, where that is not the commanded one. ``out_of_trajectory_joint_keys``: the joints that end an episode (null:
    those with a weight in ``qpos_imitation_rewards``); ``joint_limit_keys``: the joints that count for
    ``joint_constraint_force_penalty`` (null: all that have limits).
    """

    msk_key: str | None = "myolegs22"
    body: str = ASSIST_SIM
    device_key: str | None = "Tutorial_L1"
    trunk_lean: float = 0.0
    model_path: str | None = None
    fit_to_body: bool = False
    model_kind: str = REDUCED
    backend: str = AUTO
    num_envs: Annotated[int, COUNT] = 256
    num_threads: Annotated[int, THREADS] = 0
    seed: Annotated[int, SEED] = 1234
    control_framerate: Annotated[int, RATE] = 30
    physics_sim_framerate: Annotated[int, RATE] = 240
    safe_height: float = 0.7
    out_of_trajectory_threshold: Annotated[float, POSITIVE] = 0.5
    out_of_trajectory_joint_keys: tuple[str, ...] | None = None
    joint_limit_keys: tuple[str, ...] | None = None
    custom_max_episode_steps: Annotated[int, COUNT] = 1000
    flag_random_ref_index: bool = True
    velocity_mode: str = UNIFORM
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    min_target_velocity_period: float = 2.0
    max_target_velocity_period: float = 10.0
    observation_joint_pos_keys: tuple[str, ...] = JOINT_POSITIONS
    observation_joint_vel_keys: tuple[str, ...] = JOINT_VELOCITIES
    observation_joint_sensor_keys: tuple[str, ...] = ("r_foot", "l_foot", "r_toes", "l_toes")
    observation_activations: str = ALL_ACTIVATIONS
    observe_gait_phase: bool = True
    reference_data_path: str | None = None
    reference_playback: str = MATCHED
    reference_speed: Annotated[float | None, POSITIVE] = None
    device_controller: DeviceController | None = None
    device_action: str = FROM_ZERO
    device_torque_limit: float = 1.0
    terrain_type: str | tuple[str, ...] = "flat"
    terrain_params: str | float | tuple[str | float, ...] = ""
    terrain: dict | str | None = None
    terrain_amplitude: float = 1.0
    terrain_observation: tuple[float, ...] = ()
    randomization: Randomization = field(default_factory=Randomization)
    curriculum: Curriculum | None = None
    reward_keys_and_weights: RewardWeights = field(default_factory=RewardWeights)

    @property
    def human(self) -> str:
        """What to reduce: the human's key with that of its body, or the path of the user's model; and its lean."""
        body = "" if self.body == ASSIST_SIM else f"{BODY_MARK}{self.body}"
        lean = f"{LEAN_MARK}{self.trunk_lean:.6g}" if self.trunk_lean else ""
        return (self.model_path or f"{self.msk_key or ''}{body}") + lean  # one of them is given: checks.py


@dataclass(frozen=True)
class HeadIndexing:
    """What a head observes and drives: name patterns, or MyoAssist's range / index (and *_mapping) entries."""

    observation: tuple[str | dict, ...] = ("*",)
    action: tuple[str | dict, ...] = ()


@dataclass(frozen=True)
class HeadOptions:
    """One actor head: ``initial_action`` is what an untrained head outputs; ``held_action``, the action that holds the
    actuators of one that is not enabled (null: at no force). ``mirror_symmetric``: null means the policy's.

    ``init_from``: a run or bundle whose head of the same name gives the weights to start with, in the place of the
    run's `InitFrom`; a head that is frozen as well keeps seeing observations normalised as there. ``learning_rate`` and
    ``log_std_init``: null means the run's; a ``target_kl`` changes all rates by the same factor. ``log_std_min`` bounds
    exploration from below; null means nothing does.
    """

    enabled: bool = True
    frozen: bool = False
    init_from: str | None = None
    initial_action: Annotated[float, ACTION] = 0.0
    held_action: Annotated[float | None, ACTION] = None
    mirror_symmetric: bool | None = None
    learning_rate: Annotated[float | None, NOT_NEGATIVE] = None
    log_std_init: float | None = None
    log_std_min: float | None = None


@dataclass(frozen=True)
class PolicyParams:
    """Networks: hidden sizes and wiring per head (``common_critic`` is the value function).

    ``mirror_symmetric``: one network serves both sides; null means where the model is left-right symmetric.
    ``normalize_observations``: networks see observations by their running mean and deviation, not as they are.
    ``initial_gains``: of the orthogonal weights, hidden layers' and an actor's last.
    """

    net_arch: Annotated[dict[str, tuple[int, ...]], LAYER] = field(
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
    activation: str = ELU
    output_activation: str = LINEAR
    normalize_observations: bool = True
    initial_gains: Annotated[tuple[float, ...], POSITIVE] = (math.sqrt(2), 0.01)
    log_std_init: float = -0.7
    mirror_symmetric: bool | None = None


@dataclass(frozen=True)
class PPOParams:
    """Proximal policy optimisation (Schulman 2017).

    ``target_kl`` steers the learning rate; 0 keeps it constant. ``max_kl`` ends an update early; 0 never does.
    ``normalize_reward`` divides rewards by the standard deviation of their discounted sums. ``mirror_loss_coef`` weighs
    how far the action for the mirror image is from the mirrored action (Yu 2018), for networks that are not symmetric.
    """

    learning_rate: Annotated[float, POSITIVE] = 1e-3
    n_steps: Annotated[int, COUNT] = 64
    batch_size: Annotated[int, COUNT] = 4096
    n_epochs: Annotated[int, COUNT] = 5
    gamma: Annotated[float, SHARE] = 0.98
    gae_lambda: Annotated[float, SHARE] = 0.95
    clip_range: Annotated[float, POSITIVE] = 0.2
    clip_range_vf: Annotated[float, NOT_NEGATIVE] = 0.0
    ent_coef: Annotated[float, NOT_NEGATIVE] = 0.0
    vf_coef: Annotated[float, NOT_NEGATIVE] = 0.5
    max_grad_norm: Annotated[float, POSITIVE] = 1.0
    target_kl: Annotated[float, NOT_NEGATIVE] = 0.01
    max_kl: Annotated[float, NOT_NEGATIVE] = 0.0
    normalize_advantage: bool = True
    normalize_reward: bool = False
    mirror_loss_coef: Annotated[float, NOT_NEGATIVE] = 0.0
    adam_epsilon: Annotated[float, POSITIVE] = 1e-5


@dataclass(frozen=True)
class RunConfig:
    """A whole run. Each entry of ``evaluate_param_list`` becomes a report at its end."""

    total_timesteps: Annotated[int, TOTAL] = 6_000_000
    init_from: InitFrom | None = None
    evaluate_param_list: tuple[EvaluateParams, ...] = ()
    env_params: EnvParams = field(default_factory=EnvParams)
    policy_params: PolicyParams = field(default_factory=PolicyParams)
    ppo_params: PPOParams = field(default_factory=PPOParams)
    logger_params: LoggerParams = field(default_factory=LoggerParams)

    @property
    def head_options(self) -> dict[str, HeadOptions]:
        """Options of every head, with what `InitFrom` says of it."""
        made = {}
        for name in self.policy_params.net_arch:
            options = self.policy_params.head_options.get(name, HeadOptions())
            init = self.init_from
            do = init.heads.get(name, LOAD) if init else RESET
            if init and do != RESET:
                options = dataclasses.replace(options, init_from=options.init_from or init.source)
            made[name] = dataclasses.replace(options, frozen=options.frozen or do == FREEZE)
        return made
