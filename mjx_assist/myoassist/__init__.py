"""MyoAssist's files: its configs as ours, its trained policies as bundles. No JAX, and nothing pickled is run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
