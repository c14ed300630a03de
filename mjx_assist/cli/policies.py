"""The command `policies`: the trained policies that ship, by the name that every command takes. No simulation."""

import argparse

from mjx_assist.cli.arguments import Parser
from mjx_assist.config.words import LEARNED


def add_policies(parser: Parser) -> None:
    parser.set_defaults(run=policies)


def policies(arguments: argparse.Namespace) -> None:
    """Print of each: who walks, what drives the device, what it was trained for, for how long."""
    from mjx_assist.policy import bundle as bundles
    from mjx_assist.policy import shipped
    from mjx_assist.policy.trained import trained

    for name in shipped.names():
        bundle = bundles.load(shipped.find(name))
        env = bundle.config.env_params
        driven = env.controller.type if env.controller else LEARNED
        print(f"{name}\n    {bundle.human}, {bundle.device} ({driven}), {env.model_kind} model")
        print(f"    trained for {trained(env)}; {bundle.info['control_steps'] / 1e6:.1f} M control steps")
    print("\nevery command takes these names: mjx-assist replay walk22_exo. What each masters: docs/policies.md")
