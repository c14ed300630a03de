"""From what a foreign file holds to a gait record: what is missing is worked out or NaN, and all of it is told.

The readers of the formats (csv_files, opensim_files, myoassist_json) give fields; this makes them one record."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.laboratory import feet, frame, mass
from mjx_assist.eval.formats.laboratory.plates import Plate
from mjx_assist.eval.replay.record import IMPORTED, NAMES, SERIES, GaitRecord, axis_sizes
from mjx_assist.reference import resampling, way

SAMPLE_RATES = (10.0, 5000.0)  # Hz
SLOWEST_WALK = 0.1  # m/s; below it pelvis_tx tells no speed (a treadmill)
ROOT = "pelvis_"  # how the root's coordinates begin
MOMENTS = ("joint_moment", "device_moment", "passive_moment", "limit_moment")
OVER_TIME = tuple(name for name, series in SERIES.items() if series.axes.startswith("T"))
_UNKNOWN = {"human": "unknown", "device": "unknown", "controller": "unknown", "model_kind": IMPORTED}


@dataclasses.dataclass(frozen=True)
class Part:
    """What one file holds: record fields by name (arrays, tuples of names, scalars) and sentences about it.

    Of a laboratory's, not of a model: ``laboratory``; its force ``plates``, not yet feet; the ``belt``'s speed, m/s;
    the joints whose sign was ``turned`` to the record's.
    """

    source: str
    fields: dict[str, Any]
    notes: tuple[str, ...] = ()
    laboratory: bool = False
    plates: tuple[Plate, ...] = ()
    belt: float | None = None
    turned: tuple[str, ...] = ()
    plates_time: np.ndarray | None = None

    @property
    def loaded(self) -> np.ndarray:
        """[T] s of the plates' samples: ``plates_time``, or those of the part."""
        return self.fields["time"] if self.plates_time is None else self.plates_time


@dataclasses.dataclass(frozen=True)
class Imported:
    """A record, its fields that no file held (NaN), and what was assumed or worked out, as sentences."""

    record: GaitRecord
    absent: tuple[str, ...]
    notes: tuple[str, ...]


def from_opensim(vectors: np.ndarray) -> np.ndarray:
    """[..., 3] (forward, up, right) as (forward, left, up)."""
    return np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def combine(parts: Sequence[Part]) -> Imported:
    """One record of all parts: on the first one's samples, the others interpolated, within the time they share.

    Needed are time and joint angles. Worked out where absent: joint velocities (differences), body mass (mean ground
    reaction over whole strides), target velocity (mean speed). A laboratory's walk is turned onto x, its plates are
    given to the feet. Other absent series are NaN, absent names empty. Raises UserError for what contradicts itself.
    """
    parts = sorted(parts, key=lambda part: ("qpos" not in part.fields, bool(part.plates)))
    parts = [part if part is parts[0] else _plates_alone(part) for part in parts]
    names = ", ".join(part.source for part in parts)
    for part in parts:
        _check_own(part)
    if "qpos" not in parts[0].fields:
        held = ", ".join(sorted({"ground reaction" for part in parts if part.plates} | _kinds(parts)))
        raise UserError(
            f"{names}: holds no joint angles{f' but {held}' if held else ''}; a record needs time and joint angles at "
            "least. Give the file of the joint angles beside it."
        )
    fields, notes = _merged(parts)
    fields = _evenly(fields, notes, names)
    if parts[0].laboratory:
        _turn_moments(parts, fields)
        _walk(parts, fields, notes)
    if "qvel" not in fields:
        if fields["time"].size < 2:
            raise UserError(f"{names}: one sample without joint velocities is no motion.")
        fields["qvel"] = np.gradient(fields["qpos"], fields["time"], axis=0)
        notes.append("joint velocities: differences of the joint angles")
    _add_body_mass(fields, notes, names)
    _add_target_velocity(fields, notes)
    return _filled(fields, notes, names)


def _plates_alone(part: Part) -> Part:
    """The plates of a recording that has joint angles too (a .c3d), where another file's angles are taken."""
    if not part.plates or "qpos" not in part.fields:
        return part
    note = f"{part.source}: its joint angles are not used beside those of another file"
    return dataclasses.replace(part, fields={"time": part.loaded}, notes=(*part.notes, note), plates_time=None)


