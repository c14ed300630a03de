"""A torque over the gait cycle as a table (CSV), as benches and papers have it, as a controller's settings."""

import csv
import re
from pathlib import Path

from mjx_assist.config.device import TORQUE_UNITS, Spline
from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import read_bytes

PERCENT = "gait_cycle_percent"
_TORQUE = re.compile(r"(\w+?)_(N_?m_per_kg|N_?m)", re.IGNORECASE)  # ankle_angle_N_m_per_kg
_MOST_BYTES = 2**20
_CLOSES = 1e-3  # of the largest torque: by how much 100 % may differ from 0 %, which it is
_HEAD = f"{PERCENT},ankle_angle_N_m_per_kg (or _N_m), in the joint's own sign: plantarflexion is negative"


def read(path: str | Path) -> Spline:
    """Two columns: % of the gait cycle, and the torque about the joint whose name and unit its column's name says.

    Raises:
        UserError: no such file, another head, what is no number; a curve that does not close.
    """
    what = f"torque table {str(path)!r}"
    text = read_bytes(Path(path), what, _MOST_BYTES).decode("utf-8-sig", "replace")
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    rows = [row for row in rows if any(row) and not row[0].startswith("#")]
    named = _TORQUE.fullmatch(rows[0][1]) if rows and len(rows[0]) == 2 and rows[0][0].lower() == PERCENT else None
    if named is None:
        raise UserError(f"{what}: must begin with the line {_HEAD}.")
    joint, unit = named[1], TORQUE_UNITS[0] if "kg" in named[2].lower() else TORQUE_UNITS[1]
    percent, torque = _closed([_numbers(row, what) for row in rows[1:]], what)
    return Spline(percent, torque, joint=f"*{joint}*", torque_unit=unit)


def _numbers(row: list[str], what: str) -> tuple[float, float]:
    try:
        percent, torque = (float(cell) for cell in row)
    except ValueError:
        raise UserError(f"{what}: the line {','.join(row)[:60]!r} must be two numbers.") from None
    return percent, torque


def _closed(rows: list[tuple[float, float]], what: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Without 100 %, which is 0 % of the next stride."""
    if rows and rows[-1][0] == 100:
        if rows[0][0] == 0 and abs(rows[-1][1] - rows[0][1]) > _CLOSES * max(abs(torque) for _, torque in rows):
            raise UserError(
                f"{what}: the torque at 100 % ({rows[-1][1]:g}) is not that at 0 % ({rows[0][1]:g}), which is the same "
                "instant: the device would have to jump at each heel strike."
            )
        rows = rows[:-1] if rows[0][0] == 0 else [(0.0, rows[-1][1]), *rows[:-1]]
    return tuple(percent for percent, _ in rows), tuple(torque for _, torque in rows)
