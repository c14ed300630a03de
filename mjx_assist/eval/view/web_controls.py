"""The page's controls: what is walked, how, and how far beyond the policy's training; each asks the player."""

import math
from collections.abc import Callable

from mjx_assist.eval.view import choices as limits
from mjx_assist.eval.view.choices import Choices
from mjx_assist.eval.view.player import PUSH_N, Player
from mjx_assist.eval.view.web_guard import number

_SPEED_STEP, _PUSH_STEP, _TURN_STEP = 0.05, 10.0, 1.0
_WALK = {"pause": Player.toggle_pause, "one step": Player.step_once, "reset": Player.reset}


class Controls:
    """Adds choices, sliders, switches and buttons to viser's ``gui``."""

    def __init__(self, gui, choices: Choices):
        self._choices, self._player = choices, choices.player
        self._bundle = choices.player.session.bundle
        gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")
        gui.main_panel.dock_right()
        self._add_choices(gui)
        gui.add_markdown(f"trained for {limits.trained_for(self._bundle)}")
        self._beyond = gui.add_checkbox("beyond training", False)
        self._speed = gui.add_slider("target (m/s)", 0.0, 1.0, _SPEED_STEP, 0.0)
        self._turn = gui.add_slider("turn left (°/s)", -1.0, 1.0, _TURN_STEP, 0.0)
        self._force = gui.add_slider("push (N)", -1.0, 1.0, _PUSH_STEP, 0.0)
        self._push = gui.add_button("push the pelvis")
        turning = math.degrees(self._player.session.turning(0.0))
        self._limit(round(self._player.reading.target, 2), PUSH_N, round(turning))
        device = gui.add_checkbox("device", True, disabled=not self._player.session.walker.device_joints)
        walk = gui.add_button_group("walk", tuple(_WALK))
        follow = gui.add_checkbox("camera follows", True)
        self._beyond.on_update(lambda _: self._limit(self._speed.value, self._force.value, self._turn.value))
        self._turn.on_update(
            lambda _: self._ask(lambda p, v: p.session.ask_turn(math.radians(v)), self._turn, self._turns())
        )
        self._speed.on_update(lambda _: self._ask(lambda p, v: p.session.ask_speed(v), self._speed, self._speeds()))
        self._push.on_click(lambda _: self._ask(Player.push, self._force, self._forces()))
        device.on_update(lambda _: self._player.ask(lambda p: p.switch_device(device.value is True)))
        walk.on_click(lambda _: self._player.ask(_WALK.get(walk.value, lambda p: None)))
        follow.on_update(lambda _: self._player.ask(Player.switch_follow))

    def _add_choices(self, gui) -> None:
        """Which policy walks on which ground."""
        choices = self._choices
        policy = gui.add_dropdown("policy", tuple(choices.policies), initial_value=choices.policy)
        ground = gui.add_dropdown("ground", tuple(choices.grounds), initial_value=choices.ground)
        policy.on_update(lambda _: choices.ask(policy=str(policy.value)))
        ground.on_update(lambda _: choices.ask(ground=str(ground.value)))

    def _speeds(self) -> tuple[float, float]:
        return limits.speeds(self._bundle, self._beyond.value is True)

    def _forces(self) -> tuple[float, float]:
        most = limits.most_push(self._bundle, self._beyond.value is True)
        return -most, most

    def _turns(self) -> tuple[float, float]:
        """Degrees/s: nothing to choose for a walker that cannot turn."""
        if not self._player.session.course.turns:
            return 0.0, 0.0
        return limits.turns(self._bundle, self._beyond.value is True)

    def _limit(self, speed: object, force: object, turn: object) -> None:
        """Give the sliders the limits that hold now; one that has nothing to choose is off."""
        wanted = ((self._speed, self._speeds(), speed), (self._force, self._forces(), force))
        wanted = (*wanted, (self._turn, self._turns(), turn))
        for slider, (low, high), value in wanted:
            nothing = high - low < slider.step
            slider.min, slider.max = low, low + slider.step if nothing else high
            slider.value, slider.disabled = number(value, low, high) or 0.0, nothing
        self._push.disabled = self._force.disabled

    def _ask(self, what: Callable[[Player, float], None], slider, span: tuple[float, float]) -> None:
        """What a slider says, within its limits, whatever the browser sent."""
        if (sent := number(slider.value, *span)) is not None and not slider.disabled:
            self._player.ask(lambda player: what(player, sent))
