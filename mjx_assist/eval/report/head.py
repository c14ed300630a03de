"""The line under a page's title: which policies, when, with which version, on what model and backend."""

from collections.abc import Sequence
from datetime import date

import mujoco

import mjx_assist
from mjx_assist.eval.replay.record import IMPORTED

_FEW = 4  # policies that are named
_REPLAY = f"C MuJoCo {mujoco.__version__}"


def head(policies: Sequence[str], model: str, backend: str = "", physics: str = _REPLAY) -> str:
    """ "walk22_exo · 2026-01-31 · mjx-assist 0.1.0 · reduced model in C MuJoCo 3.11.0".

    ``policies``: names or files; ``model``: what walked, in a word or two (measured walks are called so); ``backend``:
    of the physics that the policy was trained with; ``physics``: that they walked in.
    """
    named = ", ".join(policies) if len(policies) <= _FEW else f"{len(policies)} policies"
    walked = "measured, not simulated" if model == IMPORTED else f"{model} model in {physics}"
    trained = f"trained with backend {backend}" if backend else ""
    parts = (named, date.today().isoformat(), f"mjx-assist {mjx_assist.__version__}", walked, trained)
    return " · ".join(filter(None, parts))
