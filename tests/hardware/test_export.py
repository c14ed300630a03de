"""The device head on its own: what it may see, and that its ONNX graph gives the torques of the simulation."""

import csv
import dataclasses
import itertools
import json
import sys

import mujoco
import numpy as np
import pytest
from synthetic_gait import PULSE, synthetic_gait

from mjx_assist import config
from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.hardware import export, graph
from mjx_assist.model.names import mirrored_name
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.policy import HeadWeights
from mjx_assist.sim import action

ON_BOARD = ("qpos.ankle_angle_", "qvel.ankle_angle_", "load.", "target_velocity")
SIZES = (16, 16)


def with_head(bundle, observation, **changes):
    """The bundle with a device head of lively random weights that sees these entries."""
    rng = np.random.default_rng(7)
    policy = bundle.policy
    heads = []
    for head in policy.heads:
        if head.name == "exo_actor":
            sizes = (len(observation), *SIZES, len(head.action))
            layers = [
                (rng.normal(0, 1.5 / np.sqrt(a), (a, b)).astype(np.float32), rng.normal(0, 0.3, b).astype(np.float32))
                for a, b in itertools.pairwise(sizes)
            ]
            layers[-1] = (layers[-1][0], np.full(len(head.action), 0.4, np.float32))
            enabled = changes.pop("enabled", True)
            head = HeadWeights(head.name, np.array(observation), head.action, enabled, tuple(layers))
        heads.append(head)
    mean = rng.normal(0, 0.1, policy.mean.size).astype(np.float32)
    std = rng.uniform(0.2, 0.9, policy.std.size).astype(np.float32)
    mean[bundle.observation.names.index("target_velocity")] = 1.25
    partner, sign = policy.mirror.index, policy.mirror.sign  # a normaliser that is its own mirror image
    mean, std = 0.5 * (mean + sign * mean[partner]), 0.5 * (std + std[partner])
    new = dataclasses.replace(policy, heads=tuple(heads), mean=mean, std=std, **changes)
    return dataclasses.replace(bundle, policy=new)


def entries(bundle, *stems):
    return [i for i, name in enumerate(bundle.observation.names) if name.startswith(stems)]


@pytest.fixture(scope="module")
def on_board(untrained_bundle):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return with_head(untrained_bundle, entries(untrained_bundle, *ON_BOARD))


@pytest.fixture(scope="module")
def exported(on_board, tmp_path_factory):
    folder = tmp_path_factory.mktemp("controller")
    return folder, export.export(on_board, folder, "test", steps=30)


def answer(folder, signals):
    session = graph.session((folder / export.CONTROLLER).read_bytes())
    return session.run(["torque"], {"signals": np.asarray(signals, np.float32)})[0]


def test_a_head_that_sees_the_simulation_is_refused_by_name(untrained_bundle, tmp_path):
    with pytest.raises(UserError) as refused:
        export.export(untrained_bundle, tmp_path / "out", "test")
    listed = str(refused.value)
    for name in ("qpos.hip_flexion_r", "qvel.pelvis_tx", "qpos.pelvis_ty", "act.soleus_l", "phase.sin"):
        assert name in listed
    for name in ("qpos.ankle_angle_r", "load.r_foot", "target_velocity,", "qpos.pelvis_tilt"):
        assert name not in listed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["phase.sin", "qpos.knee_angle_r", "qvel.pelvis_ty"])
def test_one_entry_too_many_is_refused(untrained_bundle, tmp_path, name):
    spoiled = with_head(untrained_bundle, entries(untrained_bundle, *ON_BOARD, name))
    with pytest.raises(UserError, match=name):
        export.export(spoiled, tmp_path, "test")


def test_a_mirrored_head_is_judged_by_what_both_sides_see(untrained_bundle, tmp_path):
    """A right knee that the network reads is the left knee for the other side."""
    spoiled = with_head(untrained_bundle, entries(untrained_bundle, "qpos.knee_angle_r"))
    with pytest.raises(UserError, match=r"qpos.knee_angle_l, qpos.knee_angle_r"):
        export.export(spoiled, tmp_path, "test")


