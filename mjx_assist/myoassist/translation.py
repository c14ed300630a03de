"""A config of MyoAssist, 0.1 or 1.0, as one of ours that means the same, and a table of all its keys."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mjx_assist.config.read import from_dict, to_dict
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.tree import override
from mjx_assist.config.words import CRITIC, RESET, UNIFORM
from mjx_assist.errors import UserError
from mjx_assist.myoassist import heads
from mjx_assist.myoassist import vocabulary as words
from mjx_assist.myoassist.env import put_env
from mjx_assist.myoassist.places import found
from mjx_assist.myoassist.ppo import put_ppo
from mjx_assist.myoassist.sheet import Sheet

Overrides = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Translation:
    """Plain data of our config, and what became of each of their keys."""

    config: dict[str, Any]
    sheet: Sheet

    def checked(self) -> RunConfig:
        """The config, if all of theirs can be honoured.

        Raises:
            UserError: naming all that cannot; or what our config refuses of the rest.
        """
        if self.sheet.refused:
            rows = "; ".join(f"{row.key} ({row.value!r}): {row.told}" for row in self.sheet.refused)
            raise UserError(
                f"{len(self.sheet.refused)} of this MyoAssist config cannot be honoured: {rows}. Change or take out "
                "these keys, here or in the file (--config.KEY VALUE); --as-mjx takes only its task, and our own rest."
            )
        return from_dict(self.config)


def translate(tree: dict[str, Any], overrides: Overrides = (), path: Path | None = None) -> Translation:
    """The translation of plain data. ``overrides``: (dotted key, text), of theirs where they have such a key, else of
    ours; ``path``: its file, from which other files are looked for."""
    tree = nested(tree)
    rest: list[tuple[str, str]] = []
    for key, text in overrides:
        place = _theirs(key)
        if place:
            override(tree, place, text, {})
        else:
            rest.append((key, text))
    sheet = Sheet()
    env, ppo, policy, logger = (_group(sheet, tree, name) for name in words.GROUPS)
    total = tree.get("total_timesteps", words.RUN["total_timesteps"])
    sheet.take("total_timesteps", total, "total_timesteps")
    put_env(sheet, env, tree.get("env_params", {}).get(words.WEIGHTS, {}), total, path)
    heads.put_heads(sheet, policy, env)
    trained = env["prev_trained_policy_path"]
    put_ppo(sheet, ppo, env["num_envs"], heads.actions(policy), not trained)
    _put_start(sheet, trained, policy, path)
    _put_logger(sheet, logger)
    _put_evaluation(sheet, tree.get("evaluate_param_list", []))
    for key in [key for key in tree if key not in words.GROUPS and key not in words.RUN]:
        _other(sheet, key, tree[key], key in words.IDLE_RUN)
    sheet.forget({leaf for name in words.GROUPS for leaf in tree.get(name, {})} | tree.keys())
    config = copy.deepcopy(sheet.ours)
    for key, text in rest:
        override(config, key, text, to_dict(RunConfig()))
    return Translation(config, sheet)


def nested(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree in its groups: keys that stand at the top put there, and custom_policy_params no group of its own."""
    tree = copy.deepcopy(tree)
    for name, group in words.GROUPS.items():
        flat = {key: tree.pop(key) for key in [*group, words.WEIGHTS, words.CUSTOM] if _at_top(tree, name, key)}
        if flat or name in tree:
            tree[name] = {**(tree.get(name) or {}), **flat}
    policy = tree.get("policy_params", {})
    custom = policy.pop(words.CUSTOM, None) or {}
    tree["policy_params"] = {**policy, **custom}
    return tree


def _at_top(tree: dict[str, Any], name: str, key: str) -> bool:
    if (key == words.WEIGHTS and name != "env_params") or (key == words.CUSTOM and name != "policy_params"):
        return False
    return key in tree


