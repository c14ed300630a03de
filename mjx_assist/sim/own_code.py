"""Imports a function of the user's own that a config names (`config.own_code`). It runs that package's code."""

import importlib
from collections.abc import Callable

from mjx_assist.config.own_code import check_name
from mjx_assist.errors import UserError, unknown


def imported(name: str, where: str) -> Callable:
    """The function that ``package.module:function`` names; ``where`` begins what is said of a mistake.

    Raises:
        UserError: it is no such name, cannot be imported, does not exist, or is not callable.
    """
    check_name(name, where)
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(
            f"{where}: {name!r} cannot be imported ({error}). Allowed: a function of a package that is installed, or "
            "whose folder is on PYTHONPATH."
        ) from error
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    if not hasattr(module, attribute):
        raise unknown(f"{where}: {name!r}: function of {module_name}", attribute, functions)
    function = getattr(module, attribute)
    if not callable(function):
        raise UserError(
            f"{where}: {name!r} is {function!r} ({type(function).__name__}), not a function. Allowed: "
            f"{', '.join(sorted(functions)) or 'nothing there is one'}."
        )
    return function
