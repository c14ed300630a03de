"""The policy bundle on disk: JSON, npz and MJCF, safe to open (no pickle), checked when opened.

Files: bundle.json (schema, keys, specs, checksums), model.xml (the reduced model), arrays.npz, train_log.jsonl.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.read import from_dict, to_dict
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.words import MATCHED
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import replacing_folder
from mjx_assist.files.logs import read_rows
from mjx_assist.files.untrusted import read_json, read_npz
from mjx_assist.model import mjcf
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.paths import TRAIN_LOG
from mjx_assist.policy.check import check
from mjx_assist.policy.policy import HeadWeights, MirrorWeights, Policy
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim.observation import CLIP, ObservationSpec

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
ARRAYS = "arrays.npz"
MODEL = "model.xml"
BESIDE = ("evaluation.json", "output.txt", "controller.json", "about.json")  # what training's evaluation puts there
LOG_KEYS = ("control_steps", "wall_s", "steps_per_s", "reward", "episode_length", "learning_rate", "kl")


@dataclass(frozen=True)
class Bundle:
    """A policy and all it needs to walk: model, couplings, reference, specs, the config it was trained with.

    ``may_import``: whether the user asked for the device controller that the config names, so that one of their own is
    imported for a walk (`eval.replay.controller.with_controller`); never so for a bundle as it is opened.
    """

    config: RunConfig
    xml: str
    coupling: Coupling
    gait: ReferenceGait
    observation: ObservationSpec
    policy: Policy
    info: dict
    learning_curve: tuple[dict, ...] = ()
    may_import: bool = False

    @property
    def human(self) -> str:
        return self.config.env_params.human

    @property
    def device(self) -> str:
        return self.config.env_params.device_key or NO_DEVICE

    @property
    def speeds(self) -> tuple[float, float]:
        """The slowest and the fastest speed that can be asked of it, m/s: the reference's, or where that is played at a
        speed of its own, those of the training."""
        env = self.config.env_params
        if env.reference_playback != MATCHED:
            return env.min_target_velocity, env.max_target_velocity
        return float(self.gait.speed[0]), float(self.gait.speed[-1])


def is_bundle(path: Path) -> bool:
    """Whether a folder looks like a bundle."""
    return (path / MANIFEST).is_file()


def _is_only_a_bundle(path: Path) -> bool:
    """Whether a folder holds a bundle and no file of the user's, which would go with it."""
    return is_bundle(path) and {part.name for part in path.iterdir()} <= {MANIFEST, MODEL, ARRAYS, TRAIN_LOG, *BESIDE}


def save(bundle: Bundle, path: Path) -> None:
    """Write a bundle folder; a bundle that was there is replaced only once the new one is complete.

    Raises:
        UserError: ``path`` exists and is not a bundle, or cannot be written.
    """

    def failure(reason: str) -> str:
        return f"bundle {str(path)!r} could not be written: {reason}."

    with replacing_folder(path, "a policy bundle with nothing else in it", _is_only_a_bundle, failure) as folder:
        (folder / MODEL).write_text(bundle.xml, encoding="utf-8")
        np.savez_compressed(folder / ARRAYS, **_arrays(bundle))
        rows = [{k: row[k] for k in LOG_KEYS if k in row} for row in bundle.learning_curve]
        (folder / TRAIN_LOG).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        (folder / MANIFEST).write_text(json.dumps(_manifest(bundle, folder), indent=1) + "\n", encoding="utf-8")


