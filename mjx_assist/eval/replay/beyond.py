"""What of a walk's conditions a policy was not trained for, in a sentence."""

import math

from mjx_assist.eval.replay.conditions import Conditions
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.trained import Trained, degrees, ground_words, grounds, trained

_SPEED, _SLOPE, _PUSH, _HEIGHT = 0.005, 0.002, 0.5, 0.002  # m/s, tangent, N*s, m: within these it is the same
_TURN = 0.005  # rad/s


def beyond(bundle: Bundle, conditions: Conditions) -> str | None:
    """The sentence that tells what is new to the policy, and what it knows; None where nothing is new."""
    known = trained(bundle.config.env_params)
    new = [
        *_speed(known, conditions),
        *_ground(known, bundle, conditions),
        *_push(known, conditions),
        *_turn(known, conditions),
    ]
    if not new:
        return None
    return f"not trained for {', '.join(new)} (trained for {known})"


def _speed(known: Trained, conditions: Conditions) -> list[str]:
    low, high = known.speed
    asked = conditions.command.speed if conditions.command else known.speed
    return [f"{speed:g} m/s" for speed in dict.fromkeys(asked) if not low - _SPEED <= speed <= high + _SPEED]


def _ground(known: Trained, bundle: Bundle, conditions: Conditions) -> list[str]:
    applied = conditions.applied(bundle.config.env_params)
    here, (low, high) = trained(applied), known.slope
    steep = [slope for slope in dict.fromkeys(here.slope) if not low - _SLOPE <= slope <= high + _SLOPE]
    rough = {kind: height for kind, height in grounds(applied).items() if height > known.grounds.get(kind, 0) + _HEIGHT}
    return [f"a slope of {degrees(slope):+.3g}°" for slope in steep] + [
        ground_words(*ground) for ground in rough.items()
    ]


def _push(known: Trained, conditions: Conditions) -> list[str]:
    impulse = conditions.push[0] if conditions.push else 0.0
    return [f"pushes of {impulse:+g} N·s"] if abs(impulse) > known.push + _PUSH else []


def _turn(known: Trained, conditions: Conditions) -> list[str]:
    (right, left), asked = known.turn, conditions.turn.speed if conditions.turn else (0.0,)
    sharp = [rate for rate in dict.fromkeys(asked) if not right - _TURN <= rate <= left + _TURN]
    return [f"a turn of {math.degrees(rate):+.3g}°/s" for rate in sharp]
