"""What a run's config says around the training itself: logs, reports, and the policy that it starts from."""

from dataclasses import dataclass, field
from typing import Annotated

from mjx_assist.config.limits import COUNT, NOT_NEGATIVE, OneOf
from mjx_assist.config.words import HEAD_STARTS, UNIFORM, VELOCITY_MODES


@dataclass(frozen=True)
class LoggerParams:
    """How often a run logs, saves and lets its policy walk in C MuJoCo.

    Attributes:
        logging_frequency (updates): between lines of the log {}
        checkpoint_frequency (updates): between checkpoints
        keep_checkpoints: how many of the newest stay
        evaluation_frequency (updates): between walks of the policy in C MuJoCo; 0: never {evaluate_frequency}
    """

    logging_frequency: Annotated[int, COUNT] = 1
    checkpoint_frequency: Annotated[int, COUNT] = 20
    keep_checkpoints: Annotated[int, COUNT] = 3
    evaluation_frequency: Annotated[int, NOT_NEGATIVE] = 50


@dataclass(frozen=True)
class EvaluateParams:
    """A walk and its report at the end of a run, in MyoAssist's words.

    Attributes:
        num_timesteps (control steps): of the walk {}
        velocity_mode: how the speed that is asked changes {}
        min_target_velocity (m/s): the slowest {}
        max_target_velocity (m/s): the fastest {}
        target_velocity_period (s): of its changes {}
        cam_type: of MyoAssist's films; changes nothing here {}
        cam_distance: of MyoAssist's films; changes nothing here {}
        visualize_activation: of MyoAssist's films; changes nothing here {}
    """

    num_timesteps: int = 1000
    velocity_mode: Annotated[str, OneOf(VELOCITY_MODES)] = UNIFORM
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    target_velocity_period: float = 5.0
    cam_type: str = "follow"
    cam_distance: float = 2.5
    visualize_activation: bool = True


@dataclass(frozen=True)
class InitFrom:
    """Another policy to start from, matched by name (`mjx_assist.training.transfer`).

    Attributes:
        source: a run, a bundle, or a shipped policy by its name {prev_trained_policy_path}
        heads: head or common_critic -> load, reset (starts fresh) or freeze (stays as loaded); else loaded if there
        exploration: log standard deviations of the loaded heads too
        normaliser: the statistics of the observations too
        optimizer: Adam's moments and the learning rate too; only a run has them
    """

    source: str
    heads: Annotated[dict[str, str], OneOf(HEAD_STARTS)] = field(default_factory=dict)
    exploration: bool = True
    normaliser: bool = True
    optimizer: bool = False
