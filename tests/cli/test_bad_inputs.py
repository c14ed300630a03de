"""What people and damaged disks hand to commands: each row an input and the sentence that it must be answered with.

`refused` asks for exit code 2 and no traceback.
"""

import json
import os
import shutil

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.eval.replay.record import SERIES
from mjx_assist.policy import bundle as bundles

LONG, FAR = "n" * 5000, "9" * 400
DEEP = "[" * 5000 + "]" * 5000
CONFIG = ["train", "walk22_exo"]
# Command -> sentence. `record.npz`, `bundle` and others of `files` lie in the current folder.
COMMANDS = {
    # names
    "a long config": (["train", LONG], "name is too long"),
    "a long policy": (["evaluate", LONG], "name is too long"),
    "a long run": (["train", "--resume", LONG], "name is too long"),
    "a long record": (["report", LONG + ".npz", "-o", "out"], "name"),
    "a long model": (["models", "report", LONG + ".xml"], "name is too long"),
    "a long controller": (["evaluate", "bundle", "--controller", LONG], "name is too long"),
    "a long output": (["record", "bundle", "-o", LONG + ".npz", "--steps", "1"], "name is too long"),
    "no policy": (["evaluate", ""], "is empty; give a value"),
    "no init-from": ([*CONFIG, "--init-from", ""], "argument --init-from: is empty"),
    "no json": (["evaluate", "bundle", "--json", ""], "argument --json: is empty"),
    "no out": (["report", "bundle", "-o", " "], "is empty; give a value"),
    "no device": ([*CONFIG, "--env_params.device_key", ""], "device_key': '' is no name; give one, or null"),
    "no reference": ([*CONFIG, "--env_params.reference_data_path", ""], "is no name; give one, or null"),
    "a null byte": ([*CONFIG, "--env_params.model_path", '"a\\u0000b"'], "is no name"),
    "no group": (["challenge", "bundle", "-o", "out", "--only", ","], "--only: must be names with commas between"),
    "no condition": (["compare", "bundle", "-o", "out", "--conditions", ","], "--conditions: must be names"),
    "a misspelt condition": (["compare", "bundle", "-o", "out", "--conditions", "traned"], "Did you mean 'trained'?"),
    "not of the locale": (["evaluate", "\udcff"], r"argument '\udcff' is not text in this locale"),
    # numbers
    "steps of many digits": (["evaluate", "bundle", "--steps", "9" * 5000], "--steps: must be a whole number of at"),
    "steps beyond 32 bits": (["evaluate", "bundle", "--steps", FAR], "--steps: must be at most 4,294,967,295"),
    "a far seed": (["evaluate", "bundle", "--seed", FAR], "--seed: must be at most 4,294,967,295"),
    "many episodes": (["evaluate", "bundle", "--episodes", "1" + "0" * 9], "--episodes: must be at most 10,000"),
    "a port": (["replay", "bundle", "--web", "--port", "99999"], "--port: must be at most 65,535"),
    "a speed that is none": (["compare", "bundle", "-o", "out", "--speeds", "nan"], "the reference gait knows 0.5 to"),
    "90 m/s": (["compare", "bundle", "-o", "out", "--speeds", "90"], "--speeds 90: the reference gait knows 0.5 to"),
    "at no speed": (["compare", "bundle", "--against", "bundle", "-o", "o", "--at", "nan"], "--at: must be a number"),
    "a host's port": ([*CONFIG, "--hosts", "here:99999", "--host-count", "1", "--host-index", "0"], "HOST:PORT with a"),
    "no host": ([*CONFIG, "--hosts", ":1234", "--host-count", "1", "--host-index", "0"], "HOST:PORT with a port"),
    "the largest seed": (
        [*CONFIG, "--seeds", "2", "--env_params.seed", "4294967295"],
        "the last, 4294967296, must lie",
    ),
    "too many walkers": ([*CONFIG, "--env_params.num_envs", "1e300"], "num_envs': must lie in 1..2147483647"),
    "too many samples": (
        [*CONFIG, "--env_params.num_envs", "2000000000", "--ppo_params.batch_size", "64"],
        "the samples of an update, must lie in 1..2147483647; it is 16,000,000,000",
    ),
    "a wide layer": (
        [*CONFIG, "--policy_params.net_arch", '{"human_actor": [1000000000000], "common_critic": [4]}'],
        "net_arch.human_actor[0]': must lie in 1..65536",
    ),
    "beyond a float": ([*CONFIG, "--ppo_params.learning_rate", "1e999"], "expected float, got '1e999'"),
    "many digits": ([*CONFIG, "--env_params.num_envs", "9" * 5000], "expected int, got"),
    "a deep value": ([*CONFIG, "--env_params.terrain", DEEP], "is not JSON: it is nested more than 100 deep"),
    "1 Hz": (
        [*CONFIG, "--env_params.physics_sim_framerate", "1", "--env_params.control_framerate", "1"],
        "physics_sim_framerate': at 1 Hz a step takes 1000.0 ms",
    ),
    "a time step of 1e-9": ([*CONFIG, "--env_params.physics_sim_framerate", "1000000020"], "must lie in 1..20000 Hz"),
    "a model's time step of 1e-9": (["models", "report", "instant.xml"], 'timestep="1e-09"; it must be from 1e-05'),
    # files
    "a key twice": (["train", "twice.json"], "key 'num_envs' is given twice"),
    "deep JSON": (["train", "deep.json"], "nested more than 100 deep"),
    "a motion that is deep": ([*CONFIG, "--env_params.reference_data_path", "deep.json"], "nested more than 100 deep"),
    "a motion of zeros": ([*CONFIG, "--env_params.reference_data_path", "zeros.csv"], "moves by 0 deg in all; nobody"),
    "a walk that is deep": (["convert", "deep.json", "-o", "out.npz"], "nested more than 100 deep"),
    "metadata that is none": (["convert", "myoassist.json", "-o", "out.npz"], "is not MyoAssist's gait data"),
    "a folder as config": (["train", "bundle"], "there is no file 'bundle'"),
    "a folder as record": (["report", "folder.npz", "-o", "out"], "is not a plain file"),
    "an output that is the folder": (["export", "bundle", "-o", "."], "is not a training run"),
}
NO_JOINTS = {name: np.zeros((480, 0)) for name, series in SERIES.items() if series.axes == "TJ"}
# Entry of a gait record -> what it says -> the sentence.
RECORDS = {
    "no time between control steps": ({"control_dt": 0.0}, "control_dt must be positive, not 0.0"),
    "no leg": ({"leg_length": 0.0}, "leg_length must be positive, not 0.0"),
    "a leg that is not known": ({"leg_length": np.nan}, "leg_length must be positive, not nan"),
    "no mass": ({"body_mass": 0.0}, "body_mass must be positive"),
    "an endless leg": ({"leg_length": np.inf}, "leg_length must be positive, not inf"),
    "text for a number": ({"control_dt": "fast"}, "could not convert"),
    "no joints": ({"joint_names": np.zeros(0, "U1"), **NO_JOINTS}, "it has no joints"),
    "time that ends": ({"time": np.full(480, np.nan)}, "time must"),
}
# What a bundle says of itself -> the sentence.
BUNDLES = {
    "no heads": (lambda told: told.update(heads=[]), "it has no heads"),
    "a head twice": (lambda told: told["heads"].append(told["heads"][0]), "it has a head twice"),
    "another physics rate": (
        lambda told: told["config"]["env_params"].update(physics_sim_framerate=480),
        "its model steps by 0.00416667 s, its config asks 480 Hz",
    ),
    "text for layers": (lambda told: told["heads"][0].update(layers="two"), "is corrupt"),
    "a key that is no name": (lambda told: told["config"]["env_params"].update(device_key=""), "is no name"),
    "90 m/s": (
        lambda told: told["config"]["env_params"].update(min_target_velocity=90.0, max_target_velocity=90.0),
        "90 m/s is beyond the reference gait",
    ),
}