def test_graph_is_the_policy_from_raw_signals_to_torque(on_board, exported):
    """Whole observations through the NumPy policy, their on-board part in SI units through ONNX."""
    folder, told = exported
    rng = np.random.default_rng(3)
    seen = rng.normal(0, 0.5, (200, on_board.observation.size))
    names = list(on_board.observation.names)
    signals = np.stack([seen[:, names.index(given["name"])] for given in told["inputs"]], axis=1)
    newtons = [given["unit"] == "N" for given in told["inputs"]]
    assert sum(newtons) == 4
    signals[:, newtons] *= on_board.observation.body_weight
    actuators = [output["name"] for output in told["outputs"]]
    assert actuators == ["Exo_R", "Exo_L"]
    model = bundles.reduced_model(on_board)
    columns = [model.actuator(name).id for name in actuators]
    wanted = -100.0 * np.maximum(on_board.policy.act(seen)[:, columns], 0.0)  # Tutorial_L1 pushes down only
    assert np.ptp(wanted, axis=0).min() > 50
    np.testing.assert_allclose(answer(folder, signals), wanted, atol=2e-3)


def test_left_answers_as_right_does_on_the_mirrored_walker(exported):
    folder, told = exported
    names = [given["name"] for given in told["inputs"]]
    swapped = [names.index(mirrored_name(name)) for name in names]
    signals = np.random.default_rng(4).normal(0, 1, (50, len(names)))
    np.testing.assert_allclose(answer(folder, signals[:, swapped])[:, ::-1], answer(folder, signals), atol=1e-3)


def test_graph_gives_the_torque_that_the_simulation_felt(on_board, exported):
    """Replayed: the ONNX answer at each control step is what the actuators put on the ankles until the next."""
    folder, _ = exported
    model = bundles.reduced_model(on_board)
    actions = action.make_action_spec(model)
    signals = graph.seen(on_board.policy, ~actions.muscle)
    names = on_board.observation.names
    scale = np.array([1 / on_board.observation.body_weight if names[i].startswith("load") else 1.0 for i in signals])
    wiring = graph.Wiring(
        signals, scale, np.flatnonzero(~actions.muscle), np.full(2, 100.0), np.array([[-100.0, 0.0]] * 2)
    )
    walked = export._walk(on_board, wiring, actions, 20)
    felt = walked.record.device_torque[:: round(walked.record.control_dt / walked.record.sample_dt)]
    assert np.abs(felt).max() > 5
    np.testing.assert_allclose(answer(folder, walked.signals)[: len(felt)], felt, atol=2e-3)


def test_description_says_what_goes_in_and_out(exported):
    folder, told = exported
    assert json.loads((folder / export.DESCRIPTION).read_text()) == told
    ankle = next(given for given in told["inputs"] if given["name"] == "qpos.ankle_angle_r")
    assert (ankle["unit"], ankle["positive"], ankle["sensor"]) == ("rad", "dorsiflexion", "joint encoder")
    output = told["outputs"][0]
    assert (output["joint"], output["unit"], output["range"]) == ("ankle_angle_r", "N*m", [-100.0, 0.0])
    assert told["control_rate_hz"] == 30 and told["agreement"]["largest_difference"] < 1e-2
    times = told["inference"]
    assert 0 < times["median_ms"] <= times["p99_ms"] <= times["worst_ms"]
    assert {"mjx_assist", "mujoco", "onnx", "onnxruntime"} == set(told["versions"])


def test_graph_carries_its_own_description(exported):
    folder, told = exported
    found = graph.session((folder / export.CONTROLLER).read_bytes())
    kept = found.get_modelmeta().custom_metadata_map
    assert [given["name"] for given in json.loads(kept["inputs"])] == [given["name"] for given in told["inputs"]]
    assert json.loads(kept["control_rate_hz"]) == 30 and kept["device"] == "Tutorial_L1"
    assert found.get_inputs()[0].shape == ["batch", len(told["inputs"])]


@pytest.mark.parametrize("activation", ["elu", "relu", "tanh"])
def test_every_activation_and_no_mirror(untrained_bundle, activation, tmp_path):
    pytest.importorskip("onnxruntime")
    alone = with_head(untrained_bundle, entries(untrained_bundle, *ON_BOARD), activation=activation, mirror=None)
    told = export.export(alone, tmp_path, "test", steps=10)
    assert told["agreement"]["largest_difference"] < 1e-2
    assert [output["name"] for output in told["outputs"]] == ["Exo_R"]  # the left side has no head


