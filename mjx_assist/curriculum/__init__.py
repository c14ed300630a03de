"""What changes while training goes on: levels per walker, schedules over steps, randomization per episode."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
