"""Reference gaits: published, fitted to a model, or the user's own motion."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
