"""Human + device + ground plane as MuJoCo sees them, composed by assist_sim; nothing is simplified here."""

from functools import cache

import mujoco
import numpy as np
from assist_sim import DeviceConfig, ModelCombiner, get_available_combinations, resolve_model_path

from mjx_assist.errors import UserError, unknown
from mjx_assist.model import bodies, human_key, lean
from mjx_assist.model import cache as kept
from mjx_assist.model.orientation import Pose
from mjx_assist.model.own import file as own_file
from mjx_assist.model.roots import scalar_roots
from mjx_assist.model.subjects import scale, standard
from mjx_assist.model.warnings_heard import hear_warnings
from mjx_assist.terrain.heightfield import FLOOR, Terrain, put_ground

NO_DEVICE = "none"
RIGID, AS_COMPOSED = "rigid", "composed"  # how the parts of `full_model` are coupled
_FREE_HUMAN: Pose = (np.array([0.0, 0.0, 1.0]), np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
# where assist_sim's free devices expect the human: as its free-rooted ones stand, 1 m up and facing -y
_RIGID_SOLREF = (0.002, 1.0)  # s, damping ratio: couplings slip 0.03 mm under walking loads instead of 5 mm
_RIGID_TIMESTEP = 0.0005  # s; a constraint's time constant must be at least two steps
_RIGID_TOLERANCE = 1e-12  # of the constraint solver: at MuJoCo's 1e-8 muscle points of 1 g slip 13 mm, here 0.2 mm


@cache
def _combinations() -> dict[str, tuple[str, ...]]:
    return {human: (NO_DEVICE, *devices) for human, devices in get_available_combinations().items()}


def available() -> dict[str, list[str]]:
    """Human key -> device keys that assist_sim can put on it, ``"none"`` first."""
    return {human: list(devices) for human, devices in _combinations().items()}


def check_keys(human: str, device: str) -> None:
    """Raises ``UserError`` with the nearest match if assist_sim does not have the human or the device.

    A human's key may name a body, a person and a lean too (human_key.py). A human may also be the path of a MuJoCo XML
    file, which has its device in it: with the device ``"none"``.
    """
    human, body, subject, _ = human_key.parse(human)
    if own_file.is_path(human):
        if subject is not None:
            raise UserError(
                f"a subject cannot be put on {human!r}: only of assist_sim's humans is it known what belongs to which "
                f"segment ({', '.join(_combinations())}). Scale your own model where you made it."
            )
        if device != NO_DEVICE:
            raise UserError(
                f"device {device!r} cannot be put on {human!r}: a model of one's own is used as it is ('none')."
            )
        return
    combinations = _combinations()
    if human not in combinations:
        raise unknown("human", human, combinations)
    if device not in combinations[human]:
        raise unknown(f"device for {human!r}", device, combinations[human])
    bodies.read(body)


def compose(human: str, device: str) -> mujoco.MjSpec:
    """assist_sim's composition with a ground plane named ``floor`` at z = 0 and scalar joints only (see roots.py).

    ``human`` may be the path of an XML file, which is taken as it is. Raises ``UserError`` for unknown keys.
    """
    check_keys(human, device)
    human, body, subject, forward = human_key.parse(human)
    if own_file.is_path(human):
        spec = own_file.read(human, FLOOR)
        scalar_roots(spec)
        lean.put_on(spec, forward)
        return spec
    any_device = _combinations()[human][-1]  # the human's own spec comes with the path of a device's config
    spec, config_path = resolve_model_path(human, any_device if device == NO_DEVICE else device)
    free_human = any(joint.type == mujoco.mjtJoint.mjJNT_FREE for joint in spec.joints)
    if device != NO_DEVICE:
        ModelCombiner().combine(spec, DeviceConfig.from_yaml(str(config_path)), msk_key=human)
    scalar_roots(spec, None if free_human else _FREE_HUMAN)
    bodies.put_on(spec, body)
    lean.put_on(spec, forward)
    if subject is not None:
        scale.put_on(spec, subject, standard.standard(human, compose), human)
    spec.worldbody.add_geom(name=FLOOR, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], contype=1, conaffinity=1)
    return spec


def full_model(
    human: str,
    device: str,
    couplings: str = RIGID,
    ground: Terrain | None = None,
) -> mujoco.MjModel:
    """The unreduced model, with MuJoCo's automatic reset off so that divergence shows.

    ``AS_COMPOSED`` is assist_sim's model as it is. ``RIGID`` makes its equality constraints stiff (time constant 2 ms
    at 0.5 ms steps) and solves them to the end: as composed they slip by millimetres under load.
    ``ground`` takes the place of the plane.
    """
    if couplings not in (RIGID, AS_COMPOSED):
        raise unknown("couplings", couplings, (RIGID, AS_COMPOSED))
    hear_warnings()
    spec = compose(human, device)
    if ground is not None:
        put_ground(spec, ground)
    try:
        model = spec.compile()
    except ValueError as error:  # of a user's file: assist_sim's own models compile
        raise UserError(f"model {human!r} does not compile: {error}") from None
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    if couplings == RIGID:
        model.eq_solref[:] = _RIGID_SOLREF
        model.opt.timestep = _RIGID_TIMESTEP
        model.opt.tolerance = _RIGID_TOLERANCE
    return model


@cache
def device_mass(human: str, device: str) -> float:
    """kg that the device adds to the human, and that the person carries besides (`Subject.added_mass`).

    0 of a device that takes a part of the body away (a prosthesis) that weighs more.

    Composing the two models takes two seconds, so it is kept on disk. Raises ``UserError`` for unknown keys.
    """
    check_keys(human, device)
    parts = human_key.parse(human)
    carried = 0.0 if parts.subject is None else scale.carried(parts.subject)
    if device == NO_DEVICE:
        return carried

    def build() -> dict[str, float]:
        worn, bare = (float(compose(human, put_on).compile().body_subtreemass[0]) for put_on in (device, NO_DEVICE))
        return {"kg": max(0.0, worn - bare)}

    key = kept.key(human.encode(), device.encode())
    return carried + kept.fetch(f"mass-{parts.human}-{device}", key, build)["kg"]
