"""What `sim.env` hands from one control step to the next."""

import jax
from flax import struct

from mjx_assist.sim.command import Command
from mjx_assist.sim.device.strides import GaitClock
from mjx_assist.sim.episode import Episode
from mjx_assist.sim.footsteps import Footsteps
from mjx_assist.sim.physics.base import PhysicsState


class WalkerState(struct.PyTreeNode):
    """Everything that lives from one control step to the next, for one walker.

    ``torque [D]``: the device's, N*m, where its rate is paid for (else ()).
    """

    physics: PhysicsState
    key: jax.Array
    phase: jax.Array
    step: jax.Array
    command: Command
    footsteps: Footsteps
    episode: Episode
    torque: jax.Array | tuple


class ControlledState(WalkerState):
    """A walker whose device has a controller: with that controller's state."""

    device: GaitClock
