"""Policies with a device controller in the place of their head, and one controller of each kind."""

import dataclasses

from mjx_assist.config.device import Gains, Impedance, PhasedImpedance, Phases, Spline, TorqueProfile, ZeroTorque


def controlled(bundle, settings):
    env = dataclasses.replace(bundle.config.env_params, device_controller=settings)
    return dataclasses.replace(bundle, config=dataclasses.replace(bundle.config, env_params=env))


SETTINGS = [
    ZeroTorque(),
    TorqueProfile(),
    Spline((0.0, 30.0, 50.0, 65.0), (-0.05, -0.1, -0.4, 0.0)),
    Impedance(180.0, 2.0, 0.05, swing=Gains(20.0, 0.5, 0.0)),
    PhasedImpedance({"*ankle*": Phases(Gains(20.0), Gains(80.0, 0.1, -0.3), Gains(8.0, 0.0, 0.4), Gains(8.0))}),
]
