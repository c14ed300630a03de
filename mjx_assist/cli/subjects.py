"""The commands `subjects draw | show | import | picture | study | compare`: who walks. No JAX."""

import argparse
from pathlib import Path
from typing import Any

from mjx_assist.cli.arguments import Parser, natural, number_of, several
from mjx_assist.cli.subjects_study import add_study as add_study
from mjx_assist.config.people import read_people
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import number, table

_PEOPLE = "a subject's file, a cohort's, or one of a cohort (cohort.json#S03)"
_MOST_DRAWN = 8
_HEADER = ("", "height (m)", "mass (kg)", "sex", "age", "pelvis to soles (m)", "thigh (m)", "shank (m)", "strength")


def add_draw(parser: Parser) -> None:
    parser.add_argument("-n", "--count", metavar="N", type=several, default=10, help="how many people (default: 10)")
    parser.add_argument("--seed", type=natural, default=0, help="the same seed draws the same people (default: 0)")
    parser.add_argument("--women", metavar="SHARE", type=number_of, default=0.5, help="0 to 1 (default: 0.5)")
    for name, unit in (("heights", "m"), ("masses", "kg"), ("ages", "years")):
        text = "limits; whoever lies outside is drawn again" if name != "ages" else "ages are drawn evenly from these"
        parser.add_argument(f"--{name}", metavar="LOW,HIGH", help=f"{unit}: {text}")
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the cohort, a JSON file")
    parser.set_defaults(run=draw)


def draw(arguments: argparse.Namespace) -> None:
    """Write people drawn from measured heights and builds of adults."""
    from mjx_assist.config.subject import ABOUT, AGE, SUBJECTS
    from mjx_assist.model.subjects import cohort

    check_writable(arguments.out, folder=False)
    if not 0.0 <= arguments.women <= 1.0:
        raise UserError(f"--women: must be a share, 0 to 1, not {arguments.women:g}.")
    heights, masses, ages = (_span(f"--{name}", getattr(arguments, name)) for name in ("heights", "masses", "ages"))
    if ages and not (AGE.holds(ages[0]) and AGE.holds(ages[1])):
        raise UserError(f"--ages: must {AGE.words}, not {arguments.ages}.")
    people = cohort.draw(arguments.count, arguments.seed, arguments.women, heights, masses, ages)
    about = f"{arguments.count} people, seed {arguments.seed}, drawn from: {cohort.adults()['source']}"
    write_json(arguments.out, {ABOUT: about, SUBJECTS: people})
    print(f"{arguments.out}: {len(people)} people; see them: mjx-assist subjects show {arguments.out}")


def _span(flag: str, text: str | None) -> tuple[float, float] | None:
    """``LOW,HIGH`` as two numbers."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high:
        raise UserError(f"{flag}: must be two numbers with a comma between, the lower one first, not {text!r}.")
    return low, high


def add_show(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help=_PEOPLE)
    _add_body(parser)
    text = "reduce each body and measure it against the full one (a minute or two for each)"
    parser.add_argument("--fidelity", action="store_true", help=text)
    parser.add_argument("--json", metavar="FILE", help="write the figures here")
    parser.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> None:
    """Print who they are, as bodies: heights, masses, legs, strength; and how well each is reduced."""
    if arguments.json:
        check_writable(arguments.json, folder=False)
    people = read_people(arguments.files)
    rows = {name: _figures(key, arguments) for name, key in _keys(people, arguments).items()}
    header = [*_HEADER, *(["fidelity"] if arguments.fidelity else [])]
    print(table(header, [_cells(name, row) for name, row in rows.items()]))
    if arguments.json:
        write_json(arguments.json, rows)


def _figures(key: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """A person's body in numbers, and how well it is reduced if that is asked."""
    from mjx_assist.model.person import figures

    return figures(key) | ({"fidelity": _fidelity(key, arguments.device)} if arguments.fidelity else {})


def _fidelity(key: str, device: str) -> str:
    from mjx_assist.model.fidelity.bounds import worst
    from mjx_assist.model.fidelity.report import fidelity
    from mjx_assist.model.fidelity.table import verdict_text
    from mjx_assist.model.reduction import reduce_model

    verdicts = fidelity(reduce_model(key, device))["verdicts"]
    kept = sum(verdict["ok"] for verdict in verdicts)
    return f"{kept} of {len(verdicts)}; worst: {verdict_text(worst(verdicts))}"


def _cells(name: str, row: dict[str, Any]) -> list[str]:
    forms = {"height_m": ".3f", "mass_kg": ".1f", "age_years": ".0f", "strength": ".2f"}
    return [name, *(v if isinstance(v, str) else number(v, forms.get(key, ".3f")) for key, v in row.items())]


def add_import(parser: Parser) -> None:
    text = "a scaled OpenSim model (.osim), OpenCap's folder, a table segment,length (.csv; m), or of several people: "
    text += "name,height,mass and, if known, sex,age (.csv; m, kg, years)"
    parser.add_argument("source", metavar="FILE", help=text)
    _add_body(parser)
    parser.add_argument("--height", metavar="M", type=number_of, help="what the file does not say, or says otherwise")
    parser.add_argument("--mass", metavar="KG", type=number_of, help="the same, for the mass")
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the subject or cohort, a JSON file")
    parser.set_defaults(run=import_person)


