"""What a walker is asked in an episode beyond a speed: to turn, and to stand at the start and at the end.

A walk of which only a speed is asked has a `Command`; one of which more is asked has a `Course`, and the state of
every walker holds the one or the other. The walk is judged and seen along the commanded heading (`sim.heading`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.model.names import joint_names, match_joints
from mjx_assist.sim import command, heading
from mjx_assist.sim.command import Command

HEADING, SIDE = "pelvis_rotation", "pelvis_tz"  # along the heading: how far off it the walker faces, and is
_KEYS = "config keys 'env_params.min_heading_rate' and 'max_heading_rate'"


class Course(NamedTuple):
    """One episode's: ``speed`` m/s, ``standing``, ``turn`` rad/s and the ``frame`` that it has led to; () where not
    asked."""

    speed: Command
    standing: Any = ()
    turn: Any = ()
    frame: Any = ()


class CourseRules:
    """A config's rules; every method is pure. ``turns``: whether the walk is seen along a heading."""

    def __init__(self, params: EnvParams, model: mujoco.MjModel, turns: bool):
        self.turns, self._share = turns, params.standing_share
        self._length = params.custom_max_episode_steps / params.control_framerate
        self._turn = command.turn_range(params)
        self.root = heading.root_of(model, _KEYS) if turns else None
        self._forward = joint_names(model).index("pelvis_tx")

    @property
    def sizes(self) -> dict[str, int]:
        """How many numbers uniform in 0..1 `sample` takes of each name."""
        turn = {"heading_rate": command.N_UNIFORM} if self.turns else {}
        return turn | ({"standing": command.N_STANDING} if self._share else {})

    def asked(self, speed: Command, standing: tuple[float, float] | None, turn: Command) -> Command | Course:
        """What is asked of a walk by hand: to stand until and from a time (s), to turn (where the rules say so)."""
        stands = () if standing is None else command.Standing(*map(np.asarray, standing))
        return Course(speed, stands, turn if self.turns else ()) if self.turns or standing else speed

    def sample(self, speed: Command, scheduled: Mapping, uniform: Mapping[str, Any], xp: Any = np) -> Command | Course:
        """What is asked of an episode beside a speed; `begin` says where."""
        if not self.sizes:
            return speed
        stands = command.standing(self._share, self._length, uniform["standing"], xp) if self._share else ()
        if self.root is None:
            return Course(speed, stands)
        low, high = self._turn.speed
        turn = (scheduled.get("min_heading_rate", low), scheduled.get("max_heading_rate", high))
        return Course(speed, stands, command.sample(self._turn._replace(speed=turn), uniform["heading_rate"], xp))

    def begin(self, asked: Command | Course, qpos: Any, xp: Any = np) -> Command | Course:
        """What is asked, and its frame where the walk begins, at ``qpos`` (world)."""
        if self.root is None or not isinstance(asked, Course):
            return asked
        return asked._replace(frame=heading.begin(self.root, qpos, xp))

    def speed(self, asked: Command | Course, time: Any, xp: Any = np) -> Any:
        """The commanded speed, m/s, at ``time`` s into the episode."""
        if isinstance(asked, Command):
            return command.target_velocity(asked, time, xp)
        return command.held(command.target_velocity(asked.speed, time, xp), asked.standing, time, xp)

    def rate(self, asked: Command | Course, time: Any, xp: Any = np) -> Any:
        """The commanded heading rate, rad/s, to the left positive; None where no turn is asked."""
        return command.target_velocity(asked.turn, time, xp) if isinstance(asked, Course) and self.turns else None

    def advance(
        self, asked: Command | Course, rate: Any, passed: float, before: Any, after: Any, xp: Any = np
    ) -> Command | Course:
        """What is asked after ``passed`` s at a heading rate: the frame goes along with qpos (world)."""
        if self.root is None or not isinstance(asked, Course):
            return asked
        return asked._replace(frame=heading.advance(self.root, asked.frame, rate * passed, before, after, xp))

    def direction(self, asked: Command | Course) -> Any:
        """The commanded heading, rad; None where no turn is asked."""
        return asked.frame.heading if isinstance(asked, Course) and self.turns else None

    def placed(self, asked: Command | Course, rate: Any) -> dict[str, Any]:
        """The frame's fields and its rate, by name; none where no turn is asked."""
        if not isinstance(asked, Course) or not self.turns:
            return {}
        return {**asked.frame._asdict(), "rate": rate}

    def way(self, asked: Command | Course, qpos: Any) -> Any:
        """m that the pelvis has come along the heading; ``qpos``: where it is in the world."""
        return asked.frame.way if isinstance(asked, Course) and self.turns else qpos[self._forward]

    def seen(self, asked: Command | Course, rate: Any, qpos: Any, qvel: Any, xp: Any = np) -> tuple[Any, Any]:
        """``qpos``, ``qvel`` (world) along a heading that turns at ``rate``; themselves where no turn is asked."""
        if self.root is None or not isinstance(asked, Course):
            return qpos, qvel
        motion = heading.seen_motion(self.root, asked.frame, rate, qpos, qvel, xp)
        return heading.seen_pose(self.root, asked.frame, qpos, xp), motion

    def vector(self, asked: Command | Course, vector: Any, xp: Any = np) -> Any:
        """Vectors ``[..., 3]`` of the world along the heading; themselves where no turn is asked."""
        heading_now = self.direction(asked)
        return vector if heading_now is None else heading.seen_vector(heading_now, vector, xp)


def check(params: EnvParams, model: mujoco.MjModel) -> None:
    """Raises ``UserError`` for a turn, or pushes from the side, that a planar model is asked, or for a turn of a walker
    that sees not where it faces."""
    joints = joint_names(model)
    if params.randomization.push_angle and SIDE not in joints:
        raise UserError("config key 'env_params.randomization.push_angle': a planar model is pushed from no side.")
    if not params.turns:
        return
    heading.root_of(model, _KEYS)
    if HEADING not in match_joints(params.observation_joint_pos_keys, joints, "observed joint"):
        raise UserError(
            f"{_KEYS}: a walker that turns must see its heading; add {HEADING!r} (and 'pelvis_list', {SIDE!r}) to "
            "'env_params.observation_joint_pos_keys'."
        )
