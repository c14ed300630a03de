"""Which reader and writer a gait file's name asks for; the formats themselves are in modules of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.formats import c3d, csv_table, motion, myoassist, opensim, opensim_reading
from mjx_assist.eval.formats.combine import Imported, Part, combine
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.straight import in_world
from mjx_assist.files.opensim_table import SUFFIXES

GRF_NAME = "_grf.mot"
OWN = (".csv", ".npz")  # hold a record as it is


class Format(NamedTuple):
    """How files of one ending are read (into a `combine.Part`) and written; None: they are not."""

    read: Callable[[Path], Part] | None
    write: Callable[[GaitRecord, Path], Any] | None
    is_motion: Callable[[Path], bool] = lambda path: False  # a training reference of that ending, columns q_<joint>


# A new format is a file of this folder and a row here.
FORMATS = {
    ".csv": Format(csv_table.read_csv, csv_table.write_csv, csv_table.is_motion),
    ".c3d": Format(c3d.read_c3d, None),
    ".json": Format(myoassist.read_json, myoassist.write_json, myoassist.is_motion),
    ".mot": Format(opensim_reading.read_opensim, opensim.write_kinematics),
    ".sto": Format(opensim_reading.read_opensim, opensim.write_forces),
    ".npz": Format(None, GaitRecord.save, motion.is_npz),  # a record is whole: never joined with other files
}


def read(inputs: Sequence[Path]) -> Imported:
    """A gait record .npz, or the record that other files make together; a folder stands for its .mot and .sto files."""
    files = [file for path in inputs for file in _expanded(path)]
    records = [file for file in files if file.suffix.lower() == ".npz" and not _is_motion(file)]
    if records:
        if len(files) > 1:
            raise UserError(f"{records[0]}: a gait record is whole; it cannot be joined with other files.")
        return Imported(GaitRecord.load(records[0]), (), ())
    return combine([_reader(file)(file) for file in files])


def write(record: GaitRecord, out: Path) -> list[Path]:
    """One file by its name's end (.csv, .json, .mot, _grf.mot, .sto, .npz), or all OpenSim files into a folder.

    What other programs play is where the walk was in the world, also where it turned.
    """
    if out.suffix:
        _writer(out)(record if out.suffix.lower() in OWN else in_world(record), out)
        return [out]
    record = in_world(record)
    targets = {
        opensim.KINEMATICS: opensim.write_kinematics,
        opensim.GROUND_REACTION: opensim.write_ground_reaction,
        opensim.FORCES: opensim.write_forces,
    }
    for name, writer in targets.items():
        writer(record, out / name)
    return [out / name for name in targets]


def _expanded(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(f"{path}: the folder holds no .mot or .sto file.")
    return files


def _is_motion(path: Path) -> bool:
    return path.is_file() and FORMATS[path.suffix.lower()].is_motion(path)


def _reader(path: Path) -> Callable[[Path], Part]:
    kind = FORMATS.get(path.suffix.lower())
    if kind and _is_motion(path):
        return motion.read_motion
    if kind is None or kind.read is None:
        raise unknown(f"{path}: file format", path.suffix, FORMATS)
    return kind.read


def _writer(path: Path) -> Callable[[GaitRecord, Path], Any]:
    if path.name.lower().endswith(GRF_NAME):
        return opensim.write_ground_reaction
    kind = FORMATS.get(path.suffix.lower())
    if kind is None or kind.write is None:
        raise unknown(f"-o {path}: file format", path.suffix, (name for name, kind in FORMATS.items() if kind.write))
    return kind.write


def check_output(out: Path) -> None:
    """Raises UserError for a name that `write` would refuse."""
    if out.suffix:
        _writer(out)
        if out.is_dir():
            raise UserError(f"-o {str(out)!r} is a folder; give the name of a file.")
    elif out.is_file():
        raise UserError(f"-o {str(out)!r} is a file; give the name of a folder, or of a file with an ending.")