def import_person(arguments: argparse.Namespace) -> None:
    """Make a subject's file of what people have of a person."""
    from mjx_assist.files.roster import is_roster
    from mjx_assist.files.subject_sources import read_person

    check_writable(arguments.out, folder=False)
    if is_roster(Path(arguments.source)):
        _import_people(arguments)
        return
    person = read_person(arguments.source)
    person |= {name: value for name in ("height", "mass") if (value := getattr(arguments, name)) is not None}
    [key] = _keys({arguments.source: person}, arguments).values()
    arguments.fidelity = False
    row = _figures(key, arguments)
    write_json(arguments.out, person)
    print(table(_HEADER, [_cells(Path(arguments.out).stem, row)]))
    print(f"\nnext: mjx-assist train walk --human {arguments.human} --subject {arguments.out}")


def _import_people(arguments: argparse.Namespace) -> None:
    """A cohort's file of a table of people."""
    from mjx_assist.config.subject import ABOUT, SUBJECTS

    for flag in ("height", "mass"):
        if getattr(arguments, flag) is not None:
            raise UserError(f"--{flag}: {arguments.source!r} is a table of several people, who each have their own.")
    people = read_people([arguments.source])
    arguments.fidelity = False
    rows = {name: _figures(key, arguments) for name, key in _keys(people, arguments).items()}
    write_json(arguments.out, {ABOUT: f"from {Path(arguments.source).name}", SUBJECTS: people})
    print(table(_HEADER, [_cells(name, row) for name, row in rows.items()]))
    print(f"\nnext: mjx-assist subjects study {arguments.out} --torque torque.csv -o STUDY.json")


def add_picture(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help=_PEOPLE)
    _add_body(parser)
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the picture, a PNG file")
    parser.set_defaults(run=picture)


def picture(arguments: argparse.Namespace) -> None:
    """Draw people standing beside one another, in one scale."""
    check_writable(arguments.out, folder=False)
    keys = _keys(read_people(arguments.files), arguments)
    if len(keys) > _MOST_DRAWN:
        raise UserError(f"subjects picture: {len(keys)} people are more than fit beside one another ({_MOST_DRAWN}).")

    from mjx_assist.eval.view.people import side_by_side
    from mjx_assist.model.human_key import short

    labels = [f"{name}\n{short(key).partition(', ')[2]}" for name, key in keys.items()]
    side_by_side(list(keys.values()), arguments.device, labels, arguments.out)
    print(arguments.out)


def _add_body(parser: Parser) -> None:
    parser.add_argument("--human", default="myolegs22", help="whose body is scaled (default: myolegs22)")
    parser.add_argument("--device", default="none", help="what they wear (default: none)")


def _keys(people: dict[str, dict], arguments: argparse.Namespace) -> dict[str, str]:
    """Name -> the human's key of that person; all are checked first."""
    from mjx_assist.cli.person import key_with
    from mjx_assist.model.assembly import check_keys

    keys = {name: key_with(arguments.human, person, f"subject {name}") for name, person in people.items()}
    for key in keys.values():
        check_keys(key, arguments.device)
    return keys


def add_compare(parser: Parser) -> None:
    text = "folders of 'mjx-assist report', or their metrics.json: one or several of each person"
    parser.add_argument("reports", metavar="REPORT", nargs="+", help=text)
    parser.add_argument("--against", metavar="REPORT", nargs="+", required=True, help="the same people, otherwise")
    text = "a number of metrics.json by its dotted name (docs/metrics.md)"
    parser.add_argument("--figure", metavar="NAME", required=True, help=text)
    parser.add_argument("--json", metavar="FILE", help="write the figures here")
    parser.set_defaults(run=compare)


def compare(arguments: argparse.Namespace) -> None:
    """Print every person's difference, its mean over people with its interval, and who has less."""
    if arguments.json:
        check_writable(arguments.json, folder=False)

    from mjx_assist.eval.studies import people
    from mjx_assist.model.human_key import short

    with_it, without = ({file: people.read(file) for file in files} for files in (arguments.reports, arguments.against))
    found = people.compare(with_it, without, arguments.figure)
    header = ("", "mass (kg)", "with", "against", "difference")
    figures = ("with", "against", "difference")
    rows = [
        [short(row["person"]), f"{row['person_mass_kg']:.1f}", *(f"{row[name]:.4g}" for name in figures)]
        for row in found["people"]
    ]
    print(f"{found['figure']}\n{table(header, rows)}\n")
    limits = f" ({found['low']:.4g} to {found['high']:.4g}, 95 % over people)" if found["low"] is not None else ""
    print(f"mean difference {found['mean']:.4g}{limits}; less in {found['gain']} of {len(rows)} people")
    if (rank := found["rank_correlation"]["person_mass_kg"]) is not None:
        print(f"rank correlation of the difference with mass: {rank:.2f}")
    if found["left_out"]:
        print(f"only on one side, and left out: {', '.join(map(short, found['left_out']))}")
    if arguments.json:
        write_json(arguments.json, found)
