"""Force plates out of a table's columns, in OpenSim's axes (x forward, y up, z right), N, m and N*m.

Which foot stood on which plate is feet.py's question."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from mjx_assist.errors import UserError

AXES = "xyz"
LOADED = 20.0  # N: less is a plate's noise (gait laboratories use 10 to 20 N)
_ABOUT_FORCE = re.compile(r"ground_?(?:reaction_?)?(?:force|torque|moment)|(?:^|_)grf")
_C3D = re.compile(r"(?P<kind>[fpm])(?P<plate>\d+)_?(?P<axis>[123xyz])")  # OpenSim's C3D adapter: f1_1, p1x, m2_3
_AXIS = re.compile(r"(?P<kind>[vpfmt]?)(?P<axis>[xyz])")
_WORDS = {*("ground", "reaction", "force", "forces", "torque", "moment", "grf"), *("calcn", "foot", "plate", "fp")}
_FEET = {"r": 0, "right": 0, "l": 1, "left": 1}
_WIDEST = 1.6  # m that a centre of pressure moves during a contact, at most (on a belt); more: not metres
_MILLIMETRES = 50.0  # the same in mm at least, and in cm at most
_LARGEST_FREE_MOMENT = 150.0  # N*m; walking has 10
_LEAST_PEAK = 100.0  # N of vertical force that walking persons reach, at least
_VERTICAL = 2.0  # the vertical force's mean over that of another axis, at least


@dataclasses.dataclass(frozen=True)
class Plate:
    """Force, point (NaN where unloaded), free torque [T, 3]; ``foot``: 0 right, 1 left, None where no label tells."""

    name: str
    foot: int | None
    force: np.ndarray
    point: np.ndarray
    torque: np.ndarray

    @property
    def load(self) -> np.ndarray:
        """[T] N upwards."""
        return self.force[:, 1]

    def mapped(self, function) -> "Plate":
        """The plate with a function over each of its three arrays."""
        arrays = {name: function(getattr(self, name)) for name in ("force", "point", "torque")}
        return dataclasses.replace(self, **arrays)


def plates_of(source: str, columns: Mapping[str, np.ndarray]) -> tuple[list[Plate], set[str]]:
    """The plates that columns make, as they are labelled, and the labels used.

    Read: ``ground_force_vx``, ``ground_force_px``, ``ground_torque_x`` with the foot or the plate before, within or
    after (``1_``, ``r_``, ``L_``, ``_calcn_r``, ``_2_``, ...), and ``f1_1``, ``p1_1``, ``m1_1``. Raises UserError for
    a plate that lacks a component.
    """
    found: dict[str, dict[tuple[str, str], str]] = {}
    for label in columns:
        place = _place(label)
        if place:
            plate, kind, axis = place
            found.setdefault(plate, {})[kind, axis] = label
    plates = [_plate(source, name, parts, columns) for name, parts in found.items()]
    return plates, {label for parts in found.values() for label in parts.values()}


def mended(source: str, plates: Sequence[Plate]) -> tuple[list[Plate], list[str]]:
    """The plates with y up, forces on the feet, and metres; what was turned or scaled, told.

    Raises UserError where no axis carries a body.
    """
    notes: list[str] = []
    mean = np.nan_to_num(sum(plate.force for plate in plates)).mean(axis=0)
    up = int(np.argmax(np.abs(mean)))
    others = np.delete(np.abs(mean), up)
    if abs(mean[up]) < _VERTICAL * others.max() or np.abs(mean[up]) < 1e-9:
        told = ", ".join(f"{axis} {value:.3g}" for axis, value in zip(AXES, mean, strict=True))
        raise UserError(f"{source}: no axis of the ground reaction carries a body; mean force, N: {told}.")
    peak = max(float(np.nanmax(np.abs(plate.force[:, up]))) for plate in plates)
    if peak < _LEAST_PEAK:
        raise UserError(
            f"{source}: the largest vertical force is {peak:.3g} N, less than any walker's; are these body weights, kN?"
        )
    if up == 0:
        raise UserError(f"{source}: the vertical force is along x; OpenSim's axes are x forward, y up, z right.")
    plates = [dataclasses.replace(plate, torque=_about_vertical(plate.torque, up)) for plate in plates]
    if up == 2:
        notes.append(f"{source}: z is up: turned to OpenSim's axes (y up)")
        plates = [plate.mapped(_from_z_up) for plate in plates]
    if mean[up] < 0:
        notes.append(f"{source}: the vertical force is negative, that on the plates: turned round, to that on the feet")
        plates = [dataclasses.replace(plate, force=-plate.force, torque=-plate.torque) for plate in plates]
    plates = [_unloaded(plate) for plate in plates]
    scale = _to_metres(plates)
    if scale != 1.0:
        unit = "millimetres" if scale == 0.001 else "centimetres"
        notes.append(f"{source}: points of application are in {unit}: divided by {1 / scale:g}")
        plates = [dataclasses.replace(plate, point=scale * plate.point) for plate in plates]
    if max(np.nanmax(np.abs(plate.torque)) for plate in plates) > _LARGEST_FREE_MOMENT and scale != 1.0:
        plates = [dataclasses.replace(plate, torque=scale * plate.torque) for plate in plates]
    return plates, notes


def runs(load: np.ndarray) -> list[tuple[int, int]]:
    """(begin, end) of stretches in which a [T] load is a foot's: above LOADED, and above a twentieth of its peak."""
    peak = float(np.nanmax(load, initial=0.0))
    on = np.nan_to_num(load) > max(LOADED, 0.05 * peak)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _place(label: str) -> tuple[str, str, str] | None:
    """(plate's name: r, l, a number or "", kind v, p or torque, axis) of a column; None for another's."""
    text = label.lower()
    found = _C3D.fullmatch(text)
    if found:
        axis = found["axis"] if found["axis"] in AXES else AXES[int(found["axis"]) - 1]
        return found["plate"], {"f": "v", "p": "p", "m": "torque"}[found["kind"]], axis
    if not _ABOUT_FORCE.search(text):
        return None
    tokens = [token for token in re.split(r"[^a-z\d]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", text) if token]
    axes = [at for at, token in enumerate(tokens) if _AXIS.fullmatch(token)]
    if not axes:
        return None
    found = _AXIS.fullmatch(tokens.pop(axes[-1]))
    assert found
    turning = found["kind"] in ("m", "t") or {"torque", "moment"} & set(tokens)
    names = [{"right": "r", "left": "l"}.get(token, token) for token in tokens if token not in _WORDS]
    return "_".join(names), "torque" if turning else "p" if found["kind"] == "p" else "v", found["axis"]


