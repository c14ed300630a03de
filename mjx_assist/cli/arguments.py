"""What several commands accept, and how a mistake in it is told."""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mjx_assist.config.words import BODY_MARK, COMPOSED, REDUCED
from mjx_assist.errors import UserError, unknown
from mjx_assist.paths import BEST, POLICY_FOLDER

if TYPE_CHECKING:
    from mjx_assist.eval.replay.record import GaitRecord
    from mjx_assist.policy.bundle import Bundle

POLICY = "POLICY"
POLICY_HELP = "a shipped policy's name ('mjx-assist policies'), a training run's folder, or a policy bundle"


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are `UserError`s; ``flags`` are the long flags it knows."""

    def __init__(self, *args, **kwargs):
        self.flags: list[str] = []
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def add_argument(self, *names, **kwargs):
        self.flags += [name for name in names if name.startswith("--")]
        if kwargs.get("action") in (None, "append"):
            kwargs.setdefault("type", not_empty)
        return super().add_argument(*names, **kwargs)

    def error(self, message: str):
        raise UserError(f"{message}. See: {self.prog} --help")


def add_policy(parser: Parser, kinds: Sequence[str]) -> None:
    parser.add_argument("policy", metavar=POLICY, help=POLICY_HELP)
    add_controller(parser)
    if kinds:
        text = "default: the one it was trained on; full: the unreduced model with rigid couplings"
        text += "; composed: the unreduced model as it is" if COMPOSED in kinds else ""
        parser.add_argument("--model", metavar="|".join(kinds), type=one_of(kinds), help=text)


def model_of(requested: str | None, bundles: Iterable["Bundle"]) -> str:
    """The model to walk on: the one requested, else the one that all policies were trained on, else the reduced."""
    trained = {bundle.config.env_params.model_kind for bundle in bundles}
    return requested or (trained.pop() if len(trained) == 1 else REDUCED)


def add_controller(parser: Parser) -> None:
    text = "what drives the device: learned, zero_torque, profile, spline, impedance, impedance_phases, or a file"
    parser.add_argument("--controller", metavar="NAME|FILE", help=f"{text} (default: as trained)")


def add_episodes(parser: Parser, episodes: int) -> None:
    parser.add_argument("--steps", type=positive, default=1000, help="control steps of an episode (default: 1000)")
    parser.add_argument("--episodes", type=several, default=episodes, help=f"how many (default: {episodes})")
    parser.add_argument("--seed", type=natural, default=0, help="seed of the first episode (default: 0)")


def add_human(parser: Parser) -> None:
    parser.add_argument(
        "human", metavar="HUMAN", help="a key of 'mjx-assist models list', or a model of your own: its .xml"
    )
    parser.add_argument(
        "device", metavar="DEVICE", nargs="?", default="none", help="a device of that human (default: none)"
    )


def not_empty(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; give a value, or leave it out")
    return text


def add_walker(parser: Parser) -> None:
    """``--human`` and ``--device``: short for the config's keys (`walker_keys`)."""
    text = "who walks, in the config's place: a key of 'mjx-assist models list', or a model of your own (.xml)"
    parser.add_argument("--human", metavar="HUMAN", help=text)
    parser.add_argument("--device", metavar="DEVICE", help="with what: a device of that human, or none")


def walker_keys(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """What ``--human`` and ``--device`` say, as ``(dotted.key, text)`` overrides of a config."""
    from mjx_assist.model.assembly import NO_DEVICE
    from mjx_assist.model.own.file import is_path

    human, device = arguments.human, arguments.device
    keys: list[tuple[str, str | None]] = []
    if human is not None and is_path(human):
        keys.append(("model_path", human))
    elif human is not None:
        key, mark, body = human.partition(BODY_MARK)
        keys += [("msk_key", key), *([("body", body)] if mark else [])]
    if device is not None:
        keys.append(("device_key", None if device == NO_DEVICE else device))
    return [(f"env_params.{key}", json.dumps(value)) for key, value in keys]


def positive(text: str) -> int:
    return whole(text, 1)


def natural(text: str) -> int:
    return whole(text, 0)


def several(text: str) -> int:
    return whole(text, 1, 10_000)


def port(text: str) -> int:
    return whole(text, 1, 65535)


def whole(text: str, least: int, most: int = 2**32 - 1) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not {text[:40]!r}")
    if value > most:
        raise argparse.ArgumentTypeError(f"must be at most {most:,}, not {text[:40]!r}")
    return value


def number_of(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number, not {text[:40]!r}")
    return value


def one_of(kinds: Sequence[str], flag: str = "--model") -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in kinds:
            raise unknown(flag, text, kinds)
        return text

    return check


def short_names(policies: Sequence[str]) -> list[str]:
    """A short name for each policy: its folder's, or its run's; numbered where they are equal."""
    paths = [Path(path).resolve() for path in policies]
    names = [path.parent.name if path.name in (POLICY_FOLDER, BEST) else path.name for path in paths]
    return [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]


def parts_of(text: str | None) -> list[str] | None:
    """``a,b,c`` as a list, None as it is."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def names_of(flag: str, text: str | None) -> list[str] | None:
    """The same; `UserError` where there is nothing between the commas."""
    names = parts_of(text)
    if names == []:
        raise UserError(f"{flag}: must be names with commas between, not {text!r}.")
    return names


def speeds_of(text: str | None) -> list[float] | None:
    """``1.0,1.25`` as numbers in m/s, None as it is."""
    if text is None:
        return None
    try:
        found = [float(part) for part in parts_of(text) or ()]
    except ValueError:
        found = []
    if not found or len(set(found)) < len(found):
        raise UserError(f"--speeds: must be different speeds in m/s with commas between, not {text!r}.")
    return found


def record_line(record: "GaitRecord") -> str:
    """A record in one line."""
    names = f"{len(record.joint_names)} joints, {len(record.muscle_names)} muscles, {len(record.device_names)} device"
    return f"{record.time[-1] - record.time[0]:.2f} s, {record.time.size} samples, {names} actuators"
