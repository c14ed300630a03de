"""The command `validate`: published experiments walked by trained policies, and which effects come out."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser, names_of, natural, positive, several
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.atomic import check_writable
from mjx_assist.processes import cpus

_USUAL = "walk22_all"
_TEXTS = {
    "general": f"walks the experiments of speed, slope and load (default: {_USUAL}; none: '')",
    "profile": "walks those of torque profiles: trained for such a family (walk22_family; default: not walked)",
    "spring": "walks those of springs: trained for such a family (walk22_spring; default: they are not walked)",
}


def add_validate(parser: Parser) -> None:
    for kind, text in _TEXTS.items():
        parser.add_argument(f"--{kind}", metavar="POLICY", type=str, help=text)
    parser.add_argument("--only", metavar="KEY,...", help="some experiments of models/experiments.json (default: all)")
    parser.add_argument("--seconds", type=positive, default=15, help="of each walk (default: 15)")
    parser.add_argument("--episodes", type=several, default=5, help="walks of each condition (default: 5)")
    parser.add_argument("--seed", type=natural, default=0, help="of the first (default: 0)")
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the validation's folder")
    parser.set_defaults(run=validate)


def validate(arguments: argparse.Namespace) -> None:
    """Walk the experiments, write the page, print hits and misses."""
    from mjx_assist.eval.report.pages.experiments import findings, write_validation
    from mjx_assist.lab import validate as validation
    from mjx_assist.lab.experiments import KINDS, experiments
    from mjx_assist.training.export import load_policy

    out = Path(arguments.out)
    check_writable(out, folder=True)
    known = {experiment.key: experiment for experiment in experiments()}
    asked = names_of("--only", arguments.only) or list(known)
    for key in asked:
        if key not in known:
            raise unknown("--only: experiment", key, known)
    paths = {kind: getattr(arguments, kind) for kind in KINDS}
    paths["general"] = _USUAL if paths["general"] is None else paths["general"]
    policies = {kind: load_policy(path) for kind, path in paths.items() if path}
    if not policies:
        raise UserError("no policy walks: give --general, --profile or --spring one.")
    validation.check(policies)
    chosen = [known[key] for key in asked]
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    result = validation.run(chosen, policies, arguments.seconds, seeds, cpus())
    page = write_validation(out, result)
    for row in result["experiments"]:
        for claim in row["claims"]:
            mean = claim["simulated_percent"]["mean"]
            found = "nobody walked" if mean is None else f"{mean:+.1f} %"
            verdict = {True: "hit", False: "miss", None: "-"}[claim["sign"]]
            print(f"{verdict:4}  {row['key']}: {claim['lower']} against {claim['than']}: {found}")
    for row in result["not_run"]:
        print(f"not walked: {row['key']} (needs --{row['policy']})")
    print("\n".join(findings(result)))
    print(f"\npage   {page}")
