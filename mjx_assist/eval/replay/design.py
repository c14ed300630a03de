"""What `--design` chooses for a policy that was trained for a family of devices: one of them."""

import dataclasses
from collections.abc import Mapping

from mjx_assist.config.family import PARAMETERS, with_design
from mjx_assist.errors import UserError, note, unknown
from mjx_assist.policy.bundle import Bundle


def wearing(bundle: Bundle, design: Mapping[str, float]) -> Bundle:
    """The policy with one device of its family; what the design leaves open is the middle of its range, which is said.

    Raises:
        UserError: the policy knows no family, or this is no design of it.
    """
    family = bundle.config.env_params.device_family
    if family is None:
        raise UserError("--design: this policy was not trained for a family of devices (docs/design.md).")
    chosen = with_design(family, design)
    middle = {name: sum(family.span(name)) / 2 for name in family.free if name not in chosen.design}
    if middle:
        note(f"note: --design leaves open: {said(middle)} (the middle of the range).")
    env = dataclasses.replace(bundle.config.env_params, device_family=with_design(chosen, middle))
    return dataclasses.replace(bundle, config=dataclasses.replace(bundle.config, env_params=env))


def read(text: str) -> dict[str, float]:
    """``peak_torque=-0.5,stiffness_nm_per_rad=50`` as numbers by name.

    Raises:
        UserError: it is of another form, or a name is none of a parameter.
    """
    design = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in PARAMETERS:
            raise unknown("--design: parameter", name, PARAMETERS)
        try:
            design[name] = float(value)
        except ValueError:
            raise UserError(f"--design {part.strip()}: must be NAME=NUMBER, such as peak_torque=-0.5.") from None
    return design


def said(design: Mapping[str, float]) -> str:
    """A design in one line, as `read` takes it."""
    return ",".join(f"{name}={value:.4g}" for name, value in design.items())
