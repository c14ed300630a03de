"""A word is told once, and tables know the same words as the config."""

import ast
from pathlib import Path

import pytest

import mjx_assist
from mjx_assist import paths
from mjx_assist.config import device, words
from mjx_assist.hardware import graph
from mjx_assist.model import names
from mjx_assist.policy import bundle, policy
from mjx_assist.ppo import networks
from mjx_assist.sim import command
from mjx_assist.sim.physics import make

PACKAGE = Path(mjx_assist.__file__).parent
# "policy", "best", "mujoco", "mjx", "warp", "auto", "load" and "reset" are also the words of other things.
TOLD_ONCE = (
    *words.ACTIVATIONS,
    *words.MODEL_KINDS,
    *words.VELOCITY_MODES,
    *(words.CRITIC, words.LEARNED, words.ZERO_TORQUE, words.FREEZE),
    *(paths.SESSION_CONFIG, paths.TRAIN_LOG, paths.EVALUATION_LOG, paths.CHECKPOINTS, bundle.MANIFEST),
    names.GRAVITY,
)
# The key of a built model must not depend on config/: model/ has two of the words as its own.
EXCEPTIONS = {("model/assembly.py", "composed"), ("model/mjcf.py", "reduced")}


def test_a_word_stands_in_one_file_only():
    files = {word: set() for word in TOLD_ONCE}
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and node.value in TOLD_ONCE and (name, node.value) not in EXCEPTIONS:
                files[node.value].add(name)
    assert {word: found for word, found in files.items() if len(found) != 1} == {}


@pytest.mark.parametrize("table", [policy.ACTIVATIONS, networks.ACTIVATIONS, graph._ACTIVATION])
def test_every_activation_is_known_to_training_replay_and_export(table):
    assert set(table) == set(words.ACTIVATIONS)


@pytest.mark.parametrize("table", [policy.OUTPUT_ACTIVATIONS, networks.OUTPUT_ACTIVATIONS])
def test_every_output_activation_is_known_to_training_and_replay(table):
    assert set(table) == set(words.OUTPUT_ACTIVATIONS)


def test_every_backend_is_made_and_auto_chooses_one():
    assert set(make.MAKERS) == set(words.BACKENDS) - {words.AUTO}
    assert make.resolve_backend(words.AUTO) in make.MAKERS


def test_every_velocity_mode_is_commanded_and_mixed_and_random_draw_among_the_rest():
    assert {*command.MODES, words.MIXED, words.RANDOM} == set(words.VELOCITY_MODES)


def test_zero_torque_is_a_controller_by_its_name():
    (controller,) = device.PUBLISHED[words.ZERO_TORQUE]
    assert controller == device.ZeroTorque() and controller.type == words.ZERO_TORQUE
