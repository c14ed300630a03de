"""A user's own MuJoCo XML: read, completed, and carried over into the reduction whole, or refused by name."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
