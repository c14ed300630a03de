"""The commands `models list | show | report | sweep | export`: what there is, and how it is reduced. No JAX."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mjx_assist.cli.arguments import Parser, add_human
from mjx_assist.cli.person import add_person, key_of
from mjx_assist.files.atomic import check_replaceable, check_writable, replacing_folder
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import table

LONGEST = 4  # names in a cell
MODEL, COUPLING, KERNEL = "model.xml", "coupling.json", "kernel.cpp"


def add_list(parser: Parser) -> None:
    parser.set_defaults(run=show_list)


def show_list(arguments: argparse.Namespace) -> None:
    """Print humans, the devices that each can wear, and what is known of their reduced models."""
    from mjx_assist.model import devices
    from mjx_assist.model.assembly import available
    from mjx_assist.model.fidelity import table as model_table

    known = {(row["human"], row["device"]): row for row in model_table.shipped()}
    header = list(model_table.HEADER)
    for human, worn in available().items():
        rows = [
            model_table.cells(known[human, device])
            if (human, device) in known
            else [device, *["-"] * (len(header) - 2), "not measured"]
            for device in worn
        ]
        print(f"{human}\n{table(header, rows)}\n")
    print(
        "full → reduced. us/step: C MuJoCo, one core, where the table was made. worst fidelity: of all bounds, the one"
    )
    print("that is nearest to being missed, or missed by most. All of them: mjx-assist models report HUMAN DEVICE")
    print("compiled: whether that backend simulates it, and if not, what stands in the way (then mujoco does)\n")
    print(table(devices.HEADER, [devices.cells(row) for row in devices.shipped()]))
    print("drives: joints of the reduced model. torque: about the joint, in its own sign, at the ends of the control")
    print(
        "range (plantarflexion negative, hip flexion positive). mass: what it adds; 0 where it replaces what is heavier"
    )


def add_show(parser: Parser) -> None:
    add_human(parser)
    add_person(parser)
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the picture, a PNG file")
    parser.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> None:
    """Draw the full and the reduced model side by side into a PNG file."""
    check_writable(arguments.out, folder=False)

    from mjx_assist.eval.view.models import side_by_side
    from mjx_assist.model.reduction import reduce_model

    human = key_of(arguments)
    _tell(f"reducing {human} with {arguments.device} ...")
    side_by_side(reduce_model(human, arguments.device), arguments.out)
    print(arguments.out)


def add_sweep(parser: Parser) -> None:
    parser.add_argument("human", metavar="HUMAN", nargs="*", help="only these humans (default: all)")
    parser.add_argument("--device", metavar="DEVICE", action="append", help="only this device; may be repeated")
    text = "a file of figures for each composition goes here, and is read again while it is up to date"
    parser.add_argument(
        "-o", "--out", metavar="DIR", default="results/models", help=f"{text} (default: results/models)"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the table that 'models list' reads (models/fidelity.json)"
    )
    parser.add_argument("--markdown", metavar="FILE", help="put the tables into this file, such as docs/models.md")
    parser.set_defaults(run=sweep)


def sweep(arguments: argparse.Namespace) -> None:
    """Reduce and measure every composition of the given humans, and write the tables that are asked for."""
    from mjx_assist.model.assembly import available, check_keys
    from mjx_assist.model.fidelity import sweep as model_sweep
    from mjx_assist.model.fidelity import table as model_table

    everything = available()
    for human in arguments.human:
        check_keys(human, "none")
    for device in arguments.device or []:
        for human in arguments.human or everything:
            check_keys(human, device)
    for path in filter(None, (arguments.json, arguments.markdown)):
        check_writable(path, folder=False)
    check_writable(arguments.out, folder=True)
    compositions = [
        (human, device)
        for human in arguments.human or everything
        for device in everything[human]
        if not arguments.device or device in arguments.device
    ]
    rows = model_sweep.sweep(compositions, Path(arguments.out), lambda line: print(line, flush=True))
    if arguments.json:
        model_sweep.write_table(arguments.json, rows)
    if arguments.markdown:
        model_sweep.write_markdown(arguments.markdown, rows)
    failed = sum("error" in row for row in rows)
    missing = sum(bool(model_table.missed(row)) for row in rows)
    kept = len(rows) - failed - missing
    print(f"{len(rows)} compositions: {kept} keep every bound, {missing} miss some, {failed} cannot be reduced")


def add_export(parser: Parser) -> None:
    add_human(parser)
    add_person(parser)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the folder for model.xml and coupling.json")
    text = "also write there what the backend 'compiled' makes of the model: the C++ of a control step"
    parser.add_argument("--source", action="store_true", help=text)
    parser.set_defaults(run=export)


def export(arguments: argparse.Namespace) -> None:
    """Write the reduced model and its couplings into a folder; the folder appears whole or not at all."""
    from mjx_assist.model.reduction import reduce_model

    out, what = Path(arguments.out), "an exported model"
    check_replaceable(out, what, _is_export)
    reduced = reduce_model(key_of(arguments), arguments.device)
    kernel = _kernel(reduced.model) if arguments.source else ""
    coupling = reduced.coupling
    joints = [reduced.model.joint(i).name for i in range(reduced.model.njnt)]
    content = {
        "about": "qpos_full[i] = sum_k polycoef[i][k] * qpos_reduced[source[i]]**k",
        "human": reduced.human,
        "device": reduced.device,
        "reduced_joints": joints,
        "full_joints": list(coupling.full_joint_names),
        "source": coupling.source.tolist(),
        "polycoef": coupling.polycoef.tolist(),
    }

    def failure(reason: str) -> str:
        return f"-o {str(out)!r}: cannot be written ({reason})."

    with replacing_folder(out, what, _is_export, failure) as folder:
        (folder / MODEL).write_text(reduced.xml, encoding="utf-8")
        (folder / COUPLING).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        if kernel:
            (folder / KERNEL).write_text(kernel, encoding="utf-8")
    model = reduced.model
    print(f"{out / MODEL}: {model.nv} degrees of freedom, {model.nu} actuators")
    if kernel:
        print(f"{out / KERNEL}: {kernel.count(chr(10)):,} lines, a control step of the backend 'compiled'")
    print(f"{out / COUPLING}: the full model's {len(coupling.full_joint_names)} coordinates from these")


def _kernel(model: Any) -> str:
    """The source of the compiled backend's kernel, without a variation's inputs."""
    from mjx_assist.errors import UserError
    from mjx_assist.model.generated import missing
    from mjx_assist.sim.physics.compiled.emit.cpp import source
    from mjx_assist.sim.physics.compiled.model.step import make_step

    if what := missing(model):
        raise UserError(f"--source: no kernel is generated for this model: {what}.")
    return source(make_step(model))


def _is_export(folder: Path) -> bool:
    """Whether there is nothing in a folder but what an export writes."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {MODEL, COUPLING, KERNEL}


