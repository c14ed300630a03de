"""MuJoCo's warnings as notes on stderr; by itself it writes them to a file MUJOCO_LOG.TXT in the current folder."""

import mujoco

from mjx_assist.errors import note


def hear_warnings() -> None:
    """From now on each kind of warning is told once; a handler that is there already is left."""
    if mujoco.get_mju_user_warning() is None:
        mujoco.set_mju_user_warning(_tell)


def _tell(text: str) -> None:
    note(f"MuJoCo: {text.partition(' Time =')[0]}")
