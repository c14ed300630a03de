"""The gait record: everything one replayed episode yields, and all that metrics, plots and report read.

Plain arrays and names in a frozen dataclass, kept in one npz without pickles. It computes nothing about gait."""

import dataclasses
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.config.words import LEARNED
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import replacing
from mjx_assist.model.names import GRAVITY

SCHEMA = "mjx-assist-gait-record"
SCHEMA_VERSION = 2
SIDES = ("right", "left")
# Shape of each array field by the letters below; T is the number of samples.
_SHAPES = {
    "time": "T",
    "phase": "T",
    "target_velocity": "T",
    "qpos": "TJ",
    "qvel": "TJ",
    "reference_qpos": "TJ",
    "activation": "TM",
    "excitation": "TM",
    "muscle_length": "TM",
    "muscle_velocity": "TM",
    "muscle_force": "TM",
    "muscle_active_force": "TM",
    "device_torque": "TD",
    "ground_reaction": "T23",
    "center_of_pressure": "T23",
    "free_moment": "T2",
    "joint_moment": "TJ",
    "device_moment": "TJ",
    "passive_moment": "TJ",
    "foot_position": "T23",
    "toe_position": "T23",
    "com_position": "T3",
    "com_velocity": "T3",
    "sensors": "TS",
    "foot_ground": "T2",
    "com_ground": "T",
    "muscle_max_force": "M",
    "muscle_optimal_length": "M",
    "muscle_tendon_length": "M",
    "muscle_max_velocity": "M",
}
_MAY_BE_NAN = ("center_of_pressure",)
LEVEL = ("foot_ground", "com_ground")  # zero where it is not given, as in files from before there was other ground
# What numpy and zipfile raise for a file that is damaged, holds pickles or is something else.
_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
_NAMES = {
    "joint_names": "J",
    "muscle_names": "M",
    "device_names": "D",
    "device_joints": "D",
    "sensor_names": "S",
}


