"""Two networks matched by name: which inputs and outputs both have, and the parameters with the source's in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brax.training.acme.running_statistics import RunningStatisticsState

from mjx_assist.config.words import CRITIC
from mjx_assist.model.names import actuator_names
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.policy import HeadWeights
from mjx_assist.ppo import learner, networks
from mjx_assist.sim.observation import varied
from mjx_assist.training.callbacks import Run
from mjx_assist.training.transfer.table import DROPPED, FRESH, LOADED, Row

VALUE = ("value",)  # what a critic outputs
Layers = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Source:
    """A policy to load from; ``where`` is for messages, ``training`` its run's state if the optimiser is asked for."""

    where: str
    bundle: Bundle
    actuators: tuple[str, ...]
    training: learner.TrainState | None


@dataclass(frozen=True)
class Match:
    """Entry ``own[i]`` of this run's vector is entry ``theirs[i]`` of the source's."""

    own: np.ndarray
    theirs: np.ndarray


@dataclass(frozen=True)
class Plan:
    """How one network is taken over: its matched inputs and outputs, and what its inputs are there.

    The source's input is ``factor`` times this run's plus ``shift``, both normalised (``[matched inputs]``).
    """

    name: str
    source: Source
    theirs: HeadWeights
    log_std: np.ndarray | None
    inputs: Match
    outputs: Match
    factor: np.ndarray
    shift: np.ndarray


def match_names(
    names: Sequence[str], theirs: Sequence[str], std: np.ndarray | None = None
) -> tuple[Match, dict[str, str]]:
    """Which names both have, and why a name that both have is not used: its ``std`` there is next to nothing."""
    constant = {} if std is None else {n: "constant there" for n, s in zip(theirs, std, strict=True) if not varied(s)}
    pairs = [(i, theirs.index(n)) for i, n in enumerate(names) if n in theirs and n not in constant]
    return Match(*np.array(pairs, int).reshape(-1, 2).T), constant


def plan(
    run: Run,
    normaliser: RunningStatisticsState,
    part: networks.Head,
    theirs: HeadWeights,
    source: Source,
    rows: list[Row],
) -> Plan:
    """The plan of one network, and a row for each of its names."""
    env, there, init = run.env, source.bundle.policy, run.config.init_from
    sees = [env.observation_spec.names[i] for i in part.observation]
    drives = VALUE if part.name == CRITIC else [actuator_names(env.model)[i] for i in part.action]
    seen, sign, driven = max(_views(source, theirs), key=lambda view: len({*view[2]} & {*drives}))
    names = [source.bundle.observation.names[i] for i in seen]
    inputs, why = match_names(sees, names, there.std[seen])
    outputs, _ = match_names(drives, driven)
    own, of = np.array(part.observation)[inputs.own], seen[inputs.theirs]
    mean, std = np.asarray(normaliser.mean)[own], np.asarray(normaliser.std)[own]
    sign = sign[inputs.theirs]
    frozen = "frozen" if part.frozen else ""
    rows += name_rows(part.name, "inputs", sees, names, inputs, why)
    rows += [Row(part.name, "hidden layers", f"{i + 1} ({n})", LOADED, frozen) for i, n in enumerate(part.hidden)]
    rows += name_rows(part.name, "outputs", drives, driven, outputs, {})
    if part.name != CRITIC:
        if init and not init.exploration:
            rows += [Row(part.name, "exploration", name, FRESH, "as asked") for name in drives]
        elif theirs.log_std is None:
            rows += [Row(part.name, "exploration", name, FRESH, "not known there") for name in drives]
        else:
            rows += name_rows(part.name, "exploration", drives, driven, outputs, {})
    return Plan(
        name="critic" if part.name == CRITIC else part.name,
        source=source,
        theirs=theirs,
        log_std=None if init and not init.exploration else theirs.log_std,
        inputs=inputs,
        outputs=outputs,
        factor=sign * std / there.std[of],
        shift=sign * (mean - there.mean[of]) / there.std[of],
    )


def _views(source: Source, theirs: HeadWeights) -> list[tuple[np.ndarray, np.ndarray, Sequence[str]]]:
    """What a network sees (index, sign) and drives (names); under a mirror that of the other side too."""
    seen, mirror = theirs.observation, source.bundle.policy.mirror
    if not theirs.action.size:
        return [(seen, np.ones(len(seen)), VALUE)]
    views: list[tuple[np.ndarray, np.ndarray, Sequence[str]]]
    views = [(seen, np.ones(len(seen)), [source.actuators[i] for i in theirs.action])]
    if mirror is not None and theirs.mirrored:
        drives = [source.actuators[i] for i in mirror.action[theirs.action]]
        views.append((mirror.index[seen], mirror.sign[seen], drives))
    return views


def taken_over(
    plan: Plan, own: dict, theirs: Layers, log_std: np.ndarray | None, factor: np.ndarray, shift: np.ndarray
) -> dict:
    """The network's parameters with the source's in their places: new inputs have no weight, new outputs neither."""
    net = {}
    for i, (kernel, bias) in enumerate(theirs):
        name = "out" if i + 1 == len(theirs) else f"dense_{i}"
        fresh = own[plan.name][name]
        if i == 0:
            used = kernel[plan.inputs.theirs]
            bias = bias + shift @ used
            kernel = np.zeros((fresh["kernel"].shape[0], kernel.shape[1]), np.float32)
            kernel[plan.inputs.own] = factor[:, None] * used
        if name == "out":
            used, kernel = kernel, np.zeros((len(kernel), fresh["kernel"].shape[1]), np.float32)
            kernel[:, plan.outputs.own] = used[:, plan.outputs.theirs]
            bias = _placed(fresh["bias"], bias, plan.outputs)
        net[name] = {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}
    made: dict[str, Any] = {plan.name: net}
    if log_std is not None:
        made[f"{plan.name}_log_std"] = _placed(own[f"{plan.name}_log_std"], log_std, plan.outputs)
    return made


def _placed(own: np.ndarray, theirs: np.ndarray, match: Match) -> np.ndarray:
    made = np.array(own)
    made[match.own] = theirs[match.theirs]
    return made


def name_rows(
    part: str, item: str, names: Sequence[str], theirs: Sequence[str], match: Match, why: dict[str, str]
) -> list[Row]:
    """A row for each of this run's names, and for each of the source's that it does not have."""
    used = set(match.own.tolist())
    own = [
        Row(part, item, n, LOADED) if i in used else Row(part, item, n, FRESH, why.get(n, ""))
        for i, n in enumerate(names)
    ]
    return own + [Row(part, item, n, DROPPED) for n in theirs if n not in names]
