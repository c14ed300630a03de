"""From a config's heads (name patterns or MyoAssist's index entries) to resolved indices, checked."""

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence

import numpy as np

from mjx_assist.config.heads import HeadOptions, PolicyParams
from mjx_assist.config.words import CRITIC
from mjx_assist.errors import UserError, unknown
from mjx_assist.ppo.networks import Head, Mirror, PolicySpec


def policy_spec(
    policy: PolicyParams,
    observations: Sequence[str],
    actuators: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    neutral: Sequence[float] | np.ndarray,
    mirror: Mirror | None,
) -> PolicySpec:
    """Resolve a config's heads against named observations and actuators.

    ``groups`` names sets of actuators ("muscles", "device"); ``mirror`` is None unless both sides share weights.

    Raises:
        UserError: a pattern or index that matches nothing; an actuator driven twice or not at all.
    """
    heads, held = [], np.array(neutral, float)
    mirrored = {name: mirror is not None and _mirrored(policy, name) for name in policy.net_arch}
    for name, hidden in policy.net_arch.items():
        if name == CRITIC:
            continue
        wiring, options = policy.net_indexing_info[name], policy.head_options.get(name, HeadOptions())
        where = f"config key 'policy_params.net_indexing_info.{name}"
        action = _actions(wiring.action, actuators, groups, f"{where}.action'")
        if not action:
            continue  # a device head without a device
        heads.append(
            Head(
                name=name,
                observation=_observations(wiring.observation, observations, f"{where}.observation'"),
                action=_one_side(action, mirror, actuators, name) if mirror and mirrored[name] else action,
                hidden=tuple(hidden),
                initial_action=options.initial_action,
                log_std_init=policy.log_std_init if options.log_std_init is None else options.log_std_init,
                learning_rate=options.learning_rate,
                log_std_min=options.log_std_min,
                enabled=options.enabled,
                frozen=options.frozen,
                mirrored=mirrored[name],
            )
        )
        if options.held_action is not None:
            held[list(action)] = options.held_action
    _check_driven_once(heads, actuators, mirror)
    critic = policy.net_indexing_info[CRITIC].observation
    return PolicySpec(
        heads=tuple(heads),
        critic_observation=_observations(
            critic, observations, f"config key 'policy_params.net_indexing_info.{CRITIC}.observation'"
        ),
        critic_hidden=tuple(policy.net_arch[CRITIC]),
        neutral=tuple(held.tolist()),
        mirror=mirror if any(mirrored.values()) else None,
        activation=policy.activation,
        keep_normaliser=any(options.frozen and options.init_from for options in policy.head_options.values()),
        critic_mirrored=mirrored[CRITIC],
        output_activation=policy.output_activation,
        normalized=policy.normalize_observations,
        gains=(policy.initial_gains[0], policy.initial_gains[1]),
    )


def without_device_heads(spec: PolicySpec, muscle: np.ndarray) -> PolicySpec:
    """The spec with the heads that drive the device disabled: an `env_params.device_controller` drives it.

    Raises:
        UserError: a head drives muscles and device.
    """
    heads = []
    for head, driven in zip(spec.heads, spec.driven, strict=True):
        device = bool((driven & ~muscle).any())
        if device and (driven & muscle).any():
            raise UserError(
                f"config key 'policy_params.net_indexing_info.{head.name}.action': it drives muscles and the device; "
                "with an env_params.device_controller the device needs a head of its own (which is then not used)."
            )
        heads.append(dataclasses.replace(head, enabled=head.enabled and not device))
    return dataclasses.replace(spec, heads=tuple(heads))


def mirrors(policy: PolicyParams, asymmetry: str | None) -> bool:
    """Whether one network serves both sides; ``asymmetry`` says why the model is not symmetric, if it is not.

    Raises:
        UserError: the config asks for it and the model is not symmetric.
    """
    keys = {"mirror_symmetric": policy.mirror_symmetric}
    keys |= {f"head_options.{name}.mirror_symmetric": o.mirror_symmetric for name, o in policy.head_options.items()}
    for key, asked in keys.items():
        if asked and asymmetry:
            raise UserError(
                f"config key 'policy_params.{key}' is true, but the model is not left-right symmetric: "
                f"{asymmetry}. Set it to false, or to null for 'where the model is symmetric'."
            )
    return asymmetry is None and any(_mirrored(policy, name) for name in policy.net_arch)


def _mirrored(policy: PolicyParams, name: str) -> bool:
    """Whether a head's network is to serve both sides, if the model is symmetric."""
    own = policy.head_options.get(name, HeadOptions()).mirror_symmetric
    return policy.mirror_symmetric is not False if own is None else own


