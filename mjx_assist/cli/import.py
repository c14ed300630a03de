"""The command `import`: a policy or config of MyoAssist's as ours."""

import argparse
import json
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist import myoassist
from mjx_assist.cli.arguments import Parser
from mjx_assist.config.words import COMPOSED, REDUCED
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable, write_text


def add_import(parser: Parser) -> None:
    text = "a session of MyoAssist's (its newest zip), a model_*.zip, or a config: a .json"
    parser.add_argument("source", metavar="SESSION_OR_ZIP", help=text)
    parser.add_argument(
        "-o", "--out", metavar="BUNDLE", required=True, help="the bundle's folder; of a config, a .json"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="the session_config.json of a zip that does not lie in its session"
    )
    parser.set_defaults(run=import_)


def import_(arguments: argparse.Namespace) -> None:
    """Write a policy's bundle, or a config's translation."""
    source, out = Path(arguments.source), Path(arguments.out)
    if source.suffix == ".json":
        _import_config(source, out)
        return
    from mjx_assist.policy import bundle as bundles

    check_writable(out, folder=True)
    bundle = myoassist.import_policy(source, Path(arguments.config) if arguments.config else None)
    bundles.save(bundle, out)
    seen, driven = bundle.observation.size, len(bundle.policy.neutral)
    print(f"policy {out}: {seen} observations, {driven} actuators, {bundle.info['control_steps']:,} control steps")
    print(f"it was trained on the whole model, so it walks with --model {COMPOSED}, which is its default:")
    print(f"  mjx-assist evaluate {out}\n  mjx-assist replay {out}\n  mjx-assist report {out} -o report")
    print(f"on the {REDUCED} model it falls: that one, faster to train on, needs retraining:")
    print(f"  mjx-assist train CONFIG --init-from {out}")


def _import_config(source: Path, out: Path) -> None:
    if out.suffix != ".json":
        raise UserError(f"-o {str(out)!r}: the translation of a config is a .json file.")
    translated = myoassist.load(source)
    if translated is None:
        raise UserError(f"{str(source)!r} is no config of MyoAssist's.")
    print(f"{translated.sheet.table()}\n")
    write_text(out, json.dumps(configs.to_dict(translated.checked()), indent=2) + "\n")
    print(f"config {out}")
