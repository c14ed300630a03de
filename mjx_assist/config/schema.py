"""One run as a tree of frozen dataclasses: JSON in, JSON out, strict about every key and type.

Key names are MyoAssist's where the meaning is the same, so its users find what they know. What a key means stands in
its class's docstring under "Attributes", as ``key (unit): meaning``, and ends with ``{}`` where MyoAssist calls it so
too, with ``{its word}`` where it calls it otherwise; reference.py makes docs/config.md and the editor's schema of it.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated

from mjx_assist.config.around import EvaluateParams, InitFrom, LoggerParams
from mjx_assist.config.device import DeviceController
from mjx_assist.config.family import DeviceFamily
from mjx_assist.config.heads import HeadOptions, PolicyParams
from mjx_assist.config.limits import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    RATE,
    SEED,
    SHARE,
    THREADS,
    TOTAL,
    TURN,
    OneOf,
)
from mjx_assist.config.rewards import RewardWeights
from mjx_assist.config.subject import BODY_TRAITS, Subject, to_text
from mjx_assist.config.words import (
    ALL_ACTIVATIONS,
    ASSIST_SIM,
    AUTO,
    BACKENDS,
    BODY_MARK,
    DEVICE_ACTIONS,
    FREEZE,
    FROM_ZERO,
    LEAN_MARK,
    LOAD,
    MATCHED,
    OBSERVED_ACTIVATIONS,
    PLAYBACKS,
    REDUCED,
    RESET,
    TRAINED_KINDS,
    UNIFORM,
    VELOCITY_MODES,
)
from mjx_assist.curriculum.settings import Curriculum, Randomization

# Joint name patterns: a prosthesis' joint takes the place of the human one, and an amputated side may have none.
JOINT_POSITIONS = ("*ankle_angle_?", "*hip_flexion_?", "*knee_angle_?", "pelvis_tilt", "pelvis_ty")
JOINT_VELOCITIES = (*JOINT_POSITIONS[:-1], "pelvis_tx", "pelvis_ty")


@dataclass(frozen=True)
class EnvParams:
    """What the walker is, what it sees and is rewarded for. Joints are named by patterns such as ``*ankle_angle_?``.

    Attributes:
        msk_key: assist_sim's human ('mjx-assist models list'); null with a model_path {}
        body: a variant of the human that differs from assist_sim's on purpose (docs/models.md)
        device_key: the device that it wears; null: none {}
        trunk_lean (rad): by which the trunk leans forward over the pelvis, for good {lumbar_joint_fixed_angle}
        subject: who it is: a person's size, build, strength (docs/subjects.md); null: the standard body
        cohort: people who train one policy together, by name, or their file; their bodies are observed
        model_path: a MuJoCo XML file of your own in the place of assist_sim's human and device (docs/own_models.md) {}
        fit_to_body: what must differ between bodies follows from the model: joints that it lacks are left out
        model_kind: what moves in training: the reduced model, or assist_sim's as composed (docs/composed.md)
        backend: what steps the physics; auto picks by the hardware (docs/physics.md)
        num_envs: walkers that train at once {}
        num_threads: of the physics on a CPU; 0: as many as there are cores
        seed: repeats a run {}
        control_framerate (Hz): how often the policy acts {}
        physics_sim_framerate (Hz): of the physics steps, a multiple of control_framerate {}
        safe_height (m): with the pelvis lower the walker has fallen; of a subject in proportion to its legs {}
        out_of_trajectory_threshold (rad, m): a joint further than this from the reference ends the episode {}
        out_of_trajectory_joint_keys: the joints that may end it so; null: those of qpos_imitation_rewards {}
        joint_limit_keys: joints that joint_constraint_force_penalty counts; null: all limited {joint_limit_sensor_keys}
        custom_max_episode_steps (control steps): length of an episode without a fall {}
        flag_random_ref_index: episodes start anywhere in the reference's cycle {}
        velocity_mode: how the speed that is asked changes in an episode (docs/training.md)
        min_target_velocity (m/s): the slowest speed that is asked {}
        max_target_velocity (m/s): the fastest {}
        min_target_velocity_period (s): the shortest time between changes of the speed {}
        max_target_velocity_period (s): the longest {}
        standing_share (chance): that the speed asked is 0 at the start and at the end of an episode
        heading_rate_mode: how the turn that is asked changes in an episode, as velocity_mode
        min_heading_rate (rad/s): the sharpest turn to the right (negative) that is asked (docs/turning.md)
        max_heading_rate (rad/s): the sharpest to the left; both 0: no turn is asked or seen
        observation_joint_pos_keys: joints whose position is observed {}
        observation_joint_vel_keys: joints whose velocity is observed {}
        observation_joint_sensor_keys: foot sensors that are observed, in body weights {}
        observation_activations: of what the activation is observed: all actuators that have one, or the muscles
        observe_gait_phase: sine and cosine of the reference's phase are observed
        reference_data_path: your own motion, CSV, JSON or npz (docs/reference_gait.md); null: healthy walking {}
        reference_playback: matched to the speed asked; as recorded; or its poses with the cadence scaled to the speed
        reference_speed (m/s): which of a reference's speeds is played; null: the one asked; not with matched playback
        device_controller: what drives the device in the place of a learned head (docs/controllers.md); null: the head
        device_family: devices that walkers wear in turn, in the place of a controller (docs/design.md); null: none
        device_action: what an action of 0 means: no torque, or the middle of the device's whole control range
        device_torque_limit: share of the device's torque that its head can ask for, 0..1 {device_ctrl_scale}
        terrain_type: kind of ground, or several: flat, random, harmonic_sinusoidal, slope (docs/terrain.md) {}
        terrain_params: the ground's numbers, as a text for each kind {}
        terrain: a config of the package myoassist-terrains, or its file, in the place of terrain_type {}
        terrain_amplitude: share of the ground's heights, 0..1
        terrain_observation (m): distances ahead of the pelvis at which the ground's height is observed
        randomization: what differs from episode to episode (docs/randomization.md)
        curriculum: what changes as training goes on (docs/curriculum.md); null: nothing
        reward_keys_and_weights: the reward's terms (docs/rewards.md) {}
    """

    msk_key: str | None = "myolegs22"
    body: str = ASSIST_SIM
    device_key: str | None = "Tutorial_L1"
    trunk_lean: float = 0.0
    subject: Subject | None = None
    cohort: dict[str, Subject] = field(default_factory=dict)
    model_path: str | None = None
    fit_to_body: bool = False
    model_kind: Annotated[str, OneOf(TRAINED_KINDS)] = REDUCED
    backend: Annotated[str, OneOf(BACKENDS)] = AUTO
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
    velocity_mode: Annotated[str, OneOf(VELOCITY_MODES)] = UNIFORM
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    min_target_velocity_period: float = 2.0
    max_target_velocity_period: float = 10.0
    standing_share: Annotated[float, SHARE] = 0.0
    heading_rate_mode: Annotated[str, OneOf(VELOCITY_MODES)] = UNIFORM
    min_heading_rate: Annotated[float, TURN] = 0.0
    max_heading_rate: Annotated[float, TURN] = 0.0
    observation_joint_pos_keys: tuple[str, ...] = JOINT_POSITIONS
    observation_joint_vel_keys: tuple[str, ...] = JOINT_VELOCITIES
    observation_joint_sensor_keys: tuple[str, ...] = ("r_foot", "l_foot", "r_toes", "l_toes")
    observation_activations: Annotated[str, OneOf(OBSERVED_ACTIVATIONS)] = ALL_ACTIVATIONS
    observe_gait_phase: bool = True
    reference_data_path: str | None = None
    reference_playback: Annotated[str, OneOf(PLAYBACKS)] = MATCHED
    reference_speed: Annotated[float | None, POSITIVE] = None
    device_controller: DeviceController | None = None
    device_family: DeviceFamily | None = None
    device_action: Annotated[str, OneOf(DEVICE_ACTIONS)] = FROM_ZERO
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
    def controller(self) -> DeviceController | DeviceFamily | None:
        """What drives the device in the place of a learned head; None where a head does."""
        return self.device_family or self.device_controller

    @property
    def turns(self) -> bool:
        """Whether a turn is asked, now or at another level of the curriculum."""
        return bool(self.min_heading_rate or self.max_heading_rate)

    @property
    def seen_design(self) -> tuple[str, ...]:
        """The parameters of the device family that the policy sees."""
        return self.device_family.free if self.device_family and self.device_family.observed else ()

    @property
    def seen_body(self) -> tuple[str, ...]:
        """What of the body the policy sees: nothing of one that is always the same."""
        return BODY_TRAITS if self.cohort else ()

    @property
    def human(self) -> str:
        """What to reduce: the human's key with its body's, or the path of the user's model; who it is, its lean."""
        body = "" if self.body == ASSIST_SIM else f"{BODY_MARK}{self.body}"
        lean = f"{LEAN_MARK}{self.trunk_lean:.6g}" if self.trunk_lean else ""
        base = self.model_path or f"{self.msk_key or ''}{body}"
        return base + to_text(self.subject) + lean  # one of them is given: checks.py


