"""A user's own functions, which a config names as ``package.module:function``.

Reading a config, or opening a policy that holds one, imports none of them: `mjx_assist.sim.own_code` does, for who
trains with one or asks for it.
"""

from mjx_assist.errors import UserError

FORM = "package.module:function"


def check_name(name: str, where: str) -> None:
    """Raises ``UserError`` beginning with ``where`` for what cannot be such a name."""
    module, _, function = name.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise UserError(f"{where}: {name!r} names no function. Allowed: {FORM}.")
