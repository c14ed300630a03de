"""Only the task of a config of MyoAssist's, trained as ours: who walks, on what ground, how fast."""

import copy
from pathlib import Path
from typing import Any

from mjx_assist.config.comments import read_json
from mjx_assist.config.read import to_dict
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.tree import override
from mjx_assist.config.words import MIXED, UNIFORM
from mjx_assist.myoassist import vocabulary as words
from mjx_assist.myoassist.sheet import Sheet
from mjx_assist.myoassist.translation import Overrides, Translation, nested
from mjx_assist.myoassist.walker import put_model, put_terrain
from mjx_assist.paths import data_path

# What a file that names a task alone calls the keys of env_params.
KEYS = {"msk": "msk_key", "device": "device_key", "terrain": "terrain"}
_SPEEDS = ("min_target_velocity", "max_target_velocity")
_TASK = ("msk_key", "device_key", "model_path", "terrain_type", "terrain_params", "terrain", "seed", *_SPEEDS)
_PROSTHESES = ("OpenSourceLeg", "KFoot", "NEUankle")
_PLANAR, _SPATIAL, _AMPUTEE = "walk22_exo", "walk26_exo", "walk22_prosthesis"


def only_a_task(tree: dict[str, Any]) -> bool:
    """Whether it names a human, a device and a terrain, and nothing of how to train."""
    return "msk" in tree and tree.keys() <= {*KEYS, "comment"}


def as_task(tree: dict[str, Any], overrides: Overrides = (), path: Path | None = None) -> Translation:
    """The task in a preset of ours; every other key of theirs is left out, and told to be.

    ``overrides``: (dotted key, text), where they are not of the task of ours; ``path``: the tree's file.
    """
    if only_a_task(tree):
        tree = {"env_params": {KEYS[key]: value for key, value in tree.items() if key in KEYS}}
    tree = nested(tree)
    rest = []
    for key, text in overrides:
        group, _, leaf = key.partition(".")
        if group == "env_params" and leaf in _TASK:
            override(tree, key, text, {})
        else:
            rest.append((key, text))
    given = tree.get("env_params", {})
    sheet, env = Sheet(), {**words.ENV, **given}
    put_model(sheet, env, path)
    put_terrain(sheet, env, path)
    for key in [key for key in ("seed", *_SPEEDS) if key in given]:
        sheet.take(f"env_params.{key}", env[key], f"env_params.{key}")
    if given.keys() >= {*_SPEEDS}:
        sheet.put("env_params.velocity_mode", UNIFORM if env[_SPEEDS[0]] == env[_SPEEDS[1]] else MIXED)
    if "evaluate_param_list" in tree:
        kept = [{k: v for k, v in entry.items() if k in words.EVALUATION} for entry in tree["evaluate_param_list"]]
        sheet.take("evaluate_param_list", tree["evaluate_param_list"], "evaluate_param_list", kept, "a report each")
    preset = _preset(env)
    for group, value in tree.items():
        if group not in ("env_params", "evaluate_param_list"):
            sheet.ignore(group, value, f"--as-mjx: as configs/{preset}.json has it")
    for key in [key for key in given if key not in _TASK]:
        sheet.ignore(f"env_params.{key}", given[key], f"--as-mjx: as configs/{preset}.json has it")
    config = read_json(data_path("configs", f"{preset}.json"), "preset")
    for group in ("msk_key", "device_key", "model_path"):
        config["env_params"].pop(group, None)
    config["env_params"] |= {"device_key": None, **copy.deepcopy(sheet.ours.pop("env_params", {}))}
    config |= sheet.ours
    for key, text in rest:
        override(config, key, text, to_dict(RunConfig()))
    return Translation(config, sheet)


def _preset(env: dict[str, Any]) -> str:
    """Whose rewards, networks and learning are taken."""
    walker = f"{env['msk_key'] or ''} {env['model_path'] or ''}"
    if not any(planar in walker for planar in ("myolegs22", "Leg22", "22muscle")):
        return _SPATIAL
    amputee = str(env["device_key"]).startswith(_PROSTHESES) or "OSL" in walker
    return _AMPUTEE if amputee else _PLANAR