@dataclass(frozen=True)
class PPOParams:
    """Proximal policy optimisation (Schulman 2017).

    Attributes:
        learning_rate: of Adam, at the start; target_kl steers it {}
        n_steps (control steps): of each walker between updates {}
        batch_size: samples of a minibatch; divides num_envs x n_steps {}
        n_epochs: times that an update goes over its samples {}
        gamma: discount for a control step {}
        gae_lambda: of the generalised advantage estimate {}
        clip_range: of the probability ratio {}
        clip_range_vf: of the value's change; 0: not clipped {}
        ent_coef: weight of the policy's entropy {}
        vf_coef: weight of the value loss {}
        max_grad_norm: the gradient is clipped to {}
        target_kl (nats): an update's that steers the learning rate; 0: the rate is constant
        max_kl (nats): beyond which an update ends early; 0: never {target_kl, times 1.5}
        normalize_advantage: to mean 0 and deviation 1 in each minibatch {}
        normalize_reward: rewards are divided by the standard deviation of their discounted sums
        mirror_loss_coef: how much acting otherwise in the mirror costs (Yu 2018); for unshared networks {mirror_coef}
        adam_epsilon: of Adam
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
    """A whole run.

    Attributes:
        total_timesteps (control steps): of all walkers together {}
        init_from: the policy to start from (docs/transfer.md); null: fresh networks {prev_trained_policy_path}
        evaluate_param_list: each entry becomes a report at the run's end {}
        env_params: the walker {}
        policy_params: the networks {}
        ppo_params: the learning {}
        logger_params: what is written, and when {}
    """

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