def _kinds(parts: Sequence[Part]) -> set[str]:
    """In words, what parts hold over time."""
    return {name.replace("_", " ") for part in parts for name in part.fields if name in OVER_TIME and name != "time"}


def _check_own(part: Part) -> None:
    """The shapes of a part's own series against its own time and names, and its rate."""
    time = np.asarray(part.fields["time"], float)
    if not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise UserError(f"{part.source}: time must rise and be finite.")
    for name, value in part.fields.items():
        if name in OVER_TIME and len(value) != time.size:
            raise UserError(f"{part.source}: {name} has {len(value)} samples, time {time.size}.")
    (low, high), rate = SAMPLE_RATES, 1 / float(np.median(np.diff(time))) if time.size > 1 else np.inf
    if part.laboratory and time.size > 1 and not low <= rate <= high:
        raise UserError(
            f"{part.source}: time rises at {rate:.4g} Hz; {low:g} to {high:g} make sense. Is time in seconds? "
            "Divide milliseconds by 1000, frame numbers by the rate."
        )


def _merged(parts: Sequence[Part]) -> tuple[dict[str, Any], list[str]]:
    base, notes = dict(parts[0].fields), list(parts[0].notes)
    begin = max(part.fields["time"][0] for part in parts)
    end = min(part.fields["time"][-1] for part in parts)
    inside = (base["time"] >= begin) & (base["time"] <= end)
    if not inside.any():
        spans = (f"{part.source} {part.fields['time'][0]:g} to {part.fields['time'][-1]:g} s" for part in parts)
        raise UserError(f"have no time in common: {', '.join(spans)}.")
    fields = {name: value[inside] if name in OVER_TIME else value for name, value in base.items()}
    for part in parts[1:]:
        own = part.fields["time"]
        same = np.array_equal(own[: base["time"].size], base["time"])
        notes += part.notes
        if not same:
            notes.append(f"{part.source}: interpolated onto the samples of {parts[0].source}")
        for name, value in part.fields.items():
            if name == "time" or (name in fields and name not in OVER_TIME):
                continue
            if name in fields:
                raise UserError(f"{part.source} and {parts[0].source} both hold {name}; give one of them.")
            if name in MOMENTS:
                value = _of_joints(part, name, value, fields["joint_names"])
            if name in OVER_TIME:
                value = value[inside] if same else _interpolated(fields["time"], own, value)
            fields[name] = value
    return fields, notes


