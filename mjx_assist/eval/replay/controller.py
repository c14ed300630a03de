"""What `--controller` chooses for a policy: the learned head, a published default, or a file's settings."""

import dataclasses
import fnmatch
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.config import device, device_file
from mjx_assist.config.device import PUBLISHED, DeviceController
from mjx_assist.config.words import LEARNED, ZERO_TORQUE
from mjx_assist.errors import UserError, note, unknown
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.sim.device.controller import make_controller
from mjx_assist.sim.device.motors import make_motors

NAMES = (LEARNED, *PUBLISHED)


def with_controller(bundle: Bundle, choice: str | DeviceController | None) -> Bundle:
    """The policy with another device controller; None leaves it as it was trained.

    ``choice``: a name, a JSON file or settings. A function of the user's own that they name is imported.

    Raises:
        UserError: an unknown name, a file that is no controller, or one that the policy's device cannot follow.
    """
    if choice is None:
        return bundle
    env = bundle.config.env_params
    if env.device_family is not None:
        raise UserError(
            f"device controller {choice!r}: this policy was trained for a family of devices, and sees which one it "
            f"wears: choose one of them with --design ({', '.join(env.device_family.free)}); docs/design.md."
        )
    if choice == LEARNED:
        if env.device_controller is not None:
            raise UserError(
                f"--controller {LEARNED}: this policy was trained with {env.device_controller.type!r} in the place of "
                "a learned head; leave --controller out to run it as it was trained."
            )
        return bundle
    model = reduced_model(bundle)
    if isinstance(choice, str):
        wanted = chosen(choice, make_motors(model).joint_names)
        if wanted.type != ZERO_TORQUE:
            note(f"--controller {choice}: {device.described(wanted)}")
    else:
        wanted = choice
        device_file.check(wanted, "device controller")
    make_controller(wanted, model, 1.0 / env.control_framerate, may_import=True)
    env = dataclasses.replace(env, device_controller=wanted)
    config = dataclasses.replace(bundle.config, env_params=env)
    return dataclasses.replace(bundle, config=config, may_import=True)


def chosen(choice: str, joints: Sequence[str]) -> DeviceController:
    """The settings that a name or a file's path stands for, for a device that drives ``joints``."""
    if choice.endswith(".json") or Path(choice).is_file():
        return device_file.read(choice)
    if choice not in PUBLISHED:
        raise unknown("--controller (a name, or a .json or .csv file)", choice, NAMES)
    for controller in PUBLISHED[choice]:
        if any(fnmatch.filter(joints, pattern) for pattern in device.joint_patterns(controller)):
            return controller
    raise UserError(
        f"--controller {choice}: there are no published settings for a device that drives {', '.join(joints)}; write "
        "yours into a .json file (docs/controllers.md)."
    )
