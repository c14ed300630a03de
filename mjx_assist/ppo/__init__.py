"""Proximal policy optimization in JAX; it knows nothing of humans."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
