"""Which models a physics step can be generated for (the backend `compiled`)."""

from typing import Any

import mujoco
import numpy as np

_JNT, _GEOM, _SENS, _TRN = mujoco.mjtJoint, mujoco.mjtGeom, mujoco.mjtSensor, mujoco.mjtTrn
_DYN, _GAIN, _BIAS, _WRAP = mujoco.mjtDyn, mujoco.mjtGain, mujoco.mjtBias, mujoco.mjtWrap
_OBJ = mujoco.mjtObj
_HARMLESS = int(mujoco.mjtDisableBit.mjDSBL_AUTORESET | mujoco.mjtDisableBit.mjDSBL_ISLAND)  # they change no step
_DYNAMICS = (_DYN.mjDYN_NONE, _DYN.mjDYN_INTEGRATOR, _DYN.mjDYN_FILTER, _DYN.mjDYN_FILTEREXACT, _DYN.mjDYN_MUSCLE)
_MOST_ACTUATORS = 150
# Arrays that must be zero, and what a number in them is.
_ZERO = {
    "body_gravcomp": "gravity compensation",
    "jnt_actfrclimited": "a limit on a joint's actuator force",
    "jnt_margin": "a joint limit's margin",
    "jnt_stiffnesspoly": "a spring that is not linear",
    "dof_dampingpoly": "damping that is not linear",
    "tendon_actfrclimited": "a limit on a tendon's actuator force",
    "tendon_armature": "a tendon's armature",
    "tendon_margin": "a tendon limit's margin",
    "tendon_stiffnesspoly": "a tendon's spring that is not linear",
    "tendon_dampingpoly": "a tendon's damping that is not linear",
    "actuator_actearly": "an activation used before its step",
    "actuator_armature": "an actuator's armature",
    "actuator_damping": "an actuator's damping",
    "actuator_dampingpoly": "an actuator's damping that is not linear",
    "actuator_delay": "an actuator's delay",
    "pair_margin": "a contact's margin",
    "pair_gap": "a contact's gap",
    "sensor_cutoff": "a sensor's cutoff",
}


def missing(model: mujoco.MjModel) -> str | None:
    """What stands in the way of a model, in a few words; None: nothing."""
    checks = (_size, _options, _arrays, _bodies, _constraints, _tendons, _actuators, _contacts, _sensors)
    return next((found for check in checks if (found := check(model))), None)


def _name(model: mujoco.MjModel, kind: str, number: Any) -> str:
    return getattr(model, kind)(int(number)).name or f"number {int(number)}"


def _size(model: mujoco.MjModel) -> str | None:
    return f"{model.nu} actuators: a kernel would take minutes to compile" if model.nu > _MOST_ACTUATORS else None


def _options(model: mujoco.MjModel) -> str | None:
    option = model.opt
    if option.integrator != mujoco.mjtIntegrator.mjINT_IMPLICITFAST:
        return f"integrator {mujoco.mjtIntegrator(option.integrator).name}"
    if option.cone != mujoco.mjtCone.mjCONE_PYRAMIDAL:
        return "elliptic friction cones"
    if option.density or option.viscosity or np.any(option.wind):
        return "a fluid around the bodies"
    if option.disableflags & ~_HARMLESS or option.enableflags:
        return "option flags that switch parts of the physics"
    return "noslip iterations" if option.noslip_iterations else None


def _arrays(model: mujoco.MjModel) -> str | None:
    return next((word for name, word in _ZERO.items() if np.any(getattr(model, name))), None)


def _bodies(model: mujoco.MjModel) -> str | None:
    for j in range(model.njnt):
        if model.jnt_type[j] not in (_JNT.mjJNT_HINGE, _JNT.mjJNT_SLIDE):
            return f"joint {_name(model, 'joint', j)}: neither a hinge nor a slide"
    return "moving bodies that follow a mocap body" if model.nmocap else "flexible bodies" if model.nflex else None


def _constraints(model: mujoco.MjModel) -> str | None:
    for e in range(model.neq):
        if model.eq_type[e] != mujoco.mjtEq.mjEQ_JOINT:
            return f"equality {_name(model, 'equality', e)}: not one of joints"
    shapes = {
        "eq_solimp": model.eq_active0.astype(bool),
        "jnt_solimp": model.jnt_limited.astype(bool),
        "dof_solimp": model.dof_frictionloss > 0,
        "tendon_solimp_lim": model.tendon_limited.astype(bool),
        "tendon_solimp_fri": model.tendon_frictionloss > 0,
        "pair_solimp": np.ones(model.npair, bool),
    }
    for name, used in shapes.items():
        if not np.isin(getattr(model, name)[used, 4], (1.0, 2.0)).all():
            return f"an impedance whose power is neither 1 nor 2 ({name})"
    return None


