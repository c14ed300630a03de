from .bundle import Bundle as Bundle
from .bundle import is_bundle as is_bundle
from .bundle import load as load
from .bundle import reduced_model as reduced_model
from .bundle import save as save
from .policy import Policy as Policy
