"""What a config says of randomization and curriculum, and what is checked of it without a model."""

from dataclasses import dataclass, field, fields

from mjx_assist.errors import UserError

Range = tuple[float, ...]  # (low, high), or () for what does not vary


@dataclass(frozen=True)
class Randomization:
    """What differs from episode to episode: drawn uniformly from ``[low, high]``; ``[]``: as the model is.

    Attributes:
        body_mass (factor): of all segments and inertias alike
        segment_mass (factor): of each segment and its inertia on its own
        strength (factor): of all muscles
        side_strength (factor): of each side's muscles on its own
        friction (factor): of the ground
        ground_stiffness (factor): of the contacts
        ground_damping (factor): of the contacts
        joint_damping (factor): of all joints
        foot_mass (kg): added to each foot
        shank_mass (kg): added to each shank
        waist_mass (kg): added to the pelvis and what it carries
        slope (tangent): of the ground's angle, uphill positive
        device_gain (factor): of the device's torque
        device_delay (s): of the device's command
        device_bandwidth (Hz): of a first-order low-pass in the device
        observation_noise (share): of 0.02 rad or m, 0.2 rad/s or m/s, 0.05 body weights (standard deviation)
        observation_delay (s): of all that is measured
        device_off (chance): that the device goes off for good in an episode
        device_off_time (s): into the episode when it does; below 0: from the start
        push_impulse (N*s): on the pelvis, forward or backward
        push_angle (rad): by which pushes are turned to the left: [-1.57, 1.57] comes from all sides; 3-D walkers only
        push_interval (s): between pushes
    """

    body_mass: Range = ()
    segment_mass: Range = ()
    strength: Range = ()
    side_strength: Range = ()
    friction: Range = ()
    ground_stiffness: Range = ()
    ground_damping: Range = ()
    joint_damping: Range = ()
    foot_mass: Range = ()
    shank_mass: Range = ()
    waist_mass: Range = ()
    slope: Range = ()
    device_gain: Range = ()
    device_delay: Range = ()
    device_bandwidth: Range = ()
    observation_noise: Range = ()
    observation_delay: Range = ()
    device_off: Range = ()
    device_off_time: Range = (0.0, 0.0)
    push_impulse: Range = ()
    push_angle: Range = ()
    push_interval: Range = (3.0, 6.0)


@dataclass(frozen=True)
class Curriculum:
    """How numbers of env_params change while training goes on.

    Each walker has a level of its own: an episode that lasts to its end with ``promote`` of the commanded distance
    covered lifts it, one with less than ``demote`` lowers it; who masters the highest goes on at a random one. Keys are
    those of ``check.SCALARS``; ``reward_keys_and_weights.<term>``, in the place of its weight (an imitation block's
    weights are multiplied by it); ``randomization.<name>``, the share of its range, shrunk towards no change.

    Attributes:
        levels: how many there are
        start_level: walkers start at levels up to this
        promote (share): of the commanded distance that lifts a walker
        demote (share): of it below which a walker is lowered
        promote_tracking (rad): mean tracking error up to which a walker is lifted; 0: any
        by_level: key of env_params -> [value at level 0, value at the highest level], linear between
        by_step: key of env_params -> [[control steps, value], ...], linear between, held before and after
    """

    levels: int = 10
    start_level: int = 0
    promote: float = 0.8
    demote: float = 0.4
    promote_tracking: float = 0.0
    by_level: dict[str, Range] = field(default_factory=dict)
    by_step: dict[str, tuple[Range, ...]] = field(default_factory=dict)


def check_randomization(settings: Randomization, where: str) -> None:
    """Raises ``UserError`` for a range that is not two numbers in order, or lies where none can be."""
    for f in fields(settings):
        span = getattr(settings, f.name)
        if len(span) not in (0, 2) or (span and span[0] > span[1]):
            raise UserError(f"{where}.{f.name}': must be [low, high] or [], got {list(span)}.")
        if span and f.name not in ("slope", "device_off_time", "push_angle") and span[0] < 0:
            raise UserError(f"{where}.{f.name}': must be 0 or more, got {list(span)}.")
    if settings.device_off and settings.device_off[1] > 1:
        raise UserError(f"{where}.device_off': a chance must lie in 0..1, got {list(settings.device_off)}.")
    if not settings.device_off_time:
        raise UserError(f"{where}.device_off_time': must be [low, high], got [].")
    for name in ("body_mass", "segment_mass", "friction", "ground_stiffness", "device_bandwidth", "push_interval"):
        span = getattr(settings, name)
        if span and span[0] <= 0:
            raise UserError(f"{where}.{name}': must be positive, got {list(span)}.")
