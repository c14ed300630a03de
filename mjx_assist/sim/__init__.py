"""The env: what a walker observes, does, is rewarded for, meets and ends at."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
