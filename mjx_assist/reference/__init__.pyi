from .cycle import ReferenceGait as ReferenceGait
from .cycle import sample as sample
from .cycle import stride_frequency as stride_frequency
from .motion import load_motion as load_motion
from .published import healthy_band as healthy_band
