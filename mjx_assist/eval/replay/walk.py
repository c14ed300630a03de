"""One walk, control step by control step, with what a person may change in it; no clock and no drawing.

Headless replay, MuJoCo's window and the browser all drive this.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mjx_assist.config.family import added_mass
from mjx_assist.config.words import LEARNED, REDUCED
from mjx_assist.errors import note
from mjx_assist.eval.replay.conditions import AS_TRAINED, STRAIGHT, Conditions
from mjx_assist.eval.replay.gauge import Gauge, Reading
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.assembly import device_mass
from mjx_assist.model.names import GRAVITY, left_signs
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.held import held
from mjx_assist.reference import cycle
from mjx_assist.sim import action, command
from mjx_assist.sim.course import Course, CourseRules
from mjx_assist.sim.device.controller import make_controller
from mjx_assist.sim.disturbances import pushes
from mjx_assist.sim.episode import Episode, EpisodeRules
from mjx_assist.sim.observation import observe
from mjx_assist.terrain.heightfield import Ground, make_terrain, n_variants

PUSH_S = pushes.DURATION_S  # a push lasts this long
_RECORD_RATE = 250.0  # Hz: physics steps are recorded at most this often


class Walk:
    """A policy in a walker. ``device_on``: False holds the device at zero torque; `ask_speed` and `push` act at once.
    ``unheard``: what the policy was last shown and does not hear, and the sentence that says so (policy/held.py).
    ``record_rate``: samples per second on the tape at most (None: 250). ``conditions``: what the walk is put under.

    An episode ends only at a fall or a state that is not finite, never for its distance to the reference.
    """

    def __init__(
        self,
        bundle: Bundle,
        kind: str = REDUCED,
        seed: int = 0,
        record_rate: float | None = None,
        conditions: Conditions = AS_TRAINED,
    ):
        params = conditions.applied(bundle.config.env_params)
        reduced = bundles.reduced_model(bundle)
        self.course = CourseRules(params, reduced, params.turns or conditions.turn is not None)
        terrain = make_terrain(params, reduced, self.course.turns)
        self._variants = n_variants(params, reduced)
        self._rules = EpisodeRules(params, reduced, bundle.gait, terrain, bundle.observation.names)
        self.bundle, self.walker, self.conditions = bundle, Walker(bundle, kind, terrain), conditions
        self.dt = 1.0 / params.control_framerate
        self.device_on = True
        self._asked: float | None = None
        self._asked_turn: float | None = None
        self._held = held(bundle)
        self._told: set[str] = set()
        self._params, self._limits = params, conditions.command or command.command_range(params)
        self._actions = action.make_action_spec(self.walker.reduced, params.device_action)
        self._neutral = action.to_control(self._actions, self._actions.neutral)
        self._every = max(1, round(1.0 / ((record_rate or _RECORD_RATE) * self.walker.model.opt.timestep)))
        settings = params.controller
        self._controller = (
            make_controller(settings, self.walker.reduced, self.dt, bundle.may_import) if settings else None
        )
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """A new episode; the seed draws the phase of the reference where it starts, and the commanded speeds."""
        rng = np.random.default_rng(seed)
        uniform = rng.uniform(size=command.N_UNIFORM + 1)
        self.seed, self.steps, self.fell = seed, 0, False
        self.unheard: dict[str, str] = {}
        self._physics_steps = 0
        self._push, self._push_until = 0.0, 0.0
        self._rng = rng
        self._command = self._course(command.sample(self._limits, uniform[1:]), seed)
        self._episode = self._drawn(seed)
        self.walker.vary(self._episode.variation)
        self.phase = float(uniform[0]) if self._params.flag_random_ref_index else 0.0
        speed = self.commanded(0.0)
        playback = self._params.reference_playback
        qpos, qvel = cycle.start(self.bundle.gait, self.phase, speed, playback)
        qpos, qvel = self._rules.on_ground(self._episode, qpos, qvel, np.asarray(self.phase), np.asarray(speed))
        self.walker.reset(qpos, qvel, action.INITIAL_ACTIVATION)
        self._command = self.course.begin(self._command, self.walker.begun.qpos)
        self._device: Any = self._controller.start(design=self.design) if self._controller else None
        self._gauge = Gauge(self.walker.body_mass * GRAVITY)

    @property
    def time(self) -> float:
        """Simulated seconds since the reset."""
        return self.steps * self.dt

    @property
    def speed_range(self) -> tuple[float, float]:
        """The slowest and the fastest speed that can be asked, m/s."""
        return self.bundle.speeds

    def commanded(self, time: float) -> float:
        """The target speed at a time of the episode, m/s: the one asked for, else the episode's own."""
        if self._asked is not None:
            return self._asked
        return float(self.course.speed(self._command, time))

    def turning(self, time: float) -> float:
        """The heading rate at a time of the episode, rad/s to the left: the one asked for, else the episode's own."""
        if self._asked_turn is not None:
            return self._asked_turn
        return float(self.course.rate(self._command, time) or 0.0)

    def ask_turn(self, rate: float) -> None:
        """Command a heading rate (rad/s, to the left positive) from now on; a walker that cannot turn goes straight."""
        self._asked_turn = float(rate) if self.course.turns else None

    def ask_speed(self, speed: float) -> None:
        """Command a speed (m/s) from now on, held to `speed_range`."""
        self._asked = float(np.clip(speed, *self.speed_range))

    def push(self, force: float) -> None:
        """Push the pelvis forward (backward if negative; along its heading) with ``force`` N for the next `PUSH_S`."""
        self._push, self._push_until = force, self.time + PUSH_S

    def step(self, tape: Tape | None = None) -> bool:
        """One control step, its physics steps recorded on ``tape``; returns whether the walker is still up."""
        walker, begin, end = self.walker, self.time, (self.steps + 1) * self.dt
        target, rate = self.commanded(begin), self.turning(begin)
        asked, before = self._command, walker.data.qpos[walker.qpos_index]
        control = self._control(target)
        clock = float(cycle.cadence(self.bundle.gait, self.commanded(end), self._params.reference_playback))
        walker.push(*self._push_force(begin))
        while walker.data.time < end - 0.5 * walker.model.opt.timestep:
            walker.step(control)
            self._physics_steps += 1
            if tape is not None and self._physics_steps % self._every == 0:
                passed = walker.begun.time - begin
                now = self.course.advance(asked, rate, passed, before, walker.begun.qpos)
                tape.add(control, target, (self.phase + clock * passed) % 1.0, self.course.placed(now, rate))
        self.phase = (self.phase + clock * self.dt) % 1.0
        self._command = self.course.advance(asked, rate, self.dt, before, walker.data.qpos[walker.qpos_index])
        self.steps += 1
        self.fell = not walker.finite() or walker.height() < self._params.safe_height * walker.leg_scale
        return not self.fell

    def read(self) -> Reading:
        """What a viewer shows of the present state; to be called once after each step."""
        walker, contact = self.walker, self.walker.ground_contact()
        target, torque = self.commanded(self.time), walker.device_torque()
        place = self.course.way(self._command, walker.data.qpos) if self.course.turns else walker.place()
        return self._gauge.read(self.time, target, place, torque, contact.force, contact.center_of_pressure)

    def record(self, tape: Tape) -> GaitRecord:
        """The gait record of what is on the tape."""
        walker, names = self.walker, np.array(self.walker.actuator_names)
        return GaitRecord(
            **tape.columns(self.bundle.gait, self.course.root),
            joint_names=walker.joint_names,
            joint_sign=np.array(left_signs(walker.reduced)),
            muscle_names=tuple(names[walker.muscle]),
            device_names=tuple(names[~walker.muscle]),
            device_joints=walker.device_joints,
            sensor_names=walker.sensor_names,
            body_mass=walker.body_mass,
            device_mass=device_mass(self.bundle.human, self.bundle.device) + self._added_mass(),
            leg_length=walker.leg_length(),
            fell=self.fell,
            human=self.bundle.human,
            device=self.bundle.device,
            model_kind=walker.kind,
            seed=self.seed,
            control_dt=self.dt,
            controller=self._controller.name if self._controller else LEARNED,
        )

    def _added_mass(self) -> float:
        """kg of a family's device beyond that which the model wears."""
        return float(added_mass(self.design)) if self.design else 0.0

    def _drawn(self, seed: int) -> Episode:
        """The episode's conditions; of a ground's variants each seed has the next."""
        uniform = {name: self._rng.uniform(size=n) for name, n in self._rules.sizes.items()}
        uniform["ground"] = np.array([(seed % self._variants + 0.5) / self._variants])
        self.design = self._rules.design(uniform)
        episode = self._rules.sample({}, (), uniform)
        if self.conditions.push:
            impulse, interval, *angle = self.conditions.push
            drawn = pushes.Pushes(np.full(pushes.N_IMPULSES, impulse), interval)
            turned = pushes.directed(drawn, (*angle, *angle), np.zeros(pushes.N_IMPULSES)) if angle else drawn
            episode = episode._replace(pushes=turned)
        return episode

    def _course(self, speed: command.Command, seed: int) -> command.Command | Course:
        """What is asked beside a speed; the seed draws where in its period a turn begins."""
        uniform = np.random.default_rng([seed, 1]).uniform(size=command.N_UNIFORM)
        turn = command.sample(self.conditions.turn or STRAIGHT, uniform)
        return self.course.asked(speed, self.conditions.standing, turn)

    def _push_force(self, time: float) -> tuple[float, float]:
        """Force (N; along x, to the left) of the control step that begins at ``time``: what was asked, and what the
        conditions say."""
        heading = self.course.direction(self._command)
        requested = self._push if time < self._push_until - 0.5 * self.dt else 0.0
        forward, left = pushes.along(requested, heading)
        drawn = self._rules.push_force(self._episode, time, self.dt, heading=heading)
        return (forward, left) if drawn is None else (forward + float(drawn[0]), left + float(drawn[1] or 0.0))

    def _control(self, target: float) -> np.ndarray:
        """The controls ``[nu]`` of the coming control step."""
        body = self.walker.state()
        spec = self.bundle.observation
        rate = self.turning(self.time)
        ahead = self._rules.heights_ahead(self._episode, body.qpos, heading=self.course.direction(self._command))
        qpos, qvel = self.course.seen(self._command, rate, body.qpos, body.qvel)
        worn = self._rules.seen_design(self._device) if self._controller else None
        along = replace(body, qpos=qpos, qvel=qvel)
        seen = observe(spec, along, target, self.phase, ground=ahead, design=worn, heading_rate=np.asarray(rate))
        normal = self._rng.normal(size=seen.size) if self._rules.senses else None
        self._episode, seen = self._rules.sense(self._episode, seen, normal, first=self.steps == 0)
        self.unheard = self._held.unheard(seen)
        for name in self.unheard.keys() - self._told:
            note(self.unheard[name])
        self._told |= self.unheard.keys()
        control = action.to_control(self._actions, self.bundle.policy.act(seen))
        if self._controller:
            self._device, control = self._controller.drive(self._device, body, control)
        control = control if self.device_on else np.where(self.walker.muscle, control, self._neutral)
        self._episode, control = self._rules.drive(self._episode, {}, control, self.time)
        return control


def ground_of(bundle: Bundle, seed: int, conditions: Conditions) -> Ground:
    """What the walk of a seed stands on under these conditions, on any model."""
    return Walk(bundle, REDUCED, seed, conditions=conditions).walker.stands_on
