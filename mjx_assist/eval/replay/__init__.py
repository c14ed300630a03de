"""A policy walks in C MuJoCo, and what comes of it is a gait record."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
