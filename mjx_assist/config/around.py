"""What a run's config says around the training itself: logs, reports, and the policy that it starts from."""

from dataclasses import dataclass, field
from typing import Annotated

from mjx_assist.config.limits import COUNT, NOT_NEGATIVE
from mjx_assist.config.words import UNIFORM


@dataclass(frozen=True)
class LoggerParams:
    """How often, in updates, a run logs, saves and lets its policy walk in C MuJoCo (evaluation; 0: never)."""

    logging_frequency: Annotated[int, COUNT] = 1
    checkpoint_frequency: Annotated[int, COUNT] = 20
    keep_checkpoints: Annotated[int, COUNT] = 3
    evaluation_frequency: Annotated[int, NOT_NEGATIVE] = 50


@dataclass(frozen=True)
class EvaluateParams:
    """An entry of ``evaluate_param_list``, in MyoAssist's words: control steps, m/s, s.

    ``cam_type``, ``cam_distance`` and ``visualize_activation`` are of MyoAssist's videos and change nothing here.
    """

    num_timesteps: int = 1000
    velocity_mode: str = UNIFORM
    min_target_velocity: float = 1.25
    max_target_velocity: float = 1.25
    target_velocity_period: float = 5.0
    cam_type: str = "follow"
    cam_distance: float = 2.5
    visualize_activation: bool = True


@dataclass(frozen=True)
class InitFrom:
    """Another run, bundle or shipped policy to start from (``source``); `mjx_assist.transfer` matches both by name.

    ``heads``: head (or common_critic) -> "load", "reset" (starts fresh) or "freeze" (loaded, and stays as it is); what
    is not named is loaded if the source has it. ``exploration``: their log standard deviations too. ``normaliser``: the
    statistics of the observations. ``optimizer``: Adam's moments and the learning rate, which only a run has.
    """

    source: str
    heads: dict[str, str] = field(default_factory=dict)
    exploration: bool = True
    normaliser: bool = True
    optimizer: bool = False