def test_profile_is_the_mean_over_strides(tmp_path):
    """The synthetic device pushes one half sine of 30 N*m in each leg's cycle."""
    assert export._write_profile(synthetic_gait(), tmp_path / "p.csv") == "p.csv"
    with (tmp_path / "p.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    percent = np.array([row["gait_cycle_percent"] for row in rows])
    through = (percent / 100 - PULSE[0]) / (PULSE[1] - PULSE[0])
    wanted = np.where((through > 0) & (through < 1), -30 * np.sin(np.pi * through), 0)
    for name in ("Exo_R_about_ankle_angle_r", "Exo_L_about_ankle_angle_l"):
        # Contact is seen 0.6 % late.
        np.testing.assert_allclose([row[f"{name}_mean_N_m"] for row in rows], wanted, atol=3.0)
    assert export._write_profile(synthetic_gait(duration=1.0), tmp_path / "short.csv") is None


CABLES = """<mujoco><worldbody><body><joint name='ankle_angle_r' axis='0 1 0'/><geom size='.1'/><site name='a'/>
<body pos='0 0 1'><joint name='other' axis='0 1 0'/><geom size='.1'/><site name='b' pos='.1 0 0'/></body></body>
</worldbody><tendon><spatial name='cable'><site site='a'/><site site='b'/></spatial>
<fixed name='gear'><joint joint='ankle_angle_r' coef='2'/></fixed></tendon>
<actuator><general name='pull' tendon='cable' gainprm='3' gear='-2'/>
<general name='geared' tendon='gear' gainprm='3' gear='-2' forcelimited='true' forcerange='-1 5'/>
<general name='direct' joint='ankle_angle_r' gainprm='3' dyntype='filter' dynprm='.05'/>
<position name='servo' joint='ankle_angle_r' kp='3'/></actuator></mujoco>"""


def test_actuators_gain_and_unit():
    """Against the generalised force that MuJoCo computes for a control of 1."""
    model = mujoco.MjModel.from_xml_string(CABLES)
    pull, geared, direct = (export._output(model, i) for i in range(3))
    assert (pull.joint, pull.unit, pull.gain) == (None, "N", 6.0)
    assert (geared.joint, geared.unit) == ("ankle_angle_r", "N*m") and geared.limits == (-20.0, 4.0)
    assert direct.lag == 0.05
    for output, actuator in ((geared, 1), (direct, 2)):
        data = mujoco.MjData(model)
        data.ctrl[actuator], data.act[:] = 0.2, 0.2 * (actuator == 2)
        mujoco.mj_forward(model, data)
        assert data.qfrc_actuator[0] == pytest.approx(0.2 * output.gain)
    with pytest.raises(UserError, match="'servo' has no fixed gain"):
        export._output(model, 3)


def test_a_device_that_is_off_or_absent_is_told(untrained_bundle, tmp_path):
    off = with_head(untrained_bundle, entries(untrained_bundle, *ON_BOARD), enabled=False)
    with pytest.raises(UserError, match="switched off"):
        export.export(off, tmp_path, "test")


def test_missing_package_says_what_to_install(on_board, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[hardware\]'"):
        export.export(on_board, tmp_path / "out", "test", steps=5)
    assert not (tmp_path / "out").exists()


def test_the_shipped_config_sees_on_board_signals_only(untrained_bundle, reduced):
    from mjx_assist.ppo.wiring import _observations

    run = config.load(data_path("configs", "walk22_exo_onboard.json"))
    patterns = run.policy_params.net_indexing_info["exo_actor"].observation
    names = untrained_bundle.observation.names
    outputs = [export._output(reduced.model, reduced.model.actuator(name).id) for name in ("Exo_R", "Exo_L")]
    chosen = [names[i] for i in _observations(patterns, names, "test")]
    assert len(chosen) == 9 and all(export._sensor(name, outputs, reduced.model) for name in chosen)


def test_command_line(on_board, bundle_path, tmp_path, capsys):
    bundles.save(on_board, tmp_path / "bundle")
    assert main(["export", str(tmp_path / "bundle"), "-o", str(tmp_path / "out"), "--device-controller"]) == 0
    printed = capsys.readouterr().out
    assert "in  load.r_foot" in printed and "out Exo_L: -100 to 0 N*m, about ankle_angle_l" in printed
    assert (tmp_path / "out" / export.CONTROLLER).is_file()
    assert main(["export", str(bundle_path), "-o", str(tmp_path / "no"), "--device-controller"]) == 2
    assert "phase.sin" in capsys.readouterr().err
