"""The trained policies that ship, by name."""

from pathlib import Path

from mjx_assist.errors import unknown
from mjx_assist.paths import data_path
from mjx_assist.policy.bundle import is_bundle


def names() -> list[str]:
    """The names of the policies that ship, in order."""
    return sorted(folder.name for folder in data_path("models", "policies").iterdir() if is_bundle(folder))


def find(text: str | Path) -> Path:
    """A file or folder of the user's own, or the bundle's folder of a shipped policy by its name (``walk22_exo``).

    MyoAssist names its policies without their ending, ``.zip``.

    Raises:
        UserError: there is neither.
    """
    path = Path(text)
    for place in (path, path.with_name(f"{path.name}.zip")) if path.name else ():
        if place.exists():
            return place
    known = names()
    if str(text) in known:
        return data_path("models", "policies", str(text))
    message = f"{str(text)!r} does not exist: expected a training run, a policy bundle or a shipped policy"
    raise unknown(f"{message}; policy", str(text), known)
