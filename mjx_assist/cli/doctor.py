"""The command `doctor`: what this machine has for training, drawing and building, and what to install for the rest."""

import argparse
import importlib.metadata
import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import mjx_assist
from mjx_assist.cli.arguments import Parser
from mjx_assist.errors import UserError
from mjx_assist.processes import cpus

PACKAGE = "mjx-assist"
SHOWN = ("mujoco", "mujoco-mjx", "jax", "numpy", "assist_sim", "myo_sim")
# Extra -> what it is for; those for developers and for hardware that is looked for elsewhere are left out.
EXTRAS = {
    "compiled": "a compiler in a wheel, for the fastest training on a CPU",
    "web": "replay --web, in a browser",
    "video": "replay --video, films",
    "hardware": "export --device-controller, ONNX",
    "pdf": "report --pdf",
    "c3d": "convert of a laboratory's .c3d",
    "wandb": "train --wandb",
}


class Found(NamedTuple):
    """One line: what was looked for, what there is, and where something is missing the remedy."""

    what: str
    there: str
    remedy: str = ""


def add_doctor(parser: Parser) -> None:
    parser.set_defaults(run=doctor)


def doctor(arguments: argparse.Namespace) -> None:
    """Print a line for each thing that matters, then what to do about those that are missing."""
    remedies = []
    for check in CHECKS:
        for found in check():
            print(f"{'!' if found.remedy else '✓'} {found.what:<12} {found.there}", flush=True)
            remedies += [found.remedy] if found.remedy else []
    if remedies:
        print("\nto get what is missing (none of it is needed to walk, report and compare):")
        print("\n".join(f"  {remedy}" for remedy in dict.fromkeys(remedies)))
    else:
        print("\nnothing is missing")


def _versions() -> Iterator[Found]:
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Found(PACKAGE, f"{mjx_assist.__version__}, {where}")
    wanted = dict(_wanted())
    for name in SHOWN:
        have, needs = _version(name), wanted.get(canonicalize_name(name), SpecifierSet())
        wrong = have is None or not needs.contains(have, prereleases=True)
        remedy = f"pip install '{name}{needs}'" if wrong else ""
        yield Found(name, (have or "not installed") + (f" (needs {needs})" if wrong else ""), remedy)


def _machine() -> Iterator[Found]:
    yield Found("processor", f"{cpus()} cores, {platform.processor() or platform.machine()}{_memory()}")


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, ValueError, OSError):  # not on Windows
        return ""


def _devices() -> Iterator[Found]:
    import jax

    from mjx_assist.config.words import AUTO
    from mjx_assist.sim.physics.make import resolve_backend
    from mjx_assist.training.run import import_mjx_quietly

    import_mjx_quietly()
    devices = jax.devices()
    kind = f"{len(devices)} x {devices[0].device_kind} ({jax.default_backend()})"
    idle = jax.default_backend() == "cpu" and _nvidia()
    yield Found(
        "devices",
        f"{kind}; training takes the backend {resolve_backend(AUTO)!r}" + (f"; {idle} is idle" if idle else ""),
        f"pip install '{PACKAGE}[cuda]'   # train on the NVIDIA GPU" if idle else "",
    )


def _nvidia() -> str:
    """The first NVIDIA GPU that its driver lists, or nothing."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return next((line for line in done.stdout.splitlines() if line.startswith("GPU")), "")


def _compiler() -> Iterator[Found]:
    from mjx_assist.sim.physics.compiled.build import compiler

    command = compiler()
    remedy = f"pip install '{PACKAGE}[compiled]'   # five times faster training on a CPU"
    yield Found("compiler", shlex.join(command) if command else "none", "" if command else remedy)


def _renderer() -> Iterator[Found]:
    from mjx_assist.eval.view.strip import drawing

    backend, trouble = drawing()
    remedy = "apt install libosmesa6   # or a graphics driver with EGL: pictures of the walker, films"
    yield Found("renderer", backend or f"none ({trouble})", "" if backend else remedy)


def _window() -> Iterator[Found]:
    from mjx_assist.eval.view.window import check_display

    try:
        check_display()
        yield Found("window", "opens: mjx-assist replay")
    except UserError:
        yield Found("window", "none here; replay --web shows the walker in a browser, --video makes a film")


def _extras() -> Iterator[Found]:
    for extra, purpose in EXTRAS.items():
        missing = [name for name in _requirements(extra) if _version(name) is None]
        there = f"{purpose}: {', '.join(missing) + ' missing' if missing else 'there'}"
        yield Found(f"[{extra}]", there, f"pip install '{PACKAGE}[{extra}]'   # {purpose}" if missing else "")


def _cache() -> Iterator[Found]:
    from mjx_assist.files.atomic import check_writable
    from mjx_assist.paths import cache_folder

    folder = cache_folder()
    try:
        check_writable(folder, folder=True)
        yield Found("cache", f"{folder}: compiled programs and reduced models; may be deleted")
    except UserError as error:
        yield Found("cache", str(error), f"make {folder} writable, or set XDG_CACHE_HOME")


CHECKS: tuple[Callable[[], Iterator[Found]], ...] = (
    _versions,
    _machine,
    _devices,
    _compiler,
    _renderer,
    _window,
    _cache,
    _extras,
)


def _requirements(extra: str) -> list[str]:
    """The packages of an extra, as this distribution's metadata names them."""
    mark = re.compile(rf"extra == ['\"]{extra}['\"]")
    lines = importlib.metadata.requires(PACKAGE) or []
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if mark.search(line)]


def _wanted() -> Iterator[tuple[str, SpecifierSet]]:
    """(package, versions) of each that this distribution needs, extras left out."""
    for needed in map(Requirement, importlib.metadata.requires(PACKAGE) or []):
        if needed.marker is None:
            yield canonicalize_name(needed.name), needed.specifier


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
