"""The gait record: everything one replayed episode yields, and all that metrics, plots and report read.

Plain arrays and names in a frozen dataclass, kept in one npz without pickles. It computes nothing about gait."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np

from mjx_assist.config.words import LEARNED
from mjx_assist.errors import UserError, note
from mjx_assist.files.atomic import replacing
from mjx_assist.files.untrusted import read_npz
from mjx_assist.model.names import GRAVITY

SCHEMA = "mjx-assist-gait-record"
SCHEMA_VERSION = 2
SIDES = ("right", "left")
IMPORTED = "imported"  # the model_kind of a walk that another program or a laboratory recorded
FIXED_AXES = {"2": SIDES, "3": ("forward", "left", "up")}  # letters of axes that every record has; world axes


@dataclasses.dataclass(frozen=True)
class Series:
    """What an array of a record is.

    ``axes``: a letter each, T for samples, else one of `Names` or of `FIXED_AXES`. ``unit``: as in a table's column; a
    joint's series has that of an angle and that of a length. ``gaps``: NaN where there is nothing to tell. ``absent``:
    of an optional one, what a record holds throughout where it is not given.
    """

    axes: str
    unit: str | tuple[str, str]
    about: str
    gaps: bool = False
    absent: float = float("nan")


@dataclasses.dataclass(frozen=True)
class Names:
    """Names along the axis with this letter."""

    axis: str
    about: str


@dataclasses.dataclass(frozen=True, eq=False)
class GaitRecord:
    """One episode of T samples, at the physics rate or every k-th step. SI units, radians, reduced joint order.

    ``SERIES`` and ``NAMES`` hold what is declared here; ``controller``: what drove the device. ``body_mass`` is all
    that the feet carry, ``device_mass`` the device's part of it; a mass that is not known is NaN. Series that are None
    when a record is made hold their ``absent`` value: the ground is level at 0, nothing turns, limit_moment, toe_tip
    and pelvis_place are not known, left joints turn as the right ones' mirror images. A walk that turned is laid out
    straight (eval/replay/straight.py).
    """

    time: Annotated[
        np.ndarray,
        Series("T", "s", "since the reset, when a physics step begins: state and forces of a row are of that instant"),
    ]
    phase: Annotated[np.ndarray, Series("T", "cycle", "the policy's gait clock, 0..1")]
    target_velocity: Annotated[np.ndarray, Series("T", "m_per_s", "the speed asked")]
    qpos: Annotated[np.ndarray, Series("TJ", ("rad", "m"), "joint positions")]
    qvel: Annotated[np.ndarray, Series("TJ", ("rad_per_s", "m_per_s"), "joint velocities")]
    reference_qpos: Annotated[np.ndarray, Series("TJ", ("rad", "m"), "the policy's reference at the same instants")]
    activation: Annotated[np.ndarray, Series("TM", "fraction", "0..1")]
    excitation: Annotated[np.ndarray, Series("TM", "fraction", "0..1, what the policy asks of the muscle")]
    muscle_length: Annotated[np.ndarray, Series("TM", "m", "of the whole path")]
    muscle_velocity: Annotated[np.ndarray, Series("TM", "m_per_s", "of the whole path, lengthening positive")]
    muscle_force: Annotated[np.ndarray, Series("TM", "N", "tension")]
    muscle_active_force: Annotated[
        np.ndarray, Series("TM", "N", "the part of the tension that activation makes, never below 0")
    ]
    device_torque: Annotated[np.ndarray, Series("TD", "N_m", "about its joint of device_joints, in that joint's sign")]
    ground_reaction: Annotated[np.ndarray, Series("T23", "N", "on each foot")]
    center_of_pressure: Annotated[
        np.ndarray, Series("T23", "m", "on the ground, NaN where the foot is unloaded", gaps=True)
    ]
    free_moment: Annotated[np.ndarray, Series("T2", "N_m", "about the vertical through the centre of pressure")]
    joint_moment: Annotated[np.ndarray, Series("TJ", ("N_m", "N"), "of muscles and device together")]
    device_moment: Annotated[np.ndarray, Series("TJ", ("N_m", "N"), "the device's part of it")]
    passive_moment: Annotated[
        np.ndarray,
        Series(
            "TJ",
            ("N_m", "N"),
            "of springs, damping, friction, joint limits and a full model's couplings; added to joint_moment, what "
            "inverse dynamics finds",
        ),
    ]
    foot_position: Annotated[np.ndarray, Series("T23", "m", "heel-body (calcn) origins")]
    toe_position: Annotated[np.ndarray, Series("T23", "m", "centres of the forefoot's touch volumes")]
    com_position: Annotated[np.ndarray, Series("T3", "m", "centre of mass of the whole body")]
    com_velocity: Annotated[np.ndarray, Series("T3", "m_per_s", "the same")]
    sensors: Annotated[np.ndarray, Series("TS", "SI", "the model's own")]
    muscle_max_force: Annotated[np.ndarray, Series("M", "N", "isometric, at optimal length")]
    muscle_optimal_length: Annotated[np.ndarray, Series("M", "m", "of the fibres")]
    muscle_tendon_length: Annotated[np.ndarray, Series("M", "m", "rigid: fibre length = path length - this")]
    muscle_max_velocity: Annotated[np.ndarray, Series("M", "1_per_s", "in optimal lengths per second")]
    joint_names: Annotated[tuple[str, ...], Names("J", "joints of the reduced model, in its order")]
    muscle_names: Annotated[tuple[str, ...], Names("M", "muscles")]
    device_names: Annotated[tuple[str, ...], Names("D", "actuators of the device")]
    device_joints: Annotated[tuple[str, ...], Names("D", "the joint that each of them drives")]
    sensor_names: Annotated[tuple[str, ...], Names("S", "sensors of the model")]
    body_mass: float
    leg_length: float
    fell: bool
    human: str
    device: str
    model_kind: str
    seed: int
    control_dt: float = 1.0 / 30.0
    controller: str = LEARNED
    device_mass: float = 0.0
    foot_ground: Annotated[
        np.ndarray | None, Series("T2", "m", "height of the ground under foot_position", absent=0.0)
    ] = None
    com_ground: Annotated[
        np.ndarray | None, Series("T", "m", "height of the ground under com_position", absent=0.0)
    ] = None
    limit_moment: Annotated[
        np.ndarray | None, Series("TJ", ("N_m", "N"), "the joint limits' part of passive_moment")
    ] = None
    toe_tip: Annotated[np.ndarray | None, Series("T23", "m", "the foremost points of the soles")] = None
    heading: Annotated[
        np.ndarray | None,
        Series("T", "rad", "commanded, to the left; places and directions of the record are along it", absent=0.0),
    ] = None
    pelvis_place: Annotated[
        np.ndarray | None,
        Series("T3", "m", "of a walk that turned: pelvis_tx, -pelvis_tz, pelvis_ty in the world", gaps=True),
    ] = None
    joint_sign: Annotated[
        np.ndarray | None,
        Series("J", "1", "-1 for a left joint that turns the other way than the right one's mirror image", absent=1.0),
    ] = None

    def __post_init__(self):
        """Convert arrays to float and names to tuples; ValueError when shapes and names do not fit together."""
        for name in NAMES:
            object.__setattr__(self, name, tuple(str(part) for part in getattr(self, name)))
        if not self.joint_names:
            raise ValueError("gait record: it has no joints")
        size = axis_sizes(np.size(self.time), {name: getattr(self, name) for name in NAMES})
        for name in OPTIONAL:
            if getattr(self, name) is None:
                shape = [size[letter] for letter in SERIES[name].axes]
                object.__setattr__(self, name, np.full(shape, SERIES[name].absent))
        for name in SERIES:
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))
        axes = {name: along.axis for name, along in NAMES.items()} | {name: of.axes for name, of in SERIES.items()}
        for name, letters in axes.items():
            shape, expected = np.shape(getattr(self, name)), tuple(size[letter] for letter in letters)
            if shape != expected:
                raise ValueError(f"gait record: {name} has shape {shape}, expected {expected}")
        if self.time.size < 1 or (np.diff(self.time) <= 0).any():
            raise ValueError("gait record: time must hold at least one sample and increase")
        if self.person_mass <= 0:
            raise ValueError(
                f"gait record: body_mass must be positive and more than device_mass, not {self.body_mass} and "
                f"{self.device_mass}"
            )
        for name in ("body_mass", "leg_length", "control_dt"):
            unknown = self.model_kind == IMPORTED and np.isnan(getattr(self, name))
            if not (unknown or 0 < getattr(self, name) < np.inf):
                raise ValueError(f"gait record: {name} must be positive, not {getattr(self, name)}")
        if not np.isfinite(self.time).all():
            raise ValueError("gait record: time must be finite")
        missing = sorted(set(self.device_joints) - set(self.joint_names))
        if missing:
            raise ValueError(f"gait record: device_joints {missing} are not among joint_names")

    @property
    def body_weight(self) -> float:
        """Weight of the body and the device, N."""
        return self.body_mass * GRAVITY

    @property
    def person_mass(self) -> float:
        """kg without the device: what moments, powers and energy are divided by."""
        return self.body_mass - self.device_mass

    @property
    def net_moment(self) -> np.ndarray:
        """[T, J] N*m, N of muscles, device and passive structures together: what inverse dynamics finds."""
        return self.joint_moment + self.passive_moment

    @property
    def joint_velocity(self) -> np.ndarray:
        """[T, J] central differences of qpos: the mean velocity over the step through which a row's forces are held.

        With it power adds up to the change of energy; ``qvel`` is the velocity when the step begins.
        """
        return np.gradient(self.qpos, self.time, axis=0) if self.time.size > 1 else self.qvel

    @property
    def joint_power(self) -> np.ndarray:
        """[T, J] W that muscles, device and passive structures together give (positive) to a joint, or take from it."""
        return self.net_moment * self.joint_velocity

    @property
    def device_power(self) -> np.ndarray:
        """[T, D] W of each device actuator on the joint that it drives."""
        columns = [self.joint_names.index(joint) for joint in self.device_joints]
        return self.device_torque * self.joint_velocity[:, columns]

    @property
    def sample_dt(self) -> float:
        """Median time between samples, s; NaN for a single sample."""
        return float(np.median(np.diff(self.time))) if self.time.size > 1 else float("nan")

    def column(self, array: np.ndarray, joint: str) -> np.ndarray:
        """[T] the column of a [T, J] array that belongs to a joint."""
        return array[:, self.joint_names.index(joint)]

    def finite_part(self) -> "GaitRecord":
        """The record up to its first non-finite sample (itself when there is none); UserError if nothing is left."""
        finite = np.ones(self.time.size, bool)
        over_time = [name for name, series in SERIES.items() if series.axes.startswith("T")]
        for name in over_time:
            if SERIES[name].gaps:
                continue
            field = np.isfinite(getattr(self, name))
            if name not in ("time", "qpos", "qvel") and not field.any():  # not recorded: the file it came from lacks it
                continue
            finite &= field.all(axis=tuple(range(1, field.ndim)))
        if finite.all():
            return self
        length = int(np.argmin(finite))
        if length == 0:
            raise UserError(f"gait record of seed {self.seed}: the first sample is already not finite.")
        return dataclasses.replace(self, **{name: getattr(self, name)[:length] for name in over_time})

    def save(self, path: str | Path) -> Path:
        """Write one compressed npz (no pickles), whole or not at all; returns its path (a missing .npz is added)."""
        path = Path(path)
        path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
        own = dataclasses.fields(self)
        fields: dict[str, Any] = {field.name: np.asarray(getattr(self, field.name)) for field in own}
        for name in NAMES:  # an empty tuple would become a float array
            fields[name] = np.array(getattr(self, name), dtype=str)
        with replacing(path) as stream:
            np.savez_compressed(stream, schema=SCHEMA, schema_version=SCHEMA_VERSION, **fields)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "GaitRecord":
        """Read what ``save`` wrote; UserError for a missing, corrupt or foreign file or another schema version."""
        path = Path(path)
        return _from_entries(read_npz(path, f"gait record {path}"), path)


def axis_sizes(samples: int, names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The length of every axis, by its letter, from the fields of names."""
    named = {NAMES[field].axis: len(along) for field, along in names.items()}
    return {"T": samples, **named, **{letter: len(along) for letter, along in FIXED_AXES.items()}}


