"""One run as a tree of frozen dataclasses: JSON in, JSON out, strict about every key and type."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
