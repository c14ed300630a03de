"""Gait figures from records: what is measured, on which strides, against which published values."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
