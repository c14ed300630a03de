"""The flags that say under what a policy walks (speed, slope, turn, ground, pushes, device), for every command."""

import argparse
import math
from typing import Any

from mjx_assist.cli.arguments import Parser
from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.errors import UserError, note
from mjx_assist.eval.replay import design, person
from mjx_assist.eval.replay.beyond import beyond
from mjx_assist.eval.replay.conditions import Conditions, constant, figure_of_eight, fixed
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.sim.command import CommandRange
from mjx_assist.sim.heading import root_of
from mjx_assist.terrain.kinds import kinds

FLAGS = ("speed", "slope", "turn", "terrain", "push", "device", "design", "subject")
EIGHT = "eight"
SHARPEST_DEG = 90.0
PUSH_EVERY_S = 4.0
STEEPEST_DEG = 30.0


def add_conditions(parser: Parser) -> None:
    parser.add_argument("--speed", metavar="M/S", type=float, help="ask for this speed (default: as in training)")
    parser.add_argument("--slope", metavar="DEG", type=float, help="the ground's angle, uphill positive (default: 0)")
    text = "random:HEIGHT in m, harmonic_sinusoidal:AMPLITUDE,PERIOD across, AMPLITUDE,PERIOD along (default: flat)"
    parser.add_argument("--terrain", metavar="KIND:NUMBERS", help=f"rough ground: {text}")
    text = f"impulse on the pelvis, forward positive, every EVERY s (default: {PUSH_EVERY_S:g}), DEG to the left of it"
    parser.add_argument("--push", metavar="N*S[,EVERY[,DEG]]", help=text)
    text = f"turn to the left (negative: right) by so much; {EIGHT}:DEG/S walks a figure of eight (3-D walkers)"
    parser.add_argument("--turn", metavar="DEG/S", help=text)
    text = "one device of the family that the policy was trained for (default: as the episode's seed draws it)"
    parser.add_argument("--design", metavar="NAME=NUMBER,...", help=text)
    text = "of a policy for a cohort: as whom it walks, a name of its cohort or a file (default: the standard body)"
    parser.add_argument("--subject", metavar="NAME|FILE[#NAME]", help=text)
    parser.add_argument("--device", metavar="on|off", help="off: worn, and without torque (--controller zero_torque)")


def given(arguments: argparse.Namespace) -> list[str]:
    """Those of the flags that were given."""
    return [f"--{name}" for name in FLAGS if getattr(arguments, name) is not None]


def under(arguments: argparse.Namespace, bundle: Bundle) -> tuple[Bundle, Conditions]:
    """The policy with the device controller that was asked for, and what it is to walk under; what the policy was not
    trained for is told.

    Raises:
        UserError: a value that no walk can be under, a device that is not there, --device off with a --controller.
    """
    if arguments.subject is not None:
        bundle = person.being(bundle, arguments.subject)
    bundle = _driven(arguments, bundle)
    if arguments.design is not None:
        bundle = design.wearing(bundle, design.read(arguments.design))
    conditions = Conditions(
        command=None if arguments.speed is None else constant(_speed(arguments.speed, bundle)),
        randomization=fixed(**({} if arguments.slope is None else {"slope": _tangent(arguments.slope)})),
        push=None if arguments.push is None else _push(arguments.push, bundle),
        turn=None if arguments.turn is None else _turn(arguments.turn, bundle),
        **({} if arguments.terrain is None else _terrain(arguments.terrain, bundle)),
    )
    if sentence := beyond(bundle, conditions):
        note(f"note: {sentence}.")
    return bundle, conditions


def _driven(arguments: argparse.Namespace, bundle: Bundle) -> Bundle:
    choice = arguments.device
    if choice not in (None, "on", "off"):
        raise UserError(f"--device {choice}: must be on or off; another device is another training (docs/transfer.md).")
    if choice is not None and bundle.device == NO_DEVICE:
        raise UserError(f"--device {choice}: this policy wears none.")
    if choice == "off" and arguments.controller:
        raise UserError(f"--device off and --controller {arguments.controller}: give one of them.")
    return with_controller(bundle, ZERO_TORQUE if choice == "off" else arguments.controller)


def _speed(speed: float, bundle: Bundle) -> float:
    low, high = float(bundle.gait.speed[0]), float(bundle.gait.speed[-1])
    if not low <= speed <= high:
        raise UserError(f"--speed {speed:g}: the policy's reference gait knows {low:g} to {high:g} m/s.")
    return speed


def _tangent(angle: float) -> float:
    if not abs(angle) <= STEEPEST_DEG:
        raise UserError(f"--slope {angle:g}: must lie in -{STEEPEST_DEG:g}..{STEEPEST_DEG:g} degrees.")
    return math.tan(math.radians(angle))


def _push(text: str, bundle: Bundle) -> tuple[float, ...]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    impulse, every, *angle = (*numbers, PUSH_EVERY_S)[: max(2, len(numbers))] if numbers else (math.nan, PUSH_EVERY_S)
    if not all(map(math.isfinite, (impulse, *angle))) or len(angle) > 1 or not 0.2 <= every < math.inf:
        raise UserError(
            f"--push {text}: must be N*s[,EVERY[,DEG]], EVERY at least 0.2 s, such as --push=-20, 20,3 or 20,4,90."
        )
    if angle:
        root_of(reduced_model(bundle), f"--push {text}")
    return (impulse, every, *map(math.radians, angle))


def _turn(text: str, bundle: Bundle) -> CommandRange:
    kind, _, number = text.rpartition(":")
    try:
        rate = float(number)
    except ValueError:
        rate = math.nan
    if kind not in ("", EIGHT) or not abs(rate) <= SHARPEST_DEG or (kind and not rate):
        raise UserError(
            f"--turn {text}: must be degrees a second in +-{SHARPEST_DEG:g}, to the left positive, or {EIGHT}: and the "
            f"most of them, such as --turn 20, --turn=-20 or --turn {EIGHT}:30."
        )
    root_of(reduced_model(bundle), f"--turn {text}")
    return figure_of_eight(math.radians(rate)) if kind else constant(math.radians(rate))


def _terrain(text: str, bundle: Bundle) -> dict[str, Any]:
    """The words of a config for the ground."""
    kind, _, numbers = text.partition(":")
    words: dict[str, Any] = {"terrain_type": kind, "terrain_params": " ".join(numbers.split(","))}
    try:
        kinds(Conditions(**words).applied(bundle.config.env_params))
    except UserError as error:
        raise UserError(f"--terrain {text}: {error}") from None
    return words
