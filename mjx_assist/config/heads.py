"""What a run's config says of the networks: a head for each part of the walker, and the value function."""

import math
from dataclasses import dataclass, field
from typing import Annotated

from mjx_assist.config.limits import ACTION, LAYER, NOT_NEGATIVE, POSITIVE, OneOf
from mjx_assist.config.words import ACTIVATIONS, CRITIC, ELU, LINEAR, OUTPUT_ACTIVATIONS


@dataclass(frozen=True)
class HeadIndexing:
    """What a head observes and drives.

    Attributes:
        observation: name patterns such as ``qpos.*``, or MyoAssist's range and index entries {}
        action: ``muscles``, ``device``, name patterns, or MyoAssist's entries {}
    """

    observation: tuple[str | dict, ...] = ("*",)
    action: tuple[str | dict, ...] = ()


@dataclass(frozen=True)
class HeadOptions:
    """One actor head.

    Attributes:
        enabled: false: its actuators get no command, or held_action
        frozen: its weights stay as they are
        init_from: a policy whose head of this name gives the weights to start with, in the place of the run's init_from
        initial_action: what an untrained head outputs
        held_action: what holds the actuators of a head that is not enabled; null: no force {constant}
        mirror_symmetric: one network for both sides; null: as policy_params.mirror_symmetric
        learning_rate: its own; null: the run's. A target_kl changes all by the same factor
        log_std_init: log of its exploration's standard deviation at the start; null: the run's
        log_std_min: which that never falls below; null: no bound
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
    """Networks and their wiring; ``common_critic`` is the value function.

    Attributes:
        net_arch: head -> sizes of its hidden layers {}
        net_indexing_info: head -> what it observes and drives {}
        head_options: head -> its options
        activation: of the hidden layers
        output_activation: what follows an actor's last layer
        normalize_observations: networks see observations by their running mean and deviation, not as they are
        initial_gains: of the orthogonal weights at the start: hidden layers', an actor's last
        log_std_init: log of the exploration's standard deviation at the start {}
        mirror_symmetric: one network serves both sides; null: where the model is left-right symmetric
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
    activation: Annotated[str, OneOf(ACTIVATIONS)] = ELU
    output_activation: Annotated[str, OneOf(OUTPUT_ACTIVATIONS)] = LINEAR
    normalize_observations: bool = True
    initial_gains: Annotated[tuple[float, ...], POSITIVE] = (math.sqrt(2), 0.01)
    log_std_init: float = -0.7
    mirror_symmetric: bool | None = None
