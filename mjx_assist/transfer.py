"""A head that starts from another run's: its weights, and the observation statistics that they were trained with."""

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from brax.training.types import UInt64

from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.bundle import Bundle, reduced_model
from mjx_assist.eval.export import open_policy
from mjx_assist.eval.policy import HeadWeights
from mjx_assist.ppo import learner, sharding
from mjx_assist.ppo.callbacks import Session
from mjx_assist.sim.observation import actuator_names


def load_heads(session: Session) -> learner.TrainState:
    """The session's state with each head that has ``init_from`` as that run or bundle has it.

    Its exploration (log std) starts as configured: a bundle does not hold it.

    Raises:
        UserError: no such policy or head, or one of another shape, wiring or activation.
    """
    state = session.state
    for name, options in session.config.policy_params.head_options.items():
        if options.init_from is None or name not in [head.name for head in session.spec.heads]:
            continue
        where = f"config key 'policy_params.head_options.{name}.init_from' ({options.init_from})"
        source = open_policy(Path(options.init_from))
        weights = _matching(source, session, name, where)
        net = {
            f"dense_{i}" if i + 1 < len(weights.layers) else "out": {"kernel": jnp.array(w), "bias": jnp.array(b)}
            for i, (w, b) in enumerate(weights.layers)
        }
        state = state.replace(
            params={"params": {**state.params["params"], name: net}}, normaliser=_statistics(state, source, session)
        )
    return jax.device_put(state, sharding.shardings(session.mesh, learner.SPECS))


def _matching(source: Bundle, session: Session, name: str, where: str) -> HeadWeights:
    """The source's head of that name, if it sees and drives the same things in the same order."""
    heads = {head.name: head for head in source.policy.heads}
    if name not in heads:
        raise unknown(f"{where}: head", name, heads)
    theirs, own = heads[name], next(head for head in session.spec.heads if head.name == name)
    sees, drives = session.env.observation_spec.names, actuator_names(session.env.model)
    their_drives = actuator_names(reduced_model(source))
    _same(where, "observes", _named(source.observation.names, theirs.observation), _named(sees, own.observation))
    _same(where, "drives", _named(their_drives, theirs.action), _named(drives, own.action))
    _same(where, "has hidden layers", _sizes(theirs), list(map(str, own.hidden)))
    _same(where, "has the activation", [source.policy.activation], [session.spec.activation])
    if (source.policy.mirror is None) != (session.spec.mirror is None):
        raise UserError(f"{where}: one of the two serves both sides with one network (mirror_symmetric), one does not.")
    return theirs


def _statistics(state: learner.TrainState, source: Bundle, session: Session):
    """The normaliser with the source's mean and deviation of every observation that both have."""
    names = list(source.observation.names)
    pairs = [(i, names.index(n)) for i, n in enumerate(session.env.observation_spec.names) if n in names]
    to, of = np.array(pairs).T
    count = int(source.info["control_steps"] * (1 if session.spec.mirror is None else 2))
    mean, std = source.policy.mean[of], source.policy.std[of]
    old = state.normaliser
    return old.replace(
        count=UInt64(hi=jnp.uint32(count >> 32), lo=jnp.uint32(count & 0xFFFFFFFF)),
        mean=old.mean.at[to].set(mean),
        std=old.std.at[to].set(std),
        summed_variance=jnp.full_like(old.summed_variance, count).at[to].set(count * std**2),
    )


def _named(names: Sequence[str], index: Sequence[int]) -> list[str]:
    return [names[i] for i in index]


def _sizes(head: HeadWeights) -> list[str]:
    return [str(bias.size) for _, bias in head.layers[:-1]]


def _same(where: str, what: str, theirs: list[str], own: list[str]) -> None:
    if theirs == own:
        return
    differ = next((a, b) for a, b in zip([*theirs, "nothing"], [*own, "nothing"], strict=False) if a != b)
    raise UserError(
        f"{where}: that head {what} {len(theirs)} ({differ[0]}, ...), this run's {what} {len(own)} ({differ[1]}, ...)."
    )