def _declared(kind: type) -> dict[str, Any]:
    """The record's fields that are annotated with a ``kind``, in order, and the annotation."""
    annotations = ((f.name, part) for f in dataclasses.fields(GaitRecord) for part in get_args(f.type)[1:])
    return {name: part for name, part in annotations if isinstance(part, kind)}


SERIES: dict[str, Series] = _declared(Series)  # every array of a record
NAMES: dict[str, Names] = _declared(Names)  # every field of names
# Every other field, and the type that makes it from an entry of a file.
SCALARS: dict[str, Any] = {f.name: f.type for f in dataclasses.fields(GaitRecord) if f.name not in (*SERIES, *NAMES)}
OPTIONAL = tuple(f.name for f in dataclasses.fields(GaitRecord) if f.name in SERIES and f.default is None)
_LATER = (*OPTIONAL, "device_mass")  # what files from before they were recorded lack


def _from_entries(stored: dict[str, np.ndarray], path: Path) -> GaitRecord:
    """The record from an npz's entries; UserError where the file is not ours or not whole."""
    if str(stored.get("schema")) != SCHEMA:
        raise UserError(f"gait record {path}: this is not a gait record.")
    version = stored.get("schema_version")
    if str(version) != str(SCHEMA_VERSION):
        raise UserError(f"gait record {path}: schema version {version}, this program reads {SCHEMA_VERSION}.")
    missing = sorted({*SERIES, *NAMES, *SCALARS} - set(stored) - set(_LATER))
    if missing:
        raise UserError(f"gait record {path}: lacks {', '.join(missing)}.")
    replayed = str(stored["model_kind"]) != IMPORTED  # others' angles have gait laboratories' signs
    if replayed and "joint_sign" not in stored and "hip_adduction_l" in stored["joint_names"]:
        note(
            f"{path}: recorded before records said which way left joints turn; its left hip's adduction and rotation "
            "may have the wrong sign: record the walk again."
        )
    try:
        arrays = {name: stored[name] for name in (*SERIES, *NAMES) if name in stored}
        return GaitRecord(**arrays, **{name: kind(stored[name]) for name, kind in SCALARS.items() if name in stored})
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: {error}") from error
