from .coupling import Coupling as Coupling
from .coupling import read_coupling as read_coupling
from .coupling import reduced_joints as reduced_joints
from .skeleton import Skeleton as Skeleton
from .skeleton import read_skeleton as read_skeleton
