"""The ground of a user's model: whatever of it is fixed to the world comes to one level plane at z = 0, or is refused.

The plane may be in a body that does not move; a box or heightfield whose top is flat stands for it; what lies below it
is left out, since two grounds at one height would share a foot's load.
"""

import mujoco
import numpy as np

from mjx_assist.errors import UserError, note
from mjx_assist.model.feet.sole import supporting_points

_LEVEL = 1e-6  # m and sine of an angle: how far from z = 0 and from level a floor may be
_CONTACT = ("contype", "conaffinity", "condim", "priority", "friction", "solmix", "solref", "solimp", "margin", "gap")
_LOOKS = ("material", "rgba", "group")
_Geom = mujoco.mjtGeom


def put_floor(spec: mujoco.MjSpec, path: str, floor: str) -> None:
    """Leaves one ground in the spec: a level plane called ``floor`` at z = 0, which touches as the file's did.

    Raises ``UserError`` for a ground that is not level at z = 0 and for what stands on it; ``ValueError`` for a spec
    that does not compile.
    """
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    tops = {geom: _top(model, data, geom) for geom in _fixed(model)}
    chosen = _chosen(model, data, tops, path)
    names = {geom: model.geom(geom).name for geom in tops}
    geoms = {geom.name: geom for geom in spec.geoms}
    for geom in tops.keys() - {chosen}:
        kind = _kind(model, geom)
        if tops[geom] > _LEVEL:
            raise UserError(
                f"cannot reduce {path!r}: {kind} {names[geom]!r} is fixed to the world and rises {tops[geom]:.3g} m "
                "over the floor. Leave it out, or give it contype 0 and conaffinity 0; rough ground is set by "
                "env_params.terrain_type (docs/terrain.md)."
            )
        note(f"model {path!r}: {kind} {names[geom]!r} is nowhere higher than the floor and left out.")
        _hide(spec, geoms[names[geom]])
    ground = geoms[names[chosen]] if chosen is not None else None
    if floor in geoms and geoms[floor] is not ground:
        _rename(spec, geoms[floor], f"{floor}_of_the_file")
    if ground is None or chosen is None:
        spec.worldbody.add_geom(name=floor, type=_Geom.mjGEOM_PLANE, size=[0, 0, 1], contype=1, conaffinity=1)
    elif ground.type == _Geom.mjGEOM_PLANE and ground.parent.name == "world":
        _rename(spec, ground, floor)
    else:
        _replace(spec, ground, floor)
        note(f"model {path!r}: {_kind(model, chosen)} {names[chosen]!r} is the floor, as a plane of the world.")


def _fixed(model: mujoco.MjModel) -> list[int]:
    """Geoms that do not move and that something which moves can touch."""
    still = model.body_weldid[model.geom_bodyid] == 0
    own, others = model.geom_contype[still], model.geom_contype[~still]
    bits = (own[:, None] & model.geom_conaffinity[~still]) | (model.geom_conaffinity[still][:, None] & others)
    touching = set(np.flatnonzero(still)[bits.any(1)].tolist())
    touching |= {int(g) for pair in zip(model.pair_geom1, model.pair_geom2, strict=True) for g in pair if still[g]}
    return sorted(touching)


def _chosen(model: mujoco.MjModel, data: mujoco.MjData, tops: dict[int, float], path: str) -> int | None:
    """The geom that is the floor; None where nothing is fixed to the world."""
    planes = [geom for geom in tops if model.geom_type[geom] == _Geom.mjGEOM_PLANE]
    flat = planes or [geom for geom in tops if abs(tops[geom]) <= _LEVEL and _flat(model, data, geom)]
    if not tops:
        return None
    if len(planes) > 1 or not flat or abs(tops[flat[0]]) > _LEVEL:
        names = ", ".join(repr(model.geom(geom).name) for geom in (planes or tops))
        raise UserError(f"cannot reduce {path!r}: its floor must be one plane, level, at z = 0; it has {names}.")
    return flat[0]


def _flat(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> bool:
    """Is a geom's upper side level?"""
    up = np.abs(data.geom_xmat[geom].reshape(3, 3)[2])
    if model.geom_type[geom] == _Geom.mjGEOM_BOX:
        return bool(up.max() > 1 - _LEVEL)
    return bool(model.geom_type[geom] == _Geom.mjGEOM_HFIELD and np.ptp(_heights(model, geom)) == 0)


def _top(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Height (m) of the highest point of a fixed geom; infinite for a tilted plane or heightfield."""
    turn, place = data.geom_xmat[geom].reshape(3, 3), float(data.geom_xpos[geom, 2])
    kind = model.geom_type[geom]
    if kind in (_Geom.mjGEOM_PLANE, _Geom.mjGEOM_HFIELD):
        if np.hypot(*turn[:2, 2]) > _LEVEL or turn[2, 2] < 0:
            return np.inf
        return place if kind == _Geom.mjGEOM_PLANE else place + float(_heights(model, geom).max())
    return place + float(supporting_points(model, geom, turn[2:])[0] @ turn[2])


def _heights(model: mujoco.MjModel, geom: int) -> np.ndarray:
    """Heights (m) of a heightfield's nodes over its own z = 0."""
    field = model.geom_dataid[geom]
    first, count = model.hfield_adr[field], model.hfield_nrow[field] * model.hfield_ncol[field]
    return model.hfield_data[first : first + count] * model.hfield_size[field, 2]


def _replace(spec: mujoco.MjSpec, old: mujoco.MjsGeom, floor: str) -> None:
    """A plane of the world for a ground, with its contact attributes, pairs and exclusions, and a plane's looks."""
    name = f"{old.name}_of_the_file"
    _rename(spec, old, name)
    made = spec.worldbody.add_geom(name=floor, type=_Geom.mjGEOM_PLANE, size=[0, 0, 1])
    _point(spec, name, floor)
    for attribute in (*_CONTACT, *(_LOOKS if old.type == _Geom.mjGEOM_PLANE else ())):
        setattr(made, attribute, getattr(old, attribute))
    for exclude in spec.excludes:
        body, names = old.parent.name, (exclude.bodyname1, exclude.bodyname2)
        exclude.bodyname1, exclude.bodyname2 = ("world" if name == body else name for name in names)
    _hide(spec, old)


def _hide(spec: mujoco.MjSpec, geom: mujoco.MjsGeom) -> None:
    """A ground that nothing touches or sees; deleted, it would shift what MuJoCo finds by number."""
    geom.contype, geom.conaffinity, geom.rgba = 0, 0, np.zeros(4)
    for pair in [pair for pair in spec.pairs if geom.name in (pair.geomname1, pair.geomname2)]:
        spec.delete(pair)


def _rename(spec: mujoco.MjSpec, geom: mujoco.MjsGeom, name: str) -> None:
    """Another name for a geom, and so in its contact pairs."""
    _point(spec, geom.name, name)
    geom.name = name


def _point(spec: mujoco.MjSpec, old: str, new: str) -> None:
    """Contact pairs of one geom as another's."""
    for pair in spec.pairs:
        pair.geomname1, pair.geomname2 = (new if n == old else n for n in (pair.geomname1, pair.geomname2))


def _kind(model: mujoco.MjModel, geom: int) -> str:
    return mujoco.mjtGeom(model.geom_type[geom]).name.removeprefix("mjGEOM_").lower().replace("hfield", "heightfield")
