"""From what a foreign file holds to a gait record: what is missing is worked out or NaN, and all of it is told.

The readers of the formats (csv_files, opensim_files, myoassist_json) give fields; this makes them one record."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.record import NAMES, SCALARS, SERIES, GaitRecord, axis_sizes
from mjx_assist.model.names import GRAVITY

STANDARD_MASS = 75.0  # kg, where neither the file nor the ground reaction tells
SLOWEST_WALK = 0.1  # m/s; below it pelvis_tx tells no speed (a treadmill)
OVER_TIME = tuple(name for name, series in SERIES.items() if series.axes.startswith("T"))
PER_MUSCLE = tuple(name for name, series in SERIES.items() if series.axes == "M")
_UNKNOWN = {"human": "unknown", "device": "unknown", "controller": "unknown", "model_kind": "imported"}


@dataclasses.dataclass(frozen=True)
class Part:
    """What one file holds: record fields by name (arrays, tuples of names, scalars) and sentences about it."""

    source: str
    fields: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Imported:
    """A record, its fields that no file held (NaN), and what was assumed or worked out, as sentences."""

    record: GaitRecord
    absent: tuple[str, ...]
    notes: tuple[str, ...]


def header_of(record: GaitRecord) -> dict[str, str]:
    """What a table's columns cannot hold, as text by field name; ``fields_of_header`` reads it back."""
    header = {name: str(getattr(record, name)) for name in SCALARS}
    header |= {name: " ".join(repr(float(x)) for x in getattr(record, name)) for name in PER_MUSCLE}
    return header | {name: " ".join(getattr(record, name)) for name in ("muscle_names", "device_joints")}


def fields_of_header(header: dict[str, str], source: str) -> dict[str, Any]:
    """The record fields among a header's entries. Raises UserError for one that is not what it should be."""
    fields: dict[str, Any] = {}
    for name in (*SCALARS, *PER_MUSCLE, "muscle_names", "device_joints"):
        text = header.get(name)
        if text is None:
            continue
        try:
            if name in PER_MUSCLE:
                fields[name] = np.array(text.split(), float)
            elif name in NAMES:
                fields[name] = tuple(text.split())
            else:
                fields[name] = text == "True" if SCALARS[name] is bool else SCALARS[name](text)
        except ValueError:
            raise UserError(f"{source}: header entry {name} is {text!r}, not a number.") from None
    return fields


def combine(parts: Sequence[Part]) -> Imported:
    """One record of all parts: on the first one's samples, the others interpolated, within the time they share.

    Needed are time and joint angles. Worked out where absent: joint velocities (differences), body mass (mean ground
    reaction), target velocity (mean speed). Other absent series are NaN, absent names empty. Raises UserError for what
    contradicts itself.
    """
    parts = sorted(parts, key=lambda part: "qpos" not in part.fields)
    names = ", ".join(part.source for part in parts)
    for part in parts:
        _check_own(part)
    if "qpos" not in parts[0].fields:
        raise UserError(f"{names}: holds no joint angles; a record needs time and joint angles at least.")
    fields, notes = _merged(parts)
    if "qvel" not in fields:
        if fields["time"].size < 2:
            raise UserError(f"{names}: one sample without joint velocities is no motion.")
        fields["qvel"] = np.gradient(fields["qpos"], fields["time"], axis=0)
        notes.append("joint velocities: differences of the joint angles")
    _add_body_mass(fields, notes)
    _add_target_velocity(fields, notes)
    return _filled(fields, notes, names)


def _check_own(part: Part) -> None:
    """The shapes of a part's own series against its own time and names."""
    time = np.asarray(part.fields["time"], float)
    if not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise UserError(f"{part.source}: time must rise and be finite.")
    for name, value in part.fields.items():
        if name in OVER_TIME and len(value) != time.size:
            raise UserError(f"{part.source}: {name} has {len(value)} samples, time {time.size}.")


def _merged(parts: Sequence[Part]) -> tuple[dict[str, Any], list[str]]:
    base, notes = dict(parts[0].fields), list(parts[0].notes)
    begin = max(part.fields["time"][0] for part in parts)
    end = min(part.fields["time"][-1] for part in parts)
    inside = (base["time"] >= begin) & (base["time"] <= end)
    if not inside.any():
        raise UserError(f"{', '.join(part.source for part in parts)}: have no time in common.")
    fields = {name: value[inside] if name in OVER_TIME else value for name, value in base.items()}
    for part in parts[1:]:
        notes += part.notes
        same = np.array_equal(part.fields["time"][: base["time"].size], base["time"])
        if not same:
            notes.append(f"{part.source}: interpolated onto the samples of {parts[0].source}")
        for name, value in part.fields.items():
            if name == "time" or (name in fields and name not in OVER_TIME):
                continue
            if name in fields:
                raise UserError(f"{part.source} and {parts[0].source} both hold {name}; give one of them.")
            if name in OVER_TIME:
                value = value[inside] if same else _interpolated(fields["time"], part.fields["time"], value)
            fields[name] = value
    return fields, notes


def _interpolated(at: np.ndarray, time: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[len(at), ...] linear in time; NaN where a neighbour is NaN."""
    flat = values.reshape(len(time), -1)
    return np.stack([np.interp(at, time, column) for column in flat.T], axis=1).reshape(len(at), *values.shape[1:])


def _add_body_mass(fields: dict[str, Any], notes: list[str]) -> None:
    """From the mean vertical ground reaction, which over whole strides is the body's weight."""
    if "body_mass" in fields:
        return
    weight = float(np.nanmean(fields["ground_reaction"][:, :, 2].sum(axis=1))) if "ground_reaction" in fields else 0.0
    if weight > 0:
        fields["body_mass"] = weight / GRAVITY
        notes.append(f"body_mass: {fields['body_mass']:.1f} kg from the mean vertical ground reaction")
    else:
        fields["body_mass"] = STANDARD_MASS
        notes.append(f"body_mass: not known, {STANDARD_MASS:g} kg assumed")


def _add_target_velocity(fields: dict[str, Any], notes: list[str]) -> None:
    """The mean speed walked, so that healthy gait at the same speed is what the walk is compared with."""
    if "target_velocity" in fields or "pelvis_tx" not in fields["joint_names"] or fields["time"].size < 2:
        return
    way = fields["qpos"][:, fields["joint_names"].index("pelvis_tx")]
    speed = (way[-1] - way[0]) / (fields["time"][-1] - fields["time"][0])
    if speed > SLOWEST_WALK:
        fields["target_velocity"] = np.full(fields["time"].size, speed)
        notes.append(f"target_velocity: {speed:.2f} m/s, the mean speed walked")


def _filled(fields: dict[str, Any], notes: list[str], source: str) -> Imported:
    size = axis_sizes(len(fields["time"]), {name: fields.setdefault(name, ()) for name in NAMES})
    for name, series in SERIES.items():
        fields.setdefault(name, np.full([size[letter] for letter in series.axes], series.absent))
    absent = [name for name in SERIES if np.isnan(fields[name]).all()]
    fields = _UNKNOWN | {"leg_length": np.nan, "fell": False, "seed": 0} | fields
    if "control_dt" not in fields and size["T"] > 1:
        fields["control_dt"] = float(np.median(np.diff(fields["time"])))
    try:
        return Imported(GaitRecord(**fields), tuple(absent), tuple(notes))
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None
