"""What a laboratory's recordings leave to be found out: axes, feet, heading, mass, and whether they can be a walk."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