def load(path: str | Path) -> Bundle:
    """Open and check a bundle.

    Raises:
        UserError: it is missing, damaged, or of another schema version.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise UserError(f"{str(path)!r} is not a policy bundle: it has no {MANIFEST}.")
    manifest = read_json(path / MANIFEST, f"bundle {str(path)!r} is corrupt: {MANIFEST}")
    if not isinstance(manifest, dict) or "schema_version" not in manifest:
        raise UserError(f"bundle {str(path)!r} is corrupt: {MANIFEST} has no 'schema_version'.")
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise UserError(
            f"bundle {str(path)!r} has schema version {manifest['schema_version']!r}; this mjx-assist reads "
            f"version {SCHEMA_VERSION}. Export it again with the mjx-assist that trained it, or train again."
        )
    for name in (MODEL, ARRAYS):
        if not (path / name).is_file():
            raise UserError(f"bundle {str(path)!r} is corrupt: {name} is missing.")
        if not isinstance(manifest.get("sha256"), dict) or _sha256(path / name) != manifest["sha256"].get(name):
            raise UserError(f"bundle {str(path)!r} is corrupt: {name} is not the file that was exported (checksum).")
    arrays = read_npz(path / ARRAYS, f"bundle {str(path)!r} is corrupt: {ARRAYS}")
    try:
        bundle = _build(
            manifest, arrays, (path / MODEL).read_text(encoding="utf-8"), tuple(read_rows(path / TRAIN_LOG))
        )
        check(bundle, reduced_model(bundle))
        return bundle
    except (LookupError, ValueError, TypeError, AttributeError, OSError) as error:
        raise UserError(f"bundle {str(path)!r} is corrupt: {type(error).__name__} {error}.") from None


def reduced_model(bundle: Bundle) -> mujoco.MjModel:
    """The reduced model that the policy was trained on, at its physics rate."""
    return mjcf.load(bundle.xml)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _arrays(bundle: Bundle) -> dict[str, Any]:
    """All arrays of a bundle by flat names."""
    policy, gait = bundle.policy, bundle.gait
    arrays = {
        "normaliser/mean": policy.mean,
        "normaliser/std": policy.std,
        "neutral": policy.neutral,
        "coupling/source": bundle.coupling.source,
        "coupling/polycoef": bundle.coupling.polycoef,
    }
    for name in ("speed", "stride_frequency", "qpos", "dqpos", "foot_position"):
        arrays[f"reference/{name}"] = np.asarray(getattr(gait, name), np.float32)
    if policy.mirror is not None:
        for field in dataclasses.fields(MirrorWeights):
            arrays[f"mirror/{field.name}"] = getattr(policy.mirror, field.name)
    for head in (*policy.heads, *([policy.critic] if policy.critic else [])):
        arrays[f"head/{head.name}/observation"] = head.observation
        arrays[f"head/{head.name}/action"] = head.action
        if head.log_std is not None:
            arrays[f"head/{head.name}/log_std"] = head.log_std
        for i, (kernel, bias) in enumerate(head.layers):
            arrays[f"head/{head.name}/kernel_{i}"] = kernel
            arrays[f"head/{head.name}/bias_{i}"] = bias
    return arrays


def _manifest(bundle: Bundle, folder: Path) -> dict:
    return {
        "schema_version": SCHEMA_VERSION,
        **bundle.info,
        "heads": [_described(head) for head in bundle.policy.heads],
        "critic": _described(bundle.policy.critic) if bundle.policy.critic else None,
        "observation": dataclasses.asdict(bundle.observation),
        "reference_joints": list(bundle.gait.joint_names),
        "full_joints": list(bundle.coupling.full_joint_names),
        "config": to_dict(bundle.config),
        "sha256": {name: _sha256(folder / name) for name in (MODEL, ARRAYS)},
    }


def _described(head: HeadWeights) -> dict:
    return {"name": head.name, "enabled": head.enabled, "mirrored": head.mirrored, "layers": len(head.layers)}


def _head(stored: dict, arrays: dict[str, np.ndarray]) -> HeadWeights:
    stem = f"head/{stored['name']}"
    return HeadWeights(
        name=stored["name"],
        observation=arrays[f"{stem}/observation"],
        action=arrays[f"{stem}/action"],
        enabled=stored["enabled"],
        layers=tuple((arrays[f"{stem}/kernel_{i}"], arrays[f"{stem}/bias_{i}"]) for i in range(stored["layers"])),
        log_std=arrays.get(f"{stem}/log_std"),
        mirrored=stored.get("mirrored", True),
    )


def _build(manifest: dict, arrays: dict[str, np.ndarray], xml: str, curve: tuple[dict, ...]) -> Bundle:
    mirror = None
    if "mirror/index" in arrays:
        mirror = MirrorWeights(arrays["mirror/index"], arrays["mirror/sign"], arrays["mirror/action"])
    observation: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in manifest["observation"].items()
    }
    reference = {
        name: arrays[f"reference/{name}"] for name in ("speed", "stride_frequency", "qpos", "dqpos", "foot_position")
    }
    known = ("schema_version", "heads", "critic", "observation", "reference_joints", "full_joints", "config", "sha256")
    run_config = from_dict(manifest["config"])
    return Bundle(
        config=run_config,
        xml=xml,
        coupling=Coupling(tuple(manifest["full_joints"]), arrays["coupling/source"], arrays["coupling/polycoef"]),
        gait=ReferenceGait(tuple(manifest["reference_joints"]), **reference),
        observation=ObservationSpec(**observation),
        policy=Policy(
            tuple(_head(head, arrays) for head in manifest["heads"]),
            arrays["normaliser/mean"],
            arrays["normaliser/std"],
            arrays["neutral"],
            mirror,
            run_config.policy_params.activation,
            _head(manifest["critic"], arrays) if manifest.get("critic") else None,
            run_config.policy_params.output_activation,
            CLIP if run_config.policy_params.normalize_observations else np.inf,
        ),
        info={k: v for k, v in manifest.items() if k not in known},
        learning_curve=curve,
    )
