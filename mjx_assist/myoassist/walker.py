"""Who walks, on what ground and after which reference: their model file or keys, trunk, terrain and motion."""

import math
import re
from pathlib import Path
from typing import Any

from mjx_assist.config.comments import read_json
from mjx_assist.config.words import RECORDED, SCALED
from mjx_assist.errors import UserError
from mjx_assist.model.assembly import NO_DEVICE, check_keys
from mjx_assist.myoassist.places import found
from mjx_assist.myoassist.sheet import Sheet
from mjx_assist.myoassist.vocabulary import DEVICES, REFERENCE_SPEED
from mjx_assist.terrain.kinds import NODE, WAVES

_FILE = re.compile(r"myo[lL]egs?(?P<human>22|26|80)?(?:_2D)?_(?P<device>[A-Z]+(?:_[A-Z]+)?)\.xml$")
_HUMANS = {"22": "myolegs22", "26": "myolegs26", "80": "myolegs", None: "myolegs"}
_LUMBAR = "lumbar_extension"
_FLAT = ("flat", "dev")
_SHIPPED = ("short_reference_gait.npz", "segmented.npz")


def put_model(sheet: Sheet, env: dict[str, Any], config: Path | None) -> None:
    """Human and device, by assist_sim's keys or a file."""
    if env["msk_key"]:
        _put_keys(sheet, env)
    elif env["model_path"]:
        _put_file(sheet, env["model_path"], config)
    else:
        sheet.refuse("env_params.model_path", None, "neither a model's file nor msk_key and device_key are given")


def put_trunk(sheet: Sheet, env: dict[str, Any]) -> None:
    """How the trunk leans."""
    if env["enable_lumbar_joint"]:
        sheet.refuse("env_params.enable_lumbar_joint", True, "trunks here have no joint of their own")
        return
    sheet.ignore("env_params.enable_lumbar_joint", False, "trunks here have no joint of their own")
    sheet.ignore("env_params.lumbar_joint_damping_value", env["lumbar_joint_damping_value"], "of a joint that is fixed")
    angle = env["lumbar_joint_fixed_angle"]
    lean = -2.0 * math.atan(angle)
    told = f"the trunk is turned by the quaternion (1, 0, 0, {angle:g}): {math.degrees(lean):.1f} deg forward"
    sheet.take("env_params.lumbar_joint_fixed_angle", angle, "env_params.trunk_lean", lean, told)


def _put_keys(sheet: Sheet, env: dict[str, Any]) -> None:
    human, device = env["msk_key"], env["device_key"]
    try:
        check_keys(human, device or NO_DEVICE)
    except UserError as error:
        sheet.refuse("env_params.msk_key, device_key", f"{human}, {device}", str(error))
        return
    sheet.take("env_params.msk_key", human, "env_params.msk_key")
    sheet.put("env_params.device_key", device)
    sheet.say("env_params.device_key", device, "same")
    if env["model_path"]:
        sheet.ignore("env_params.model_path", env["model_path"], "nor there, beside msk_key and device_key")


def _put_file(sheet: Sheet, named: str, config: Path | None) -> None:
    """Their XML file; one that is not here, by assist_sim's model of the same human and device."""
    key, path = "env_params.model_path", found(named, config)
    if path is not None:
        if _LUMBAR in path.read_text(encoding="utf-8", errors="replace"):
            sheet.refuse(key, named, f"it has a joint {_LUMBAR!r}, which there is fixed; weld it in the file")
            return
        sheet.put("env_params.msk_key", None)
        sheet.put("env_params.device_key", None)
        sheet.take(key, named, key, str(path))
        return
    known = _FILE.search(named)
    if not known or known["device"] not in DEVICES:
        sheet.refuse(key, named, "there is no such file, here or in a folder that the config is in")
        return
    human, device = _HUMANS[known["human"]], DEVICES[known["device"]]
    sheet.put("env_params.msk_key", human)
    sheet.put("env_params.device_key", device)
    told = "THE FILE IS NOT HERE: assist_sim's model of the same human and device is taken, which is not the same model"
    sheet.say(key, named, f"msk_key = {human}, device_key = {device}; {told}")


def put_reference(sheet: Sheet, env: dict[str, Any], config: Path | None) -> None:
    """The motion to imitate, and how it is played."""
    key, named, scaled = "env_params.reference_data_path", env["reference_data_path"], env["scale_reference_playback"]
    path = found(named, config) if named else None
    if path is not None:
        sheet.take(key, named, key, str(path), "repeats; there an episode ends with the recording")
    elif not named or Path(named).name in _SHIPPED:
        sheet.put("env_params.reference_speed", REFERENCE_SPEED)
        told = f"THE FILE IS NOT HERE: the published healthy gait at that one's {REFERENCE_SPEED} m/s is taken"
        sheet.say(key, named, f"reference_speed = {REFERENCE_SPEED}; {told}")
    else:
        sheet.refuse(key, named, "there is no such file, here or in a folder that the config is in")
    word = SCALED if scaled else RECORDED
    told = "cadence with the commanded speed" if scaled else "cadence as recorded, whatever speed is commanded"
    sheet.take("env_params.scale_reference_playback", scaled, "env_params.reference_playback", word, told)
    why = "here every joint that the reference has starts where the reference is"
    sheet.ignore("env_params.reference_data_keys", env["reference_data_keys"], why)


def put_terrain(sheet: Sheet, env: dict[str, Any], config: Path | None) -> None:
    """The ground: 0.1's kinds with periods in cells, or 1.0's course."""
    course = env["terrain"]
    if course is not None:
        if isinstance(course, str):
            path = found(course, config)
            if path is None:
                sheet.refuse("env_params.terrain", course, "there is no such file")
                return
            sheet.take("env_params.terrain", course, "env_params.terrain", read_json(path, "terrain file"))
        else:
            sheet.take("env_params.terrain", course, "env_params.terrain")
        return
    kind, given = env["terrain_type"], env["terrain_params"]
    if kind in _FLAT:
        sheet.take("env_params.terrain_type", kind, "env_params.terrain_type", "flat")
        return
    if kind not in (WAVES, "random", "slope"):
        sheet.refuse("env_params.terrain_type", kind, "there is no such ground, there either")
        return
    sheet.take("env_params.terrain_type", kind, "env_params.terrain_type")
    numbers = str(given).split()
    told = ""
    if kind == WAVES:
        numbers = [f"{float(n) * NODE:.10g}" if i % 2 else n for i, n in enumerate(numbers)]
        told = f"periods in m, there in cells of {NODE} m"
    elif kind == "slope":
        told = "from the start; there from 1 m ahead"
    sheet.take("env_params.terrain_params", given, "env_params.terrain_params", " ".join(numbers), told)
