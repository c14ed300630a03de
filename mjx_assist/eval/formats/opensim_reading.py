"""What an OpenSim table holds for a gait record, known by its columns: coordinates, plates, muscles, moments."""

import dataclasses
import re
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import Part, from_opensim
from mjx_assist.eval.formats.headers import fields_of_header
from mjx_assist.eval.formats.laboratory import plates as force_plates
from mjx_assist.eval.formats.laboratory.plates import Plate
from mjx_assist.eval.formats.opensim import DEVICE, MOMENTS, MUSCLE, coordinate_signs
from mjx_assist.files import opensim_labels
from mjx_assist.files.opensim_table import Table, is_length, read_table, turned_knees

# A muscle's activation as OpenSim 3 and 4 call the state; other states of muscles are not used.
_ACTIVATION = re.compile(r"(?:.*/)?([^/|.]+)(?:/|\.)activation")
_OWN_FEET = {"": 0, "1": 1}  # as this program writes them
_SPEED = re.compile(r"([-+.\d]+(?:e[-+]?\d+)?)\s*(?:m/s)?")


def read_opensim(path: Path) -> Part:
    """What a .mot or .sto holds, known by its columns, not by its name. Raises UserError where that is nothing."""
    table = read_table(path)
    fields: dict = {"time": table.time, **fields_of_header(table.fields, str(path))}
    own = fields.get("human", "unknown") != "unknown"
    human, device = fields.get("human", "unknown"), fields.get("device", "unknown")
    left = dict(table.columns)
    plates, notes = _take_plates(path, left, fields, own)
    _take_muscles(left, fields)
    _take_moments(left, fields, human, device)
    unused, turned = _take_coordinates(path, table, left, fields, own)
    if len(fields) == 1 and not plates:
        raise opensim_labels.nothing_known(path, table, "coordinates, ground reactions, muscles or moments")
    if unused:
        notes.append(f"{path}: not used: {_listed(unused)}")
    return Part(str(path), fields, (*table.notes, *notes), not own, tuple(plates), _belt(path, table), turned)


def _listed(labels: list[str]) -> str:
    shown = labels[:6]
    return ", ".join(shown) + (f" and {len(labels) - len(shown)} more" if len(labels) > len(shown) else "")


def _belt(path: Path, table: Table) -> float | None:
    """m/s, of a header line such as ``speed=1.25``."""
    text = next((table.fields[key] for key in ("speed", "belt_speed", "treadmill_speed") if key in table.fields), None)
    if text is None:
        return None
    found = _SPEED.fullmatch(text.replace(",", "."))
    if not found:
        raise UserError(f"{path}: header entry speed is {text!r}; it must be a number in m/s.")
    return float(found[1])


def _take_plates(path: Path, left: dict, fields: dict, own: bool) -> tuple[list[Plate], list[str]]:
    """Force plates out of ``left``; those that this program wrote are feet, and go into ``fields``."""
    plates, used = force_plates.plates_of(str(path), left)
    for label in used:
        del left[label]
    if not plates or not own:
        return force_plates.mended(str(path), plates) if plates else ([], [])
    feet = {_OWN_FEET[plate.name]: plate for plate in plates if plate.name in _OWN_FEET}
    if len(feet) != len(_OWN_FEET):
        raise UserError(f"{path}: lacks {'1_' if 0 in feet else ''}ground_force_vx and the others of that foot.")
    both = [feet[0], feet[1]]
    force, point, torque = (np.stack([getattr(p, n) for p in both], axis=1) for n in ("force", "point", "torque"))
    fields["ground_reaction"] = from_opensim(force)
    fields["center_of_pressure"] = np.where(force[..., 1:2] > 0, from_opensim(point), np.nan)
    fields["free_moment"] = torque[..., 1]
    return [], []


def _take_moments(left: dict, fields: dict, human: str, device: str) -> None:
    """Device torques and joint moments out of ``left`` into ``fields``; powers are left out, they follow.

    Moments without passive ones beside them are those of inverse dynamics, which have them in.
    """
    device_columns = [label for label in left if re.fullmatch(r"/forceset/.+\|actuation", label)]
    moments = {label: place for label in left if (place := _moment_of(label))}
    joints = tuple(dict.fromkeys(joint for joint, _ in moments.values()))
    signs = dict(zip(joints, coordinate_signs(human, device, joints), strict=True))
    before, after = (len(part) for part in DEVICE.split("{}"))
    if device_columns and len(fields.get("device_joints", ())) == len(device_columns):
        fields["device_names"] = tuple(label[before:-after] for label in device_columns)
        driven = fields["device_joints"]
        values = [left.pop(label) * signs.get(joint, 1.0) for label, joint in zip(device_columns, driven, strict=True)]
        fields["device_torque"] = np.stack(values, axis=1)
    else:
        fields.pop("device_joints", None)
    for field in MOMENTS:
        mine = {joint: left.pop(label) * signs[joint] for label, (joint, kind) in moments.items() if kind == field}
        if mine:
            fields[field] = np.stack(list(mine.values()), axis=1)
            fields["joint_names"] = tuple(mine)
    if "joint_moment" in fields:
        fields.setdefault("passive_moment", np.zeros_like(fields["joint_moment"]))
    for label in [label for label in left if label.endswith("_power")]:
        del left[label]


def _moment_of(label: str) -> tuple[str, str] | None:
    """(joint, record field) of a moment's column."""
    found = re.fullmatch(r"([^/|]+?)(_device|_passive|_limit)?_(moment|force)", label)
    if not found or (found[3] == "force") != is_length(found[1]):
        return None
    return found[1], {suffix: field for field, suffix in MOMENTS.items()}[found[2] or ""]


def _take_muscles(left: dict, fields: dict) -> None:
    for field, form in MUSCLE.items():
        before, after = form.split("{}")
        found = {name: label for label in left if (name := _between(label, before, after))}
        if not found and field == "activation":
            found = {place[1]: label for label in left if (place := _ACTIVATION.fullmatch(label))}
        if not found:
            continue
        names = fields.setdefault("muscle_names", tuple(found))
        if set(names) != set(found):
            raise UserError(f"muscles with {field}: {', '.join(found)}; others: {', '.join(names)}.")
        fields[field] = np.stack([left.pop(found[name]) for name in names], axis=1)
    if not any(field in fields for field in MUSCLE):
        fields.pop("muscle_names", None)


def _between(label: str, before: str, after: str) -> str:
    """The name between a label's known ends; empty where the label is another."""
    inner = label[len(before) : len(label) - len(after)]
    return inner if label == before + inner + after and not set("/|") & set(inner) else ""


def _take_coordinates(
    path: Path, table: Table, left: dict, fields: dict, own: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Joint angles, and speeds of a states file, into ``fields``; (labels that are no coordinates, joints turned).

    Of a human that is not known they get gait2392's signs.
    """
    found = opensim_labels.coordinates(path, dataclasses.replace(table, columns=left), own)
    joints = tuple(found.values)
    if not joints:
        return list(found.others), ()
    signs = coordinate_signs(fields.get("human", "unknown"), fields.get("device", "unknown"), joints)
    turned = () if own else tuple(turned_knees(found.values))
    signs = np.where(np.isin(joints, turned), -1.0, signs)
    fields["joint_names"] = joints
    for field, columns in (("qpos", found.values), ("qvel", found.speeds)):
        if set(columns) == set(joints):
            scaled = opensim_labels.scaled(columns, table.degrees)
            fields[field] = np.stack([scaled[joint] for joint in joints], axis=1) * signs
    return list(found.others), turned
