"""Models: composed by assist_sim, reduced, written as MJCF, varied; names and views of their parts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
