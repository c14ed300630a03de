"""Between a device's command and its torque: delay, first-order bandwidth, gain; for jax and numpy."""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.sim.disturbances import delay_line


class DevicePath(NamedTuple):
    """Of one walker: ``gain``; ``delay`` in control steps; ``response``: share of the way to the command that the
    output goes in a control step; ``line [H, D]`` of commands; ``output [D]``."""

    gain: Any
    delay: Any
    response: Any
    line: Any
    output: Any


def start(gain: Any, delay: Any, bandwidth: Any, longest: float, dt: float, devices: int, xp: Any = np) -> DevicePath:
    """At rest. Delays in s; ``bandwidth`` (Hz) is the corner frequency of a first-order low-pass, infinite for none."""
    response = 1.0 - xp.exp(-2 * np.pi * bandwidth * dt)
    return DevicePath(
        gain, delay / dt, response, xp.zeros((delay_line.length(longest, dt), devices)), xp.zeros(devices)
    )


def drive(path: DevicePath, command: Any, xp: Any = np) -> tuple[DevicePath, Any]:
    """The device's controls ``[D]`` of a control step from its commands ``[D]``."""
    line = delay_line.push(path.line, command, xp)
    output = path.output + path.response * (delay_line.read(line, path.delay, xp) - path.output)
    return path._replace(line=line, output=output), path.gain * output