def _tendons(model: mujoco.MjModel) -> str | None:
    for w in np.flatnonzero((model.wrap_type == _WRAP.mjWRAP_SPHERE) | (model.wrap_type == _WRAP.mjWRAP_CYLINDER)):
        side, geom = round(float(model.wrap_prm[w])), int(model.wrap_objid[w])
        if side >= 0 and model.site_bodyid[side] != model.geom_bodyid[geom]:
            return f"side site {_name(model, 'site', side)}: on another body than the geom it belongs to"
    return None


def _actuators(model: mujoco.MjModel) -> str | None:
    known = {
        "actuator_trntype": (_TRN.mjTRN_JOINT, _TRN.mjTRN_JOINTINPARENT, _TRN.mjTRN_TENDON),
        "actuator_dyntype": _DYNAMICS,
        "actuator_gaintype": (_GAIN.mjGAIN_FIXED, _GAIN.mjGAIN_AFFINE, _GAIN.mjGAIN_MUSCLE),
        "actuator_biastype": (_BIAS.mjBIAS_NONE, _BIAS.mjBIAS_AFFINE, _BIAS.mjBIAS_MUSCLE),
    }
    for name, kinds in known.items():
        for i in np.flatnonzero(~np.isin(getattr(model, name), [int(k) for k in kinds])):
            return f"actuator {_name(model, 'actuator', i)}: {name} {int(getattr(model, name)[i])}"
    for i in np.flatnonzero((model.actuator_dyntype == _DYN.mjDYN_MUSCLE) & (model.actuator_dynprm[:, 2] > 0)):
        return f"actuator {_name(model, 'actuator', i)}: smoothed activation"
    return None


def _contacts(model: mujoco.MjModel) -> str | None:
    for p in range(model.npair):
        geoms = sorted((int(model.pair_geom1[p]), int(model.pair_geom2[p])), key=lambda g: model.geom_type[g])
        kinds = [model.geom_type[g] for g in geoms]
        name = _name(model, "geom", geoms[1])
        if kinds[0] not in (_GEOM.mjGEOM_PLANE, _GEOM.mjGEOM_HFIELD) or kinds[1] != _GEOM.mjGEOM_SPHERE:
            return f"contact of {name}: not a sphere on the ground"
        if model.body_weldid[model.geom_bodyid[geoms[0]]] != 0:
            return f"contact of {name}: on ground that moves"
        if model.pair_dim[p] not in (1, 3):
            return f"contact of {name}: condim {int(model.pair_dim[p])}"
        if model.pair_solref[p, 0] <= 0 or np.any(model.pair_solreffriction[p]):
            return f"contact of {name}: solref in stiffness and damping, or of friction's own"
    return _filtered(model)


def _filtered(model: mujoco.MjModel) -> str | None:
    """Geoms that collide by their bits, which the step does not look for."""
    solid = np.flatnonzero(model.geom_contype | model.geom_conaffinity)
    weld, parent = model.body_weldid, model.body_parentid
    apart = set(zip(model.exclude_signature >> 16, model.exclude_signature & 0xFFFF, strict=True))
    for i, a in enumerate(solid):
        for b in solid[i + 1 :]:
            x, y = sorted((int(weld[model.geom_bodyid[a]]), int(weld[model.geom_bodyid[b]])))
            bits = model.geom_contype[a] & model.geom_conaffinity[b] | model.geom_contype[b] & model.geom_conaffinity[a]
            carried = x != 0 and weld[parent[y]] == x
            if bits and x != y and not carried and not {(x, y), (y, x)} & apart:
                return f"contact of {_name(model, 'geom', a)} and {_name(model, 'geom', b)}: not a pair"
    return None


def _sensors(model: mujoco.MjModel) -> str | None:
    for s in range(model.nsensor):
        kind, what = model.sensor_type[s], model.sensor_objtype[s]
        place = kind == _SENS.mjSENS_FRAMEPOS and model.sensor_refid[s] < 0
        place = place and what in (_OBJ.mjOBJ_SITE, _OBJ.mjOBJ_GEOM, _OBJ.mjOBJ_XBODY, _OBJ.mjOBJ_BODY)
        volumes = (_GEOM.mjGEOM_BOX, _GEOM.mjGEOM_SPHERE)
        touch = kind == _SENS.mjSENS_TOUCH and model.site_type[model.sensor_objid[s]] in volumes
        if not place and not touch:
            return f"sensor {_name(model, 'sensor', s)}: neither a touch sensor in a box or sphere nor a position"
    return None