def _interpolated(at: np.ndarray, time: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[len(at), ...] linear in time; NaN where a neighbour is NaN."""
    flat = values.reshape(len(time), -1)
    return np.stack([np.interp(at, time, column) for column in flat.T], axis=1).reshape(len(at), *values.shape[1:])


def _evenly(fields: dict[str, Any], notes: list[str], source: str) -> dict[str, Any]:
    """The same in even steps; itself where they are. Raises UserError for a gap that cannot be bridged."""
    time = fields["time"]
    even = resampling.even_time(source, time)
    if even is None:
        return fields
    notes.append(f"{source}: {resampling.told(time, even)}")
    new = {n: _interpolated(even, time, v) if n in OVER_TIME else v for n, v in fields.items()} | {"time": even}
    return new | {n: resampling.smooth(even, time, fields[n]) for n in ("qpos", "qvel") if n in fields}


def _turn_moments(parts: Sequence[Part], fields: dict[str, Any]) -> None:
    """Give the moments of another file the sign of angles that were turned (knees of Rajagopal's model)."""
    for name in MOMENTS:
        if name in fields and name not in parts[0].fields:
            fields[name] = fields[name] * np.where(np.isin(fields["joint_names"], parts[0].turned), -1.0, 1.0)


def _of_joints(part: Part, name: str, values: np.ndarray, joints: Sequence[str]) -> np.ndarray:
    """[T, J] a part's moments in the order of ``joints``; no muscle acts on the root's. Raises UserError for a gap."""
    own = part.fields["joint_names"]
    missing = [joint for joint in joints if joint not in own and not joint.startswith(ROOT)]
    if missing:
        raise UserError(f"{part.source}: {name} lacks {', '.join(missing)}, whose angles are known.")
    columns = [values[:, own.index(joint)] if joint in own else np.zeros(len(values)) for joint in joints]
    return np.stack(columns, axis=1)


def _walk(parts: Sequence[Part], fields: dict[str, Any], notes: list[str]) -> None:
    """Put a laboratory's walk into the record's frame, and its plates under the feet, with the body's mass."""
    time = fields["time"]
    before = dict(zip(fields["joint_names"], fields["qpos"].T, strict=True))
    belt = next((part.belt for part in parts if part.belt is not None), None)
    loaded, plates = _plates(parts)
    walk = frame.along_x(parts[0].source, (time, before), (loaded, plates), belt)
    notes += walk.notes
    _replace_coordinates(fields, before, walk.coordinates)
    if walk.speed is not None and walk.speed > SLOWEST_WALK and "target_velocity" not in fields:
        fields["target_velocity"] = np.full(time.size, walk.speed)
        notes.append(f"target_velocity: {walk.speed:.2f} m/s, the mean speed walked")
    if not walk.plates:
        return
    reach = way.ahead(walk.coordinates)
    source = ", ".join(part.source for part in parts if part.plates)
    on_plates = None if reach is None else _interpolated(loaded, time, reach)
    feet_loads, told = feet.to_feet(source, walk.plates, loaded, on_plates, way.stride_time(time, reach))
    notes += told
    if "body_mass" not in fields and (found := mass.body_mass(source, feet_loads["force"][..., 1], loaded)):
        fields["body_mass"] = found
        notes.append(f"body_mass: {found:.1f} kg from the mean vertical ground reaction over whole strides")
    force, point, torque = (_interpolated(time, loaded, feet_loads[name]) for name in ("force", "point", "torque"))
    fields["ground_reaction"] = from_opensim(force)
    fields["center_of_pressure"] = np.where(force[..., 1:2] > 0, from_opensim(point), np.nan)
    fields["free_moment"] = torque[..., 1]


def _plates(parts: Sequence[Part]) -> tuple[np.ndarray, list[Plate]]:
    """(time [T] s, plates) of all parts, on the samples of the one that has the most."""
    having = [part for part in parts if part.plates]
    if not having:
        return np.zeros(0), []
    time = max((part.loaded for part in having), key=len)
    return time, [
        plate if own is time else plate.mapped(lambda values, own=own: _interpolated(time, own, values))
        for own, plates in ((part.loaded, part.plates) for part in having)
        for plate in plates
    ]


def _replace_coordinates(fields: dict[str, Any], old: dict[str, np.ndarray], walked: dict[str, np.ndarray]) -> None:
    """Set qpos to the coordinates, and qvel where they changed."""
    speeds = dict(zip(fields["joint_names"], fields["qvel"].T, strict=True)) if "qvel" in fields else {}
    own = fields["joint_names"]
    for name in {*MOMENTS} & set(fields):
        before = dict(zip(own, fields[name].T, strict=True))
        fields[name] = np.stack([before.get(joint, np.zeros(len(fields["time"]))) for joint in walked], axis=1)
    fields["joint_names"] = tuple(walked)
    fields["qpos"] = np.stack(list(walked.values()), axis=1)
    if speeds:
        time = fields["time"]
        kept = [speeds[n] if c is old.get(n) else np.gradient(c, time) for n, c in walked.items()]
        fields["qvel"] = np.stack(kept, axis=1)


def _add_body_mass(fields: dict[str, Any], notes: list[str], source: str) -> None:
    """From the mean vertical ground reaction over whole strides, which is the body's weight."""
    if "body_mass" in fields:
        return
    known = None
    if "ground_reaction" in fields:
        known = mass.body_mass(source, np.nan_to_num(fields["ground_reaction"][..., 2]), fields["time"])
    if known is None:
        fields["body_mass"] = np.nan
        why = "no whole stride on force plates" if "ground_reaction" in fields else "no ground reaction"
        notes.append(f"body_mass: not known ({why}); a line body_mass=75 (kg) in a .mot's header gives it")
    else:
        fields["body_mass"] = known
        notes.append(f"body_mass: {known:.1f} kg from the mean vertical ground reaction over whole strides")


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
    straight = () if np.any(fields["heading"]) else ("pelvis_place",)  # nothing to tell of a walk that did not turn
    absent = [name for name in SERIES if name not in straight and np.isnan(fields[name]).all()]
    fields = _UNKNOWN | {"leg_length": np.nan, "fell": False, "seed": 0} | fields
    if "control_dt" not in fields and size["T"] > 1:
        fields["control_dt"] = float(np.median(np.diff(fields["time"])))
    try:
        return Imported(GaitRecord(**fields), tuple(absent), tuple(notes))
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None
