"""The command `challenge`: every policy walks the same rows of speeds, slopes, ground, pushes and models; one table."""

import argparse
import sys
from pathlib import Path

from mjx_assist.cli.arguments import (
    POLICY,
    POLICY_HELP,
    Parser,
    add_controller,
    names_of,
    natural,
    several,
    short_names,
)
from mjx_assist.config.words import LEARNED
from mjx_assist.errors import UserError, note
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.studies import challenge as rules
from mjx_assist.eval.studies import challenge_table as texts
from mjx_assist.eval.studies import trials
from mjx_assist.files.atomic import check_writable, write_text
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import table
from mjx_assist.files.untrusted import read_json
from mjx_assist.policy.bundle import Bundle
from mjx_assist.processes import cpus
from mjx_assist.training.export import load_policy

JSON, TABLE = "challenge.json", "challenge.md"


def add_challenge(parser: Parser) -> None:
    parser.add_argument("policies", metavar=POLICY, nargs="+", help=POLICY_HELP)
    text = "the table's folder; rows that it holds already are not walked again"
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help=text)
    text = f"only these groups of rows, with commas: {', '.join(rules.GROUPS)} (default: all)"
    parser.add_argument("--only", metavar="GROUP,...", help=text)
    add_controller(parser)
    parser.add_argument("--episodes", type=several, default=10, help="seeds of each row (default: 10)")
    parser.add_argument("--seed", type=natural, default=0, help="the first seed (default: 0)")
    parser.set_defaults(run=challenge)


def challenge(arguments: argparse.Namespace) -> None:
    """Walk the rows that are not in the folder yet, then write table, figures and page."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    rows = rules.rows(names_of("--only", arguments.only))
    bundles = [with_controller(load_policy(path), arguments.controller) for path in arguments.policies]
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    names = short_names(arguments.policies)
    driven = f", --controller {arguments.controller}" if arguments.controller else ""
    known = _known(out / JSON)
    keys = {
        (p, r): rules.key_of(row, b, seeds)
        for p, b in enumerate(bundles)
        for r, row in enumerate(rows)
        if rules.lacks(row, b) is None
    }
    _tell_left_out(rows, bundles, names)
    results = {place: known[key] for place, key in keys.items() if key in known}
    if results:
        print(f"{len(results)} of {len(keys)} rows are in {out / JSON} already", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)

    def content() -> list[dict]:
        return [
            {
                "name": name,
                "policy": str(path),
                "walker": f"{bundle.human} with {bundle.device}{driven}",
                "controller": settings.type if (settings := bundle.config.env_params.controller) else LEARNED,
                "info": bundle.info,
                "rows": [results[p, r] for r in range(len(rows)) if (p, r) in results],
            }
            for p, (name, path, bundle) in enumerate(zip(names, arguments.policies, bundles, strict=True))
        ]

    missing = [place for place in keys if place not in results]
    for place, outcomes in _walked(bundles, rows, missing, seeds):
        results[place] = {"key": keys[place], **rules.judged(rows[place[1]], outcomes)}
        write_json(out / JSON, {"schema_version": rules.SCHEMA_VERSION, "policies": content()})
    policies = content()
    write_json(out / JSON, {"schema_version": rules.SCHEMA_VERSION, "policies": policies})
    write_text(out / TABLE, texts.markdown(policies))

    from mjx_assist.eval.report.pages.challenge import PAGE, write_page

    write_page(out, policies)
    for policy in policies:
        print(f"\n{policy['name']}\n{table(texts.HEADER, [texts.cells(row) for row in policy['rows']])}")
        print(texts.headline(policy))
    print(f"\npage   {out / PAGE}\ntable  {out / TABLE}, {out / JSON}")


def _tell_left_out(rows: list[rules.Row], bundles: list[Bundle], names: list[str]) -> None:
    """Which rows a policy cannot be asked, a sentence for each thing that it lacks."""
    for name, bundle in zip(names, bundles, strict=True):
        missing = [(lack, row.name) for row in rows if (lack := rules.lacks(row, bundle))]
        for lack in dict.fromkeys(lack for lack, _ in missing):
            without = "; ".join(row for needs, row in missing if needs == lack)
            note(f"{name}: not asked, for want of {lack}: {without}.")
        if len(missing) == len(rows):
            raise UserError(f"{name}: has nothing of what these rows need.")


def _walked(bundles: list[Bundle], rows: list[rules.Row], places: list[tuple[int, int]], seeds: range):
    """Yields ((policy, row), its outcomes in the order of the seeds) as rows are done."""
    walks = [trial for policy, row in places for trial in rules.trials_of(rows[row], policy, seeds)]
    done: dict[tuple[int, int], dict[int, dict]] = {}
    for index, outcome in trials.run(bundles, walks, cpus()):
        place = places[index // len(seeds)]
        part = done.setdefault(place, {})
        part[walks[index].seed] = outcome
        if len(part) == len(seeds):
            yield place, [part[seed] for seed in seeds]


def _known(path: Path) -> dict[str, dict]:
    """The rows of an earlier run by their key; none if there was none, or it cannot be read."""
    try:
        policies = read_json(path, str(path))["policies"]
        return {row["key"]: row for policy in policies for row in policy["rows"]}
    except (UserError, LookupError, TypeError):
        return {}