def _theirs(key: str) -> str | None:
    """Where a dotted key of an override stands in their tree; None for one of ours alone."""
    group, _, rest = key.partition(".")
    if group in words.RUN:
        return key
    if group == "policy_params":
        rest = rest.removeprefix(f"{words.CUSTOM}.")
    leaf = rest.partition(".")[0]
    if leaf in words.GROUPS.get(group, {}) or (group == "env_params" and leaf == words.WEIGHTS):
        return f"{group}.{rest}"
    return None


def _group(sheet: Sheet, tree: dict[str, Any], name: str) -> dict[str, Any]:
    """A group with their defaults; what they do not know in it is told."""
    known, given = words.GROUPS[name], dict(tree.get(name) or {})
    for old, key in words.OLD_ENV.items() if name == "env_params" else ():
        if old in given and key not in given:
            given[key] = given.pop(old)
            sheet.say(f"{name}.{old}", given[key], f"read as {key}")
    for key, value in given.items():
        if key not in known and key != words.WEIGHTS:
            _other(sheet, f"{name}.{key}", value, key in words.IDLE_POLICY)
    made = dict(known)
    for key in given.keys() & known.keys():
        kind = _kind(known[key])
        if kind is None or kind == _kind(given[key]) or (given[key] is None and key in words.MAY_BE_NULL):
            made[key] = given[key]
        else:
            sheet.refuse(f"{name}.{key}", given[key], f"must be {kind}")
    return made


def _kind(value: Any) -> str | None:
    """What a JSON value is, in words; None for null."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a group"}
    return kinds.get(type(value))


def _other(sheet: Sheet, key: str, value: Any, idle: bool) -> None:
    if idle or "comment" in key.rpartition(".")[2]:
        sheet.ignore(key, value, "nor there")
    else:
        sheet.refuse(key, value, "no key of MyoAssist 0.1 or 1.0; a fork's?")


def _put_start(sheet: Sheet, trained: str | None, policy: dict[str, Any], path: Path | None) -> None:
    """The trained policy to start from; their zip is one that `find_policy` opens."""
    resets = {name: policy[f"reset_{name}_net_after_load"] for name in ("shared", "policy", "value")}
    if not trained:
        sheet.ignore("env_params.prev_trained_policy_path", trained, "none")
        sheet.ignore("policy_params.reset_*_net_after_load", list(resets.values()), "of prev_trained_policy_path")
        return
    place = found(trained, path)
    if place is None:
        sheet.refuse("env_params.prev_trained_policy_path", trained, "there is no such file")
        return
    acting = [name for name in sheet.ours.get("policy_params", {}).get("net_arch", {}) if name != CRITIC]
    again = [*(acting if resets["policy"] else []), *([CRITIC] if resets["value"] else [])]
    sheet.put("init_from.heads", dict.fromkeys(again, RESET))
    sheet.take("env_params.prev_trained_policy_path", trained, "init_from.source", str(place))
    sheet.say("policy_params.reset_*_net_after_load", list(resets.values()), f"init_from.heads: fresh are {again}")


def _put_logger(sheet: Sheet, logger: dict[str, Any]) -> None:
    for theirs, ours in (("logging_frequency", "checkpoint_frequency"), ("evaluate_frequency", "evaluation_frequency")):
        sheet.take(f"logger_params.{theirs}", logger[theirs], f"logger_params.{ours}")


def _put_evaluation(sheet: Sheet, entries: Sequence[dict[str, Any]]) -> None:
    made = []
    for number, entry in enumerate(entries):
        kept = {key: value for key, value in entry.items() if key in words.EVALUATION}
        for key in entry.keys() - kept.keys():
            sheet.ignore(f"evaluate_param_list[{number}].{key}", entry[key], "curves beside the film: replay --plots")
        low, high = kept.get("min_target_velocity"), kept.get("max_target_velocity")
        if kept.get("velocity_mode", UNIFORM) == UNIFORM and low is not None and high is not None:
            middle = 0.5 * (low + high)
            kept |= {"min_target_velocity": middle, "max_target_velocity": middle}
        made.append(kept)
    sheet.put("evaluate_param_list", made)
    sheet.say("evaluate_param_list", f"{len(made)} entries", "a report each; UNIFORM is the middle of its speeds")
