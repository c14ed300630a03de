"""A session of MyoAssist's in small, built here: its config, and its policy as Stable-Baselines3 writes it."""

import copy
import io
import json
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

LEG = ("ankle_angle", "hip_flexion", "knee_angle")
JOINTS = [f"{joint}_{side}" for joint in LEG for side in "lr"]
SENSORS = ["r_foot", "l_foot", "r_toes", "l_toes"]


def config(**env: Any) -> dict[str, Any]:
    """Of 1.0, for myolegs22 with Tutorial_L1: 44 observations, 22 muscles, two motors; ``env`` changes env_params."""
    sees = [{"type": "range", "range": [0, 44], "comment": "all"}]
    ankles = [{"type": "index", "index": [1, 0, 9, 8]}]
    return {
        "total_timesteps": 1e6,
        "evaluate_param_list": [
            {"num_timesteps": 20, "min_target_velocity": 1.0, "max_target_velocity": 1.5, "velocity_mode": "UNIFORM"}
        ],
        "logger_params": {"logging_frequency": 8},
        "env_params": {
            "env_id": "myoAssistLegImitationExo-v0",
            "num_envs": 8,
            "safe_height": 0.7,
            "min_target_velocity": 1.25,
            "max_target_velocity": 1.25,
            "enable_lumbar_joint": False,
            "lumbar_joint_fixed_angle": -0.13,
            "observation_joint_pos_keys": [*JOINTS, "pelvis_tilt", "pelvis_ty"],
            "observation_joint_vel_keys": [*JOINTS, "pelvis_tilt", "pelvis_tx", "pelvis_ty"],
            "observation_joint_sensor_keys": list(SENSORS),
            "msk_key": "myolegs22",
            "device_key": "Tutorial_L1",
            "terrain": None,
            "reward_keys_and_weights": {
                "qpos_imitation_rewards": {"knee_angle_l": 1.0, "knee_angle_r": 1.0, "pelvis_tilt": 0.0},
                "forward_reward": 1.0,
                "muscle_activation_penalty": 10.0,
                "end_effector_imitation_reward": 0.0,
            },
            "reference_data_path": "rl_train/reference_data/short_reference_gait.npz",
            "prev_trained_policy_path": None,
            **env,
        },
        "ppo_params": {
            "n_steps": 8,
            "batch_size": 64,
            "n_epochs": 2,
            "target_kl": 0.01,
            "use_sde": False,
            "device": "cpu",
        },
        "policy_params": {
            "custom_policy_params": {
                "net_arch": {"human_actor": [16, 16], "exo_actor": [8], "common_critic": [16]},
                "net_indexing_info": {
                    "human_actor": {"observation": sees, "action": [mapping(0, 22)]},
                    "exo_actor": {"observation": ankles, "action": [mapping(22, 24)]},
                    "common_critic": {"observation": sees},
                },
                "log_std_init": 0.0,
            }
        },
        "auto_reward_adjust_params": {"learning_rate": 0.0},
    }


def mapping(first: int, end: int) -> dict[str, Any]:
    return {"type": "range_mapping", "range_net": [0, end - first], "range_action": [first, end]}


def changed(**groups: dict[str, Any]) -> dict[str, Any]:
    """The config with keys of its groups changed."""
    tree = copy.deepcopy(config())
    for name, group in groups.items():
        tree[name] |= group
    return tree


def tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What the policy of that config has, by PyTorch's names: weights [out, in]."""
    sizes = {"human_policy_net": [44, 16, 16, 22], "exo_policy_net": [4, 8, 2], "value_net": [44, 16, 1]}
    made = {"log_std": rng.normal(size=24)}
    for net, (*widths, last) in sizes.items():
        for number, (before, after) in enumerate(zip(widths, [*widths[1:], last], strict=True)):
            made[f"policy_network.{net}.{2 * number}.weight"] = 0.3 * rng.normal(size=(after, before))
            made[f"policy_network.{net}.{2 * number}.bias"] = 0.3 * rng.normal(size=after)
    return {name: x.astype(np.float32) for name, x in made.items()}


def write_session(folder: Path, named: dict[str, Any], tree: dict[str, Any], steps: int = 5000) -> Path:
    """A session's folder with one zip; returns the zip."""
    (folder / "trained_models").mkdir(parents=True)
    (folder / "session_config.json").write_text(json.dumps(tree))
    path = folder / "trained_models" / f"model_{steps}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"num_timesteps": steps, "policy_class": {":serialized:": "gASV"}}))
        archive.writestr("policy.pth", saved(named))
    return path


def saved(named: dict[str, Any]) -> bytes:
    """The bytes of ``torch.save`` of tensors by name: a zip of a pickle and its storages. Other values as they are."""
    storages: list[bytes] = []
    names = {"torch": ["FloatStorage"], "torch._utils": ["_rebuild_tensor_v2"]}
    modules = {name: types.ModuleType(name) for name in names}
    made = {}
    for module, globals_ in names.items():
        for name in globals_:
            made[name] = type(name, (), {"__module__": module})
            setattr(modules[module], name, made[name])

    class Storage:
        def __init__(self, key: str, count: int):
            self.key, self.count = key, count

    class Tensor:
        def __init__(self, x: np.ndarray):
            storages.append(np.ascontiguousarray(x, "<f4").tobytes())
            strides = tuple(int(s // 4) for s in np.ascontiguousarray(x, "<f4").strides)
            self.parts = Storage(str(len(storages) - 1), x.size), 0, x.shape, strides, False, {}

        def __reduce__(self):
            return made["_rebuild_tensor_v2"], self.parts

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any):
            if isinstance(obj, Storage):
                return "storage", made["FloatStorage"], obj.key, "cpu", obj.count
            return None

    content, before = io.BytesIO(), {name: sys.modules.get(name) for name in modules}
    sys.modules |= modules
    try:
        state = {name: Tensor(x) if isinstance(x, np.ndarray) else x for name, x in named.items()}
        Pickler(content, protocol=2).dump(state)
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", content.getvalue())
        archive.writestr("archive/byteorder", "little")
        for number, storage in enumerate(storages):
            archive.writestr(f"archive/data/{number}", storage)
    return out.getvalue()
