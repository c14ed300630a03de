"""What both peers' scripts share: every setting is tried, the fastest counts and is told."""

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

from mjx_assist import config as configs
from mjx_assist.paths import data_path


def arguments(description: str) -> argparse.Namespace:
    """``backend`` of the env, and whether to take the ``smallest`` setting alone, in updates as small as can be."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--backend", choices=("mujoco", "compiled"), default="mujoco")
    parser.add_argument("--smallest", action="store_true", help="one small setting: shows that it runs")
    return parser.parse_args()


def preset(backend: str) -> configs.RunConfig:
    return configs.load(data_path("configs", "walk22_exo.json"), [("env_params.backend", backend)])


def report_fastest(rate: Callable[..., float], tried: Iterable[dict[str, Any]]) -> None:
    """Print, as JSON, the most control steps/s of ``rate(**settings)`` and its settings, with all that was tried."""
    rows = [(rate(**settings), ", ".join(f"{x} {name}" for name, x in settings.items())) for settings in tried]
    fastest, settings = max(rows)
    found = {"control_steps_per_s": fastest, "settings": settings, "tried": {told: x for x, told in rows}}
    print(json.dumps(found))