@dataclasses.dataclass(frozen=True, eq=False)
class GaitRecord:
    """One episode of T samples, at the physics rate or every k-th step. SI units, radians, reduced joint order.

    time [T] s since the reset, when a physics step begins: state and forces of a row belong to that instant; phase
    [T] cycles of the policy's gait clock, 0..1; target_velocity [T] m/s; qpos, qvel, reference_qpos [T, J].

    Muscles [T, M]: activation, excitation 0..1; muscle_length, muscle_velocity of the whole path (m, m/s, lengthening
    positive); muscle_force its tension N, muscle_active_force the part that activation makes (never below 0). Per
    muscle [M]: muscle_max_force N, muscle_optimal_length and muscle_tendon_length m (a rigid tendon: fibre length =
    path length - tendon length), muscle_max_velocity in optimal lengths per s.

    device_torque [T, D] N*m about ``device_joints[d]``, in that joint's sign. joint_moment [T, J] N*m of muscles and
    device together, device_moment [T, J] the device's part, passive_moment [T, J] of springs, damping, friction and
    joint limits (the couplings of a full model too); their sum is what inverse dynamics finds.

    World axes are (forward, left, up). ground_reaction [T, 2, 3] N on the (right, left) foot; center_of_pressure
    [T, 2, 3] m on the ground, NaN where the foot is unloaded; free_moment [T, 2] N*m about the vertical through it;
    foot_position [T, 2, 3] m, heel-body (calcn) origins; toe_position [T, 2, 3] m, centres of the forefoot's touch
    volumes; com_position, com_velocity [T, 3] of the whole body, m, m/s; sensors [T, S] the model's own.
    ``controller``: what drove the device. foot_ground [T, 2], com_ground [T] m: height of the ground under the (right,
    left) heel-body origin and under the centre of mass.
    """

    time: np.ndarray
    phase: np.ndarray
    target_velocity: np.ndarray
    qpos: np.ndarray
    qvel: np.ndarray
    reference_qpos: np.ndarray
    activation: np.ndarray
    excitation: np.ndarray
    muscle_length: np.ndarray
    muscle_velocity: np.ndarray
    muscle_force: np.ndarray
    muscle_active_force: np.ndarray
    device_torque: np.ndarray
    ground_reaction: np.ndarray
    center_of_pressure: np.ndarray
    free_moment: np.ndarray
    joint_moment: np.ndarray
    device_moment: np.ndarray
    passive_moment: np.ndarray
    foot_position: np.ndarray
    toe_position: np.ndarray
    com_position: np.ndarray
    com_velocity: np.ndarray
    sensors: np.ndarray
    muscle_max_force: np.ndarray
    muscle_optimal_length: np.ndarray
    muscle_tendon_length: np.ndarray
    muscle_max_velocity: np.ndarray
    joint_names: tuple[str, ...]
    muscle_names: tuple[str, ...]
    device_names: tuple[str, ...]
    device_joints: tuple[str, ...]
    sensor_names: tuple[str, ...]
    body_mass: float
    leg_length: float
    fell: bool
    human: str
    device: str
    model_kind: str
    seed: int
    control_dt: float = 1.0 / 30.0
    controller: str = LEARNED
    foot_ground: np.ndarray | None = None
    com_ground: np.ndarray | None = None

    def __post_init__(self):
        """Convert arrays to float and names to tuples; ValueError when shapes and names do not fit together."""
        for name in _NAMES:
            object.__setattr__(self, name, tuple(str(part) for part in getattr(self, name)))
        for name in LEVEL:
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros((np.size(self.time), *map(int, _SHAPES[name][1:]))))
        for name in _SHAPES:
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))
        size = {letter: len(getattr(self, name)) for name, letter in _NAMES.items()} | {"2": 2, "3": 3}
        size["T"] = self.time.size
        for name, letters in {**_NAMES, **_SHAPES}.items():
            field = getattr(self, name)
            shape = field.shape if name in _SHAPES else (len(field),)
            expected = tuple(size[letter] for letter in letters)
            if shape != expected:
                raise ValueError(f"gait record: {name} has shape {shape}, expected {expected}")
        if self.time.size < 1 or (np.diff(self.time) <= 0).any():
            raise ValueError("gait record: time must hold at least one sample and increase")
        if not self.body_mass > 0:
            raise ValueError(f"gait record: body_mass must be positive, not {self.body_mass}")
        missing = sorted(set(self.device_joints) - set(self.joint_names))
        if missing:
            raise ValueError(f"gait record: device_joints {missing} are not among joint_names")

    @property
    def body_weight(self) -> float:
        """Body weight, N."""
        return self.body_mass * GRAVITY

    @property
    def joint_velocity(self) -> np.ndarray:
        """[T, J] central differences of qpos: the mean velocity over the step through which a row's forces are held.

        With it power adds up to the change of energy; ``qvel`` is the velocity when the step begins.
        """
        return np.gradient(self.qpos, self.time, axis=0) if self.time.size > 1 else self.qvel

    @property
    def joint_power(self) -> np.ndarray:
        """[T, J] W that muscles and device together give (positive) to a joint, or take from it."""
        return self.joint_moment * self.joint_velocity

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
        over_time = [name for name, letters in _SHAPES.items() if letters.startswith("T")]
        for name in set(over_time) - set(_MAY_BE_NAN):
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
        for name in _NAMES:  # an empty tuple would become a float array
            fields[name] = np.array(getattr(self, name), dtype=str)
        with replacing(path) as stream:
            np.savez_compressed(stream, schema=SCHEMA, schema_version=SCHEMA_VERSION, **fields)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "GaitRecord":
        """Read what ``save`` wrote; UserError for a missing, corrupt or foreign file or another schema version."""
        path = Path(path)
        try:
            archive = np.load(path, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it is not an npz archive")
            with archive:
                stored = {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            raise UserError(f"gait record {path}: there is no such file.") from None
        except _UNREADABLE as error:
            raise UserError(f"gait record {path}: cannot be read ({error}).") from error
        return _from_entries(stored, path)


def _from_entries(stored: dict[str, np.ndarray], path: Path) -> GaitRecord:
    """The record from an npz's entries; UserError where the file is not ours or not whole."""
    if str(stored.get("schema")) != SCHEMA:
        raise UserError(f"gait record {path}: this is not a gait record.")
    version = stored.get("schema_version")
    if str(version) != str(SCHEMA_VERSION):
        raise UserError(f"gait record {path}: schema version {version}, this program reads {SCHEMA_VERSION}.")
    wanted: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(GaitRecord)}
    missing = sorted(set(wanted) - set(stored) - set(LEVEL))
    if missing:
        raise UserError(f"gait record {path}: lacks {', '.join(missing)}.")
    try:
        arrays, found = (*_SHAPES, *_NAMES), [name for name in wanted if name in stored]
        given: dict[str, Any] = {n: stored[n] if n in arrays else wanted[n](stored[n]) for n in found}
        return GaitRecord(**given)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: {error}") from error
