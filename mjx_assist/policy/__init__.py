"""The bundle that a training leaves behind, and inference in NumPy. Opening one runs no code."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