@pytest.fixture
def files(tmp_path, monkeypatch, bundle_path):
    """The current folder, with what the rows name."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bundle_path, "bundle")
    os.mkdir("folder.npz")
    tmp_path.joinpath("twice.json").write_text('{"env_params": {"num_envs": 8, "num_envs": 16}}')
    tmp_path.joinpath("deep.json").write_text('{"q_knee_angle_r": ' + DEEP + "}")
    told = {"series_data": {"joint_data": {"knee": {"qpos": [[0.0]]}}}, "metadata": ["none"]}
    tmp_path.joinpath("myoassist.json").write_text(json.dumps(told))
    names = ["pelvis_tilt", *(f"{j}_{s}" for j in ("hip_flexion", "knee_angle", "ankle_angle") for s in "rl")]
    rows = [",".join(f"q_{name}" for name in names), *[",".join("0" for _ in names)] * 100]
    tmp_path.joinpath("zeros.csv").write_text("# sample_rate: 100\n# speed: 1.2\n" + "\n".join(rows) + "\n")
    tmp_path.joinpath("instant.xml").write_text(
        '<mujoco><option timestep="1e-9"/><worldbody><body><joint/><geom size="0.1"/></body></worldbody></mujoco>'
    )
    return tmp_path


@pytest.mark.parametrize(("arguments", "told"), COMMANDS.values(), ids=COMMANDS)
def test_it_is_answered_with_its_sentence(files, refused, arguments, told):
    assert told in refused(*arguments)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return synthetic_gait(duration=2.0, seed=7).save(tmp_path_factory.mktemp("record") / "record.npz")


@pytest.mark.parametrize(("change", "told"), RECORDS.values(), ids=RECORDS)
def test_a_record_that_lies_is_not_reported_on(tmp_path, refused, record, change, told):
    with np.load(record) as archive:
        np.savez(tmp_path / "walk.npz", **{**archive, **change})
    assert told in refused("report", tmp_path / "walk.npz", "-o", tmp_path / "out")


@pytest.mark.parametrize(("change", "told"), BUNDLES.values(), ids=BUNDLES)
def test_a_bundle_that_lies_does_not_walk(bundle_path, refused, change, told):
    manifest = bundle_path / bundles.MANIFEST
    content = json.loads(manifest.read_text())
    change(content)
    manifest.write_text(json.dumps(content))
    assert told in refused("evaluate", bundle_path, "--episodes", 1, "--steps", 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize(
    ("name", "arguments"),
    {
        "walk.npz": ["report", "walk.npz", "-o", "out"],
        "walk.csv": ["convert", "walk.csv", "-o", "out.npz"],
        "walk.mot": ["convert", "walk.mot", "-o", "out.npz"],
        "walk.json": ["convert", "walk.json", "-o", "out.npz"],
        "config.json": ["train", "config.json"],
        "model.xml": ["models", "report", "model.xml"],
        "controller.json": ["evaluate", "bundle", "--controller", "controller.json"],
        "bundle/model.xml": ["evaluate", "bundle"],
        "bundle/arrays.npz": ["evaluate", "bundle"],
        "bundle/train_log.jsonl": ["evaluate", "bundle"],
    }.items(),
)
def test_nothing_waits_for_a_pipe_that_nobody_writes(files, refused, name, arguments):
    (files / name).unlink(missing_ok=True)
    os.mkfifo(files / name)
    assert refused(*arguments)
