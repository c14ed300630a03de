"""mjx-assist: train walking humans who wear an assistive device, in JAX and MuJoCo."""

import lazy_loader

__version__ = "0.1.0"
# The doors for Python users, imported when they are used; docs/api.md shows each.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
