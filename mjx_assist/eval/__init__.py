"""What looks at a policy, without JAX: replay, gait figures, formats, studies, plots, reports, views."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
