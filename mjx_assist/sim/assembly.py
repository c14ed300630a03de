"""Human + device + ground plane as MuJoCo sees them, composed by assist_sim; nothing is simplified here."""

from functools import cache
from typing import Literal

import mujoco
from assist_sim import DeviceConfig, ModelCombiner, get_available_combinations, resolve_model_path

from mjx_assist.errors import unknown

NO_DEVICE = "none"
FLOOR = "floor"
_RIGID_SOLREF = (0.002, 1.0)  # s, damping ratio: couplings slip 0.03 mm under walking loads instead of 5 mm
_RIGID_TIMESTEP = 0.0005  # s; a constraint's time constant must be at least two steps


@cache
def _combinations() -> dict[str, tuple[str, ...]]:
    return {human: (NO_DEVICE, *devices) for human, devices in get_available_combinations().items()}


def available() -> dict[str, list[str]]:
    """Human key -> device keys that assist_sim can put on it, ``"none"`` first."""
    return {human: list(devices) for human, devices in _combinations().items()}


def check_keys(human: str, device: str) -> None:
    """Raises ``UserError`` with the nearest match if assist_sim does not have the human or the device."""
    combinations = _combinations()
    if human not in combinations:
        raise unknown("human", human, combinations)
    if device not in combinations[human]:
        raise unknown(f"device for {human!r}", device, combinations[human])


def compose(human: str, device: str) -> mujoco.MjSpec:
    """assist_sim's composition with a ground plane named ``floor`` at z = 0. Raises ``UserError`` for unknown keys."""
    check_keys(human, device)
    any_device = _combinations()[human][-1]  # the human's own spec comes with the path of a device's config
    spec, config_path = resolve_model_path(human, any_device if device == NO_DEVICE else device)
    if device != NO_DEVICE:
        ModelCombiner().combine(spec, DeviceConfig.from_yaml(str(config_path)), msk_key=human)
    spec.worldbody.add_geom(name=FLOOR, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], contype=1, conaffinity=1)
    return spec


def full_model(human: str, device: str, couplings: Literal["rigid", "composed"] = "rigid") -> mujoco.MjModel:
    """The unreduced model, with MuJoCo's automatic reset off so that divergence shows.

    ``"composed"`` is assist_sim's model as it is. ``"rigid"`` makes its equality constraints stiff (time constant 2 ms
    at 0.5 ms steps): as composed they slip by millimetres under load.
    """
    if couplings not in ("rigid", "composed"):
        raise unknown("couplings", couplings, ("rigid", "composed"))
    model = compose(human, device).compile()
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    if couplings == "rigid":
        model.eq_solref[:] = _RIGID_SOLREF
        model.opt.timestep = _RIGID_TIMESTEP
    return model
