"""Values as MJCF writes them: attributes of an element as text."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np


def number(value: float) -> str:
    return f"{float(value):.10g}"


def text(attributes: dict[str, Any]) -> dict[str, str]:
    """Attribute values as MJCF text; values that are None are left out."""
    out = {}
    for key, value in attributes.items():
        if isinstance(value, (bool, np.bool_)):
            out[key] = "true" if value else "false"
        elif isinstance(value, str):
            out[key] = value
        elif value is not None:
            out[key] = " ".join(number(v) for v in np.atleast_1d(value))
    return out


def unless(value: np.ndarray | float, usual: Sequence[float] | np.ndarray | float) -> np.ndarray | float | None:
    """The value, or None where it is MuJoCo's default, so that it is left out."""
    return None if np.array_equal(value, usual) else value


def span(what: str, limited: Any, limits: np.ndarray) -> dict[str, Any]:
    """A range's two attributes; without a limit, none."""
    return {f"{what}limited": True, f"{what}range": limits} if limited else {}


def quaternion(matrix: np.ndarray) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(matrix).ravel())
    return quat
