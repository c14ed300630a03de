"""A person from what people have: a scaled OpenSim model, OpenCap's folder, or a table of measured lengths."""

import csv
import re
from pathlib import Path

from mjx_assist.errors import UserError, unknown
from mjx_assist.files.opensim_model import read_opensim_model
from mjx_assist.files.untrusted import read_bytes

_WHOLE = ("height", "mass")  # rows of a table that are of the whole body
_MOST_BYTES = 2**20
_METADATA = "sessionMetadata.yaml"
_ENTRY = re.compile(r"^\s*(height_m|mass_kg)\s*:\s*['\"]?([-+.\d eE]+?)['\"]?\s*$", re.MULTILINE)


def read_person(path: str | Path) -> dict:
    """The data of a subject from a file or folder. Raises `UserError` for what is none of the three kinds."""
    path = Path(path)
    if path.is_dir():
        return _opencap(path)
    if path.suffix.lower() == ".osim":
        return read_opensim_model(path)
    if path.suffix.lower() == ".csv":
        return _table(path)
    raise UserError(
        f"{str(path)!r}: a person is read from an OpenSim model (.osim), a table (.csv), or OpenCap's folder."
    )


def _opencap(folder: Path) -> dict:
    """OpenCap's folder of a session: its scaled model, and height and mass as they were entered."""
    models = sorted(folder.rglob("*.osim"))
    scaled = [path for path in models if "scaled" in path.stem.lower()] or models
    if len(scaled) != 1:
        raise UserError(
            f"{str(folder)!r} holds {len(scaled)} OpenSim models ({', '.join(p.name for p in scaled[:4]) or 'none'}); "
            "a person is read from one: give its .osim."
        )
    person = read_opensim_model(scaled[0])
    entered = folder / _METADATA
    if entered.is_file():
        text = read_bytes(entered, f"{str(entered)!r}", _MOST_BYTES).decode("utf-8", "replace")
        for name, value in _ENTRY.findall(text):
            person[name.split("_")[0]] = _number(value, f"{str(entered)!r}: {name}")
    return person


def _table(path: Path) -> dict:
    """CSV with a head ``segment,length``: m; rows ``height`` (m) and ``mass`` (kg) are of the whole body."""
    what = f"table {str(path)!r}"
    text = read_bytes(path, what, _MOST_BYTES).decode("utf-8-sig", "replace")
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].lstrip().startswith("#")]
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["segment", "length"]:
        raise UserError(f"{what}: must begin with the line segment,length; lengths are in m.")
    person: dict = {"segment_lengths": {}}
    for row in rows[1:]:
        if len(row) != 2:
            raise UserError(f"{what}: the row {','.join(row)!r} must be a segment and a length.")
        name, value = row[0].strip(), _number(row[1], f"{what}: {row[0].strip()}")
        place = person if name in _WHOLE else person["segment_lengths"]
        if name in place:
            raise UserError(f"{what}: {name!r} is given twice.")
        place[name] = value
    return person


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{what}: {text.strip()[:40]!r} is no number.") from None


def check_names(person: dict, known: list[str], what: str) -> None:
    """Raises `UserError` for lengths of segments that are none."""
    for name in person.get("segment_lengths", {}):
        if name not in known:
            raise unknown(f"{what}: segment", name, known)