def add_report(parser: Parser) -> None:
    add_human(parser)
    add_person(parser)
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    parser.add_argument("-o", "--out", metavar="DIR", help="write plots of moment arms and motions into this folder")
    parser.set_defaults(run=report)


def report(arguments: argparse.Namespace) -> None:
    """Print how close the reduced model is to the full one over the walking range; with -o, draw it as well."""
    if arguments.json:
        check_writable(arguments.json, folder=False)
    if arguments.out:
        check_writable(arguments.out, folder=True)

    from mjx_assist.model.fidelity.causes import causes
    from mjx_assist.model.fidelity.report import fidelity
    from mjx_assist.model.reduction import reduce_model

    human = key_of(arguments)
    _tell(f"reducing {human} with {arguments.device} ...")
    reduced = reduce_model(human, arguments.device)
    _tell("comparing it with the full model ...")
    figures = fidelity(reduced)
    print(f"{reduced.human} with {reduced.device}: the reduced model against the full one")
    sections = {
        "bounds": None,
        "causes of missed bounds": causes(figures),
        "to be trained it lacks": _lacks(reduced.human),
    }
    for name, content in (sections | _sections(figures)).items():
        if content:
            print("\n" + section(name, content))
    if arguments.json:
        write_json(arguments.json, figures)
    if arguments.out:
        from mjx_assist.eval.plots.models import write_plots

        _tell("drawing ...")
        write_json(Path(arguments.out) / "fidelity.json", figures)
        for path in write_plots(reduced, figures, Path(arguments.out)):
            print(path)


def _lacks(human: str) -> list[str]:
    """What a model from a file lacks to be trained; it can be reduced and measured all the same."""
    from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, full_model
    from mjx_assist.model.own.file import is_path
    from mjx_assist.model.own.needs import lacking

    return lacking(full_model(human, NO_DEVICE, AS_COMPOSED)) if is_path(human) else []


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _sections(figures: dict[str, Any]) -> dict[str, Any]:
    """The report as tables: the bounds first, nested figures flattened, curves left out."""
    rest = {
        key: value for key, value in figures.items() if key not in ("verdicts", "feet", "accelerations", "convergence")
    }
    motions = figures.get("convergence", {})
    return {
        "bounds": [
            {key: row[key] for key in ("measure", "value", "bound", "unit", "ok", "of")} for row in figures["verdicts"]
        ],
        **rest,
        "joint accelerations, difference / RMS": figures["accelerations"]["joints"],
        "standing height m": figures["feet"]["standing_height_m"],
        "feet": [{"foot": name, **_flat(foot)} for name, foot in figures["feet"]["feet"].items()],
        "convergence": [{"motion": name, **row} for name, motion in motions.items() for row in motion["rows"]],
    }


def _flat(figures: dict[str, Any]) -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a b": 1}``."""
    flat = {}
    for key, value in figures.items():
        flat |= {f"{key} {k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def section(name: str, content: Any) -> str:
    """A part of the fidelity report as text: rows of like figures as a table, single figures as a line."""
    title = name.replace("_", " ")
    if isinstance(content, dict) and all(isinstance(row, dict) for row in content.values()):
        content = [{"": key, **row} for key, row in content.items()]
    if isinstance(content, list) and all(isinstance(line, str) for line in content):
        return "\n".join([title, *(f"- {line}" for line in content)])
    if isinstance(content, dict):
        return f"{title}: " + ", ".join(f"{key} {_cell(value)}" for key, value in content.items())
    if isinstance(content, list) and content and isinstance(content[0], dict):
        header = [key.replace("_", " ") for key in content[0]]
        return f"{title}\n" + table(header, [[_cell(value) for value in row.values()] for row in content])
    return f"{title}: {_cell(content)}"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) if len(value) <= LONGEST else f"{len(value)} of them"
    return "-" if value is None else str(value)
