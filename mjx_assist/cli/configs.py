"""The commands `configs list | show | keys`: the presets and what each teaches, and what the keys of a config mean."""

import argparse

from mjx_assist.cli.arguments import Parser


def add_list(parser: Parser) -> None:
    parser.set_defaults(run=show_list)


def show_list(arguments: argparse.Namespace) -> None:
    """Print of each preset its name, who walks, and what it teaches."""
    from mjx_assist.config.comments import COMMENT
    from mjx_assist.config.read import load, preset_names, preset_path
    from mjx_assist.files.untrusted import read_json

    for name in preset_names():
        env = load(preset_path(name)).env_params
        print(f"{name} ({env.human}, {env.device_key or 'no device'})")
        print(f"    {read_json(preset_path(name), name).get(COMMENT, '')}")
    print("\nmjx-assist train NAME trains one, configs show NAME prints it, init my.json --from NAME makes yours of it")


def add_show(parser: Parser) -> None:
    parser.add_argument("config", metavar="NAME|FILE", help="a preset, or a config's JSON file")
    parser.add_argument("--all", action="store_true", help="with every key that it leaves at its default")
    parser.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> None:
    """Print a config as JSON, as it is or with all defaults."""
    import json

    from mjx_assist.config.read import config_file, load, to_dict

    path = config_file(arguments.config)
    config = load(path)  # a config that is no good is not shown as one that is
    print(json.dumps(to_dict(config), indent=2) if arguments.all else path.read_text(encoding="utf-8-sig").rstrip())


def add_keys(parser: Parser) -> None:
    parser.add_argument(
        "word", metavar="WORD", nargs="?", default="", help="only keys with this word in name or meaning"
    )
    parser.set_defaults(run=keys)


def keys(arguments: argparse.Namespace) -> None:
    """Print what the keys of a config mean: unit, what they may be, default."""
    from mjx_assist.config.reference import matching
    from mjx_assist.errors import UserError

    found = matching(arguments.word)
    if not found:
        raise UserError(
            f"configs keys {arguments.word!r}: no key has that in its name or meaning; docs/config.md has all."
        )
    for key in found:
        facts = [f"in {key.unit}" if key.unit else "", key.allowed, f"default {key.default}"]
        print(f"{key.path}: {', '.join(fact for fact in facts if fact)}\n    {key.meaning}")