def _observations(entries: Sequence[str | dict], names: Sequence[str], where: str) -> tuple[int, ...]:
    """Indices of the observations that patterns (``ankle_angle_*``, ``act.*``) and index entries name."""
    found: list[int] = []
    for entry in entries:
        if isinstance(entry, dict):
            found += _indices(entry, ("range", "index"), len(names), where)
            continue
        match = [i for i, n in enumerate(names) if fnmatch.fnmatchcase(n, entry) or _stem_matches(n, entry)]
        if not match:
            raise unknown(f"{where}: pattern", entry, [*names, *(n.partition(".")[2] for n in names if "." in n)])
        found += [i for i in match if i not in found]
    if not found:
        raise UserError(f"{where}: it names nothing to observe.")
    return tuple(found)


def _stem_matches(name: str, pattern: str) -> bool:
    """``ankle_angle_*`` matches ``qpos.ankle_angle_l``: a pattern without a dot is about what follows it."""
    return "." not in pattern and fnmatch.fnmatchcase(name.partition(".")[2], pattern)


def _actions(
    entries: Sequence[str | dict], names: Sequence[str], groups: Mapping[str, Sequence[str]], where: str
) -> tuple[int, ...]:
    """Actuator of each output of the net, in the net's order."""
    by_name: list[int] = []
    by_output: dict[int, int] = {}
    for entry in entries:
        if isinstance(entry, dict):
            target = _indices(entry, ("range_mapping", "index_mapping"), len(names), where, "_action")
            source = _indices(entry, ("range_mapping", "index_mapping"), len(names), where, "_net")
            if len(source) != len(target):
                raise UserError(f"{where}: {entry!r} maps {len(source)} outputs to {len(target)} actuators.")
            by_output.update(zip(source, target, strict=True))
        elif entry in groups:
            by_name += [names.index(n) for n in groups[entry]]
        else:
            match = [i for i, n in enumerate(names) if fnmatch.fnmatchcase(n, entry)]
            if not match:
                raise unknown(f"{where}: pattern", entry, [*groups, *names])
            by_name += match
    if by_output and sorted(by_output) != list(range(len(by_output))):
        raise UserError(f"{where}: outputs {sorted(by_output)} of the net are not 0..{len(by_output) - 1}.")
    return tuple(by_name) + tuple(by_output[i] for i in sorted(by_output))


def _indices(entry: dict, types: tuple[str, str], size: int, where: str, suffix: str = "") -> list[int]:
    """The indices of a MyoAssist entry: ``{"type": "range", "range": [a, b]}`` or ``{"type": "index", ...}``."""
    kind = entry.get("type")
    if kind not in types:
        raise unknown(f"{where}: entry type", str(kind), types)
    key = kind.removesuffix("_mapping") + suffix
    value = entry.get(key, entry.get("index") if kind == "index_mapping" else None)  # MyoAssist: one list for both
    if not isinstance(value, list) or not all(isinstance(i, int) for i in value):
        raise UserError(f"{where}: {entry!r} needs {key!r}, a list of integers.")
    if kind.startswith("range"):
        if len(value) != 2 or value[0] >= value[1]:
            raise UserError(f"{where}: {key!r} must be [first, end], got {value}.")
        value = list(range(*value))
    if value and not (min(value) >= 0 and max(value) < size):
        raise UserError(f"{where}: {entry!r} reaches beyond the {size} there are (0..{size - 1}).")
    return value


def _one_side(action: tuple[int, ...], mirror: Mirror, actuators: Sequence[str], head: str) -> tuple[int, ...]:
    """The actuators whose mirror partner comes later: what a head with shared weights outputs."""
    for i in action:
        partner = mirror.action[i]
        if partner == i or partner not in action:
            raise UserError(
                f"policy_params.mirror_symmetric: head {head!r} drives {actuators[i]!r} without its mirror partner; "
                "let one head drive both sides or set mirror_symmetric to false."
            )
    return tuple(i for n, i in enumerate(action) if mirror.action[i] not in action[:n])


def _check_driven_once(heads: Sequence[Head], actuators: Sequence[str], mirror: Mirror | None) -> None:
    count = np.zeros(len(actuators), int)
    for head in heads:
        np.add.at(count, list(head.action), 1)
        if mirror is not None and head.mirrored:
            np.add.at(count, [mirror.action[i] for i in head.action], 1)
    twice = [actuators[i] for i in np.flatnonzero(count > 1).tolist()]
    never = [actuators[i] for i in np.flatnonzero(count == 0).tolist()]
    if twice:
        raise UserError(f"policy_params.net_indexing_info: actuators driven twice: {', '.join(twice)}.")
    if never:
        raise UserError(
            f"policy_params.net_indexing_info: actuators driven by no head: {', '.join(never)}. "
            "(To switch a device off keep its head and set head_options.<head>.enabled to false.)"
        )