def _plate(source: str, name: str, parts: dict[tuple[str, str], str], columns: Mapping[str, np.ndarray]) -> Plate:
    size = len(next(iter(columns.values())))
    arrays = {}
    for kind in ("v", "p", "torque"):
        known = [columns[parts[kind, axis]] if (kind, axis) in parts else None for axis in AXES]
        missing = [axis for axis, column in zip(AXES, known, strict=True) if column is None]
        if missing and kind != "torque":
            like = parts.get(("v", "x")) or next(iter(parts.values()))
            named = ", ".join(_like(like, kind, axis) for axis in missing)
            raise UserError(f"{source}: lacks {named}.")
        arrays[kind] = np.stack([np.zeros(size) if column is None else column for column in known], axis=1)
    return Plate(name, _FEET.get(name), arrays["v"], arrays["p"], arrays["torque"])


def _like(label: str, kind: str, axis: str) -> str:
    """How the column of a kind and an axis would be called beside ``label``."""
    return re.sub(r"[vpfmt]?[xyz](?=_?[a-z\d]*$)", f"{kind}{axis}", label)


def _from_z_up(vectors: np.ndarray) -> np.ndarray:
    """[..., 3] (x, y, z up) as (x, y up, z)."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


def _about_vertical(torque: np.ndarray, up: int) -> np.ndarray:
    """The torque about the vertical, where it is about another axis alone: at the point of force there is no other."""
    size = np.nanmax(np.abs(torque), axis=0, initial=0.0)
    only = int(np.argmax(size))
    if only == up or np.delete(size, only).any():
        return torque
    return np.where(np.arange(3) == up, torque[:, only : only + 1], 0.0)


def _unloaded(plate: Plate) -> Plate:
    """The plate without points where nobody stands on it."""
    loaded = np.nan_to_num(plate.load) > LOADED
    return dataclasses.replace(plate, point=np.where(loaded[:, None], plate.point, np.nan))


def _to_metres(plates: Sequence[Plate]) -> float:
    """What turns the points' unit into metres, told by how far they move in a contact."""
    ways = [
        float(np.linalg.norm(np.ptp(plate.point[begin:end][:, [0, 2]], axis=0)))
        for plate in plates
        for begin, end in runs(plate.load)
        if end - begin > 2
    ]
    typical = float(np.nanmedian(ways)) if ways else 0.0
    return 1.0 if not typical > _WIDEST else 0.01 if typical < _MILLIMETRES else 0.001
