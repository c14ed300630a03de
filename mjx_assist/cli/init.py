"""The command `init`: a config of your own to begin with, from a preset, each of its keys with what it means."""

import argparse
import json
from pathlib import Path
from typing import Any

from mjx_assist.cli.arguments import Parser
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable


def add_init(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE.json", help="the config to write; it must not be there yet")
    parser.add_argument("--from", dest="preset", metavar="PRESET|FILE", default="walk22_exo", help="what it begins as")
    parser.add_argument("--human", metavar="KEY", help="another human ('mjx-assist models list')")
    parser.add_argument("--device", metavar="KEY", help="another device, or none")
    parser.add_argument("--speeds", metavar="LOW,HIGH", help="the speeds to walk at, m/s")
    parser.add_argument("--steps", metavar="N", type=float, help="control steps of the training")
    parser.set_defaults(run=init)


def init(arguments: argparse.Namespace) -> None:
    """Write the config, its keys explained by comments; it is checked first."""
    from mjx_assist.config.comments import read_json
    from mjx_assist.config.read import config_file, load
    from mjx_assist.files.plain import write_json
    from mjx_assist.model.assembly import check_keys
    from mjx_assist.paths import data_path

    out = Path(arguments.file)
    check_writable(out, folder=False)
    if out.exists():
        raise UserError(f"init: {str(out)!r} is there already, and is left as it is; choose another name.")
    source, overrides = config_file(arguments.preset), _overrides(arguments)
    config = load(source, overrides)
    env = config.env_params
    if env.model_path is None:
        check_keys(env.human, env.device_key or "none")
    tree = read_json(source, "config file")
    for key, text in overrides:
        *groups, leaf = key.split(".")
        group = tree
        for name in groups:
            group = group.setdefault(name, {})
        group[leaf] = json.loads(text)
    schema = data_path("configs", "schema", "config.json").resolve().as_uri()
    write_json(out, {"$schema": schema, "//": f"began as {arguments.preset}", **_commented(tree)})
    print(f"{out}: every key's meaning stands above it; the others: mjx-assist configs keys")
    print(f"next: mjx-assist train {out} --dry-run")


def _overrides(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    found: list[tuple[str, Any]] = []
    if arguments.human:
        found.append(("env_params.msk_key", arguments.human))
    if arguments.device:
        found.append(("env_params.device_key", None if arguments.device == "none" else arguments.device))
    if arguments.speeds:
        try:
            low, high = (float(part) for part in arguments.speeds.split(","))
        except ValueError:
            raise UserError(f"--speeds {arguments.speeds}: must be LOW,HIGH in m/s, such as 1.0,1.5.") from None
        found += [("env_params.min_target_velocity", low), ("env_params.max_target_velocity", high)]
    if arguments.steps:
        found.append(("total_timesteps", int(arguments.steps)))
    return [(key, json.dumps(value)) for key, value in found]


def _commented(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with what each key means before it."""
    from mjx_assist.config.reference import keys

    told = {key.path: f"{key.meaning}{f' ({key.unit})' if key.unit else ''}" for key in keys()}

    def group(node: dict[str, Any], stem: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in node.items():
            path = f"{stem}{name}"
            if path in told:
                made[f"// {name}"] = told[path]
            made[name] = group(value, f"{path}.") if isinstance(value, dict) else value
        return made

    return group(tree, "")
