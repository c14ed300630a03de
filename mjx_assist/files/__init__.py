"""Files and folders that are whole or not there, logs, tables. Nothing here knows what is in them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
