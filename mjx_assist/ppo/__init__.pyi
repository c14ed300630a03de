from .learner import Learner as Learner
from .learner import TrainState as TrainState
from .learner import make_learner as make_learner
from .networks import ActorCritic as ActorCritic
from .networks import PolicySpec as PolicySpec
from .rollout import Walkers as Walkers
