"""What stands between a walker and its world: pushes, a device's delay, noisy and late senses. NumPy and JAX."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
