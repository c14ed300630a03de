"""Their networks as our heads: what each sees and drives, by index, and which of them serve both sides."""

from collections.abc import Sequence
from typing import Any

from mjx_assist.config.words import CRITIC, TANH
from mjx_assist.model.names import mirrored_name
from mjx_assist.myoassist.sheet import Sheet
from mjx_assist.myoassist.vocabulary import EXO, EXO_ACTOR, HUMAN, SIDES

_KEY = "policy_params.net_indexing_info"
_EVERYTHING = {"observation": ["*"], "action": ["*"]}


def put_heads(sheet: Sheet, policy: dict[str, Any], env: dict[str, Any]) -> None:
    """Networks, their wiring and their exploration; ``policy``: what custom_policy_params says."""
    arch, wiring = dict(policy["net_arch"]), dict(policy["net_indexing_info"])
    options: dict[str, dict[str, Any]] = {}
    if env["env_id"] != EXO:
        if wiring:
            told = f"not read for {env['env_id']!r}: one network sees and drives everything"
            sheet.ignore(_KEY, sorted(wiring), told)
        arch = {name: arch[name] for name in (HUMAN, CRITIC) if name in arch}
        wiring = {HUMAN: _EVERYTHING, CRITIC: {"observation": ["*"]}}
    for key, table in (("net_arch", arch), ("net_indexing_info", wiring)):
        missing = [name for name in (HUMAN, CRITIC) if name not in table]
        if missing:
            sheet.refuse(f"policy_params.{key}", sorted(table), f"it lacks {' and '.join(missing)}")
            return
    if all(name in wiring for name in SIDES):
        arch, wiring = _as_one(sheet, arch, wiring, env)
        options[EXO_ACTOR] = {"mirror_symmetric": True}
    made = {}
    for name, sees in wiring.items():
        action, held = _action(sheet, name, sees.get("action", []))
        made[name] = {"observation": [_plain(entry) for entry in sees["observation"]], "action": action}
        if held is not None:
            options.setdefault(name, {}).update(enabled=False, held_action=held)
    for name in sorted(set(arch) - set(wiring)):
        sheet.ignore(f"policy_params.net_arch.{name}", arch.pop(name), "net_indexing_info does not name it")
    sheet.take("policy_params.net_arch", policy["net_arch"], "policy_params.net_arch", arch)
    sheet.put("policy_params.net_indexing_info", made)
    sheet.say(_KEY, sorted(policy["net_indexing_info"]), f"heads {', '.join(made)}; not one network for both sides")
    sheet.put("policy_params.head_options", options)
    sheet.take("policy_params.log_std_init", policy["log_std_init"], "policy_params.log_std_init")
    sheet.put("policy_params.mirror_symmetric", False)
    for key, value in (
        ("activation", TANH),
        ("output_activation", TANH),
        ("normalize_observations", False),
        ("initial_gains", [1.0, 1.0]),
    ):
        sheet.put(f"policy_params.{key}", value)
    sheet.say(
        "(networks)", "fixed there", "tanh, also after the last layer; observations as they are; orthogonal weights"
    )


def actions(policy: dict[str, Any]) -> int:
    """How many actions the networks of a config give."""
    found: set[int] = set()
    for sees in policy["net_indexing_info"].values():
        for entry in sees.get("action", []):
            found |= set(_targets(entry))
    return len(found)


def observed(entries: Sequence[Any]) -> list[int]:
    """Indices of the observations that a head sees, in order."""
    return [i for entry in entries for i in _observed(entry)]


def outputs(entries: Sequence[Any]) -> list[int]:
    """The actuator of each output of a head's network."""
    by_output: dict[int, int] = {}
    for entry in entries:
        if entry.get("type") == "constant":
            continue
        net = list(range(*entry["range_net"])) if "range_net" in entry else entry.get("index_net", entry.get("index"))
        net = net if isinstance(net, list) else [net]
        by_output.update(zip(net, _targets(entry), strict=True))
    return [by_output[i] for i in sorted(by_output)]


def _targets(entry: dict[str, Any]) -> list[int]:
    """Actuators of an action entry."""
    if "range_action" in entry:
        return list(range(*entry["range_action"]))
    listed = entry.get("index_action", entry.get("index", []))
    return list(listed) if isinstance(listed, list) else [listed]


def _plain(entry: Any) -> Any:
    return {k: v for k, v in entry.items() if k != "comment"} if isinstance(entry, dict) else entry


def _action(sheet: Sheet, name: str, entries: Sequence[Any]) -> tuple[list[Any], float | None]:
    """(what a head drives, the action that it is held at or None where it acts)."""
    constant = [entry for entry in entries if isinstance(entry, dict) and entry.get("type") == "constant"]
    driven = [_plain(entry) for entry in entries if entry not in constant]
    if not constant:
        return driven, None
    held, acting = {i for e in constant for i in _targets(e)}, {i for e in driven for i in _targets(e)}
    values = {float(entry.get("default_value", 0.0)) for entry in constant}
    key = f"{_KEY}.{name}.action (constant)"
    if (acting and held != acting) or len(values) != 1:
        sheet.refuse(key, sorted(values), "a head is held as a whole, at one value; this one in part or at several")
        return driven, None
    if not driven:
        driven = [{"type": "index_mapping", "index_net": list(range(len(held))), "index_action": sorted(held)}]
    value = values.pop()
    told = "enabled false: it does not act, and its actuators are held there, +1 being the upper end of their range"
    sheet.say(key, value, f"head_options.{name}.held_action = {value:g}; {told}")
    return driven, value


def _as_one(
    sheet: Sheet, arch: dict[str, Any], wiring: dict[str, Any], env: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two heads of a pair that shares its weights as one head for both sides."""
    right, left = (wiring[name] for name in SIDES)
    key = f"{_KEY}.{SIDES[0]}, {SIDES[1]}"
    names = _names(env, sum(len(_targets(entry)) for entry in wiring[HUMAN]["action"]))
    sees = [observed(head["observation"]) for head in (right, left)]
    image = [mirrored_name(names[i]) for i in sees[0] if i < len(names)]
    if max(map(max, sees)) >= len(names) or image != [names[i] for i in sees[1]]:
        sheet.refuse(key, sees, "the left one must see what the right one sees, in the same order, of the other side")
    arch = {name: size for name, size in arch.items() if name not in SIDES} | {EXO_ACTOR: arch[SIDES[0]]}
    order = [i for head in (right, left) for i in outputs(head["action"])]
    both = {"type": "index_mapping", "index_net": list(range(len(order))), "index_action": order}
    wiring = {name: head for name, head in wiring.items() if name not in SIDES}
    wiring[EXO_ACTOR] = {"observation": right["observation"], "action": [both]}
    sheet.say(key, "one network", f"head {EXO_ACTOR} with mirror_symmetric true: one network for both sides")
    return arch, wiring


def _observed(entry: dict[str, Any]) -> list[int]:
    return list(range(*entry["range"])) if "range" in entry else list(entry["index"])


def _names(env: dict[str, Any], muscles: int) -> list[str]:
    """Names of their observation; all muscles alike."""
    joints = [*env["observation_joint_pos_keys"], *(f"v {joint}" for joint in env["observation_joint_vel_keys"])]
    return [*joints, *["muscle"] * muscles, *env["observation_joint_sensor_keys"], "target_velocity"]
