"""The commands `models list | report | export`: what assist_sim composes, and what its reduction is like. No JAX."""

import argparse
import json
import os
import shutil
import textwrap
from pathlib import Path
from typing import Any

from mjx_assist.cli_output import check_writable, table, write_json
from mjx_assist.data import data_path
from mjx_assist.errors import UserError

LONGEST = 4  # names in a cell
MODEL, COUPLING = "model.xml", "coupling.json"


def show(arguments: argparse.Namespace) -> None:
    """Print humans and the devices that each can wear."""
    from mjx_assist.sim.assembly import available

    for human, devices in available().items():
        trainable = data_path("models", "reductions", f"{human}.json").is_file()
        print(human + ("" if trainable else "   (no reduction recipe yet: cannot be trained)"))
        print(textwrap.fill(", ".join(devices), 100, initial_indent="    ", subsequent_indent="    "))


def export(arguments: argparse.Namespace) -> None:
    """Write the reduced model and its couplings into a folder; the folder appears whole or not at all."""
    from mjx_assist.sim.reduction import reduce_model

    out = Path(arguments.out)
    if out.exists() and not (out.is_dir() and {path.name for path in out.iterdir()} <= {MODEL, COUPLING}):
        raise UserError(f"-o {str(out)!r} exists and is not an exported model; it is left as it is.")
    reduced = reduce_model(arguments.human, arguments.device)
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
    part = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / MODEL).write_text(reduced.xml)
        (part / COUPLING).write_text(json.dumps(content, indent=1) + "\n")
        if out.exists():
            shutil.rmtree(out)
        os.replace(part, out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise UserError(f"-o {str(out)!r}: cannot be written ({error.strerror or error}).") from None
    model = reduced.model
    print(f"{out / MODEL}: {model.nv} degrees of freedom, {model.nu} actuators")
    print(f"{out / COUPLING}: the full model's {len(coupling.full_joint_names)} coordinates from these")


def report(arguments: argparse.Namespace) -> None:
    """Print how close the reduced model is to the full one over the walking range."""
    if arguments.json:
        check_writable(arguments.json, folder=False)

    from mjx_assist.sim.reduction import fidelity, reduce_model

    figures = fidelity(reduce_model(arguments.human, arguments.device))
    print(f"{arguments.human} with {arguments.device}: the reduced model against the full one")
    for name, content in figures.items():
        print("\n" + section(name, content))
    if arguments.json:
        write_json(arguments.json, figures)


def section(name: str, content: Any) -> str:
    """A part of the fidelity report as text: rows of like figures as a table, single figures as a line."""
    title = name.replace("_", " ")
    if isinstance(content, dict) and all(isinstance(row, dict) for row in content.values()):
        content = [{"": key, **row} for key, row in content.items()]
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
