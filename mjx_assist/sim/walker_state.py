"""What `sim.env` hands from one control step to the next."""

from typing import Any, NamedTuple

import jax
from flax import struct

from mjx_assist.sim.command import Command
from mjx_assist.sim.course import Course
from mjx_assist.sim.device.controller import State
from mjx_assist.sim.episode import Episode
from mjx_assist.sim.footsteps import Footsteps
from mjx_assist.sim.physics.base import CarriedState, PhysicsState


class Moved(NamedTuple):
    """A control step's physics: the body after it, the episode, the controller's state (None without one), controls
    ``[nu]``, the device's torque ``[D]``, N*m, and what is asked of the walk from there."""

    body: PhysicsState
    episode: Episode
    device: Any
    control: jax.Array
    torque: jax.Array
    command: Command | Course


class WalkerState(struct.PyTreeNode):
    """Everything that lives from one control step to the next, for one walker.

    Its fields are a part of every checkpoint: what only some configs need is a field of a class of its own.
    """

    physics: CarriedState
    key: jax.Array
    phase: jax.Array
    step: jax.Array
    command: Command | Course
    footsteps: Footsteps
    episode: Episode


class ControlledState(WalkerState):
    """A walker whose device has a controller: with that controller's state."""

    device: State


class PricedState(WalkerState):
    """A walker who pays for the rate of its device's torque: with the last torque ``[D]``, N*m."""

    torque: jax.Array


class PricedControlledState(ControlledState):
    """Both."""

    torque: jax.Array


def with_torque(walker: WalkerState, torque: jax.Array) -> WalkerState:
    """The walker as one who pays for the rate of the torque."""
    kind = PricedControlledState if isinstance(walker, ControlledState) else PricedState
    fields: dict[str, Any] = {**vars(walker), "torque": torque}
    return kind(**fields)
