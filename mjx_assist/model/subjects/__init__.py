"""People: assist_sim's standard body in another one's size, build and strength, before it is reduced."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
