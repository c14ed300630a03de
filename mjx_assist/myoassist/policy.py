"""A policy that MyoAssist trained, as a bundle: read from its zip, wired by its session's config."""

import dataclasses
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

import mjx_assist
from mjx_assist.config.comments import read_json
from mjx_assist.config.schema import RunConfig
from mjx_assist.config.words import COMPOSED, CRITIC, TANH
from mjx_assist.errors import UserError
from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, full_model
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.model.names import activation_names, actuator_names, joint_mirror_signs, mirror
from mjx_assist.model.reduction import reduce_model
from mjx_assist.myoassist import heads, torch_zip
from mjx_assist.myoassist.read import recognised
from mjx_assist.myoassist.translation import translate
from mjx_assist.myoassist.vocabulary import EXO, EXO_ACTOR, HUMAN, SIDES
from mjx_assist.paths import SESSION_CONFIG
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.policy import HeadWeights, MirrorWeights, Policy
from mjx_assist.reference.chosen import chosen_gait
from mjx_assist.sim.action import make_action_spec
from mjx_assist.sim.observation import ObservationSpec, spec_of

TRAINED = "trained_models"
_LAYER = re.compile(r"policy_network\.(?P<net>\w+)\.(?P<number>\d+)\.(?P<part>weight|bias)$")
# Where the networks of a policy stand in its zip: of an env with heads for the device, and of one without.
_NETS = {HUMAN: ("human_policy_net", "policy_net"), EXO_ACTOR: ("exo_policy_net", "exo_policy_net_right")}
_VALUE = ("value_net",)


def is_policy(path: Path) -> bool:
    """Whether a path looks like a session of MyoAssist's, or a zip of one."""
    return (path.suffix == ".zip" and path.is_file()) or (bool(_zips(path)) and (path / SESSION_CONFIG).is_file())


def import_policy(path: Path, config: Path | None = None) -> Bundle:
    """The policy of a session's newest zip, or of a zip; ``config``: its session_config.json, where not beside it.

    Raises:
        UserError: there is no such policy, its config cannot be honoured, or the two do not fit each other.
    """
    zips = [path] if path.suffix == ".zip" else _zips(path)
    if not zips:
        raise UserError(f"{str(path)!r} is no session of MyoAssist's: it has no zip in {TRAINED}/.")
    file = zips[-1]
    config = config or _config_beside(file)
    tree = read_json(config, "config file")
    if not recognised(tree):
        raise UserError(f"config file {str(config)!r} is not MyoAssist's.")
    env = tree.get("env_params", {})
    trained = {**tree, "env_params": {**env, "prev_trained_policy_path": None}}  # it has started
    run = translate(trained, path=config).checked()
    run = dataclasses.replace(run, env_params=dataclasses.replace(run.env_params, model_kind=COMPOSED))
    tensors, told = torch_zip.read(file)
    return _bundle(run, tree, tensors, _steps(file, told), file)


def _zips(session: Path) -> list[Path]:
    """Zips of a session, by how long each was trained."""
    return sorted((session / TRAINED).glob("*.zip"), key=lambda file: (_number(file), file.name))


def _number(file: Path) -> int:
    digits = re.findall(r"\d+", file.stem)
    return int(digits[-1]) if digits else 0


def _steps(file: Path, told: dict[str, Any]) -> int:
    steps = told.get("num_timesteps")
    return steps if isinstance(steps, int) else _number(file)


def _config_beside(file: Path) -> Path:
    places = [folder / SESSION_CONFIG for folder in (file.parent, file.parent.parent)]
    for place in places:
        if place.is_file():
            return place
    raise UserError(
        f"{str(file)!r}: its {SESSION_CONFIG}, which says what it sees and drives, is not in its folder nor above. "
        "Give it with --config FILE."
    )


def _bundle(run: RunConfig, tree: dict, tensors: dict[str, np.ndarray], steps: int, file: Path) -> Bundle:
    params = run.env_params
    reduced = reduce_model(params.human, params.device_key or NO_DEVICE)
    spec = spec_of(reduced.model, params)
    policy = _policy(run, tree, tensors, reduced.model, spec, file)
    return Bundle(
        config=run,
        xml=with_physics_rate(reduced.xml, params.physics_sim_framerate),
        coupling=reduced.coupling,
        gait=chosen_gait(params, reduced.model),
        observation=spec,
        policy=policy,
        info={
            "mjx_assist": mjx_assist.__version__,
            **{package: version(package) for package in ("assist_sim", "myo_sim", "mujoco")},
            "imported_from": f"MyoAssist, {file.name}",
            "control_steps": steps,
            "wall_s": None,
        },
    )


def _policy(
    run: RunConfig,
    tree: dict,
    tensors: dict[str, np.ndarray],
    model: mujoco.MjModel,
    spec: ObservationSpec,
    file: Path,
) -> Policy:
    """The networks, what they see and drive put into our order by name."""
    params, actuators = run.env_params, actuator_names(model)
    full = full_model(params.human, params.device_key or NO_DEVICE, AS_COMPOSED)
    there = actuator_names(full)
    seen = _observed_there(spec, activation_names(full))
    log_std = tensors.get("log_std", np.zeros(0))
    if sorted(there) != sorted(actuators) or log_std.shape != (len(there),) or sorted(seen) != sorted(spec.names):
        raise UserError(
            f"{str(file)!r} does not fit its model: it drives {log_std.size} actuators and its model has {len(there)}."
        )
    drives = np.array([actuators.index(name) for name in there])
    sees = np.array([spec.names.index(name) for name in seen])
    wiring, options = _wiring(tree, len(seen), len(there)), run.policy_params.head_options
    neutral = make_action_spec(model, params.device_action).neutral.astype(float)
    made = []
    for name, (observed, driven, both) in wiring.items():
        if name == CRITIC:
            continue
        off = name in options and not options[name].enabled
        layers = _layers(tensors, _NETS.get(name, (f"{name}_net",)), len(observed), len(driven), file)
        made.append(
            HeadWeights(name, sees[observed], drives[driven], not off, layers, log_std[driven], both),
        )
        if off and options[name].held_action is not None:
            neutral[drives[driven]] = options[name].held_action
    observed = wiring[CRITIC][0]
    value = _layers(tensors, _VALUE, len(observed), 1, file)
    reflection = None
    if any(head.mirrored for head in made):
        index, sign = mirror(spec.names, joint_mirror_signs(model))
        reflection = MirrorWeights(index, sign, mirror(actuators)[0])
    return Policy(
        heads=tuple(made),
        mean=np.zeros(spec.size, np.float32),
        std=np.ones(spec.size, np.float32),
        neutral=neutral.astype(np.float32),
        mirror=reflection,
        activation=TANH,
        critic=HeadWeights(CRITIC, sees[observed], np.array([], int), True, value, mirrored=False),
        output_activation=TANH,
        clip=np.inf,
    )


def _observed_there(spec: ObservationSpec, activations: tuple[str, ...]) -> list[str]:
    """Our names of what they observe, in their order, which differs in that of the model's activations alone."""
    acts = [f"act.{name}" for name in activations if f"act.{name}" in spec.names]
    rest = [name for name in spec.names if not name.startswith("act.")]
    before = len(spec.position_index) + len(spec.velocity_index)
    return [*rest[:before], *acts, *rest[before:]]


Wired = tuple[list[int], list[int], bool]


def _wiring(tree: dict, observations: int, actuators: int) -> dict[str, Wired]:
    """Head -> (observations, actuators of its outputs, whether it serves both sides), by their indices."""
    policy = tree.get("policy_params", {})
    policy = {**policy, **policy.get("custom_policy_params", {})}
    everything = list(range(observations))
    if tree.get("env_params", {}).get("env_id") != EXO:
        return {HUMAN: (everything, list(range(actuators)), False), CRITIC: (everything, [], False)}
    found: dict[str, Wired] = {}
    info = policy["net_indexing_info"]
    for name, head in info.items():
        if name == SIDES[1] and SIDES[0] in info:
            continue
        wired = heads.observed(head["observation"]), heads.outputs(head.get("action", []))
        found[EXO_ACTOR if name == SIDES[0] else name] = (*wired, name == SIDES[0])
    return found


def _layers(
    tensors: dict[str, np.ndarray], nets: tuple[str, ...], inputs: int, outputs: int, file: Path
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """(kernel, bias) of a network's layers, first to last."""
    found: dict[int, dict[str, np.ndarray]] = {}
    for name, tensor in tensors.items():
        layer = _LAYER.match(name)
        if layer and layer["net"] in nets:
            found.setdefault(int(layer["number"]), {})[layer["part"]] = tensor
    for number, parts in found.items():
        if parts.keys() != {"weight", "bias"}:
            raise UserError(f"{str(file)!r}: layer {number} of {nets[0]} has only {', '.join(parts)}.")
    layers = tuple((found[number]["weight"].T, found[number]["bias"]) for number in sorted(found))
    if not layers or layers[0][0].shape[0] != inputs or layers[-1][1].size != outputs:
        shape = f"{layers[0][0].shape[0]} inputs, {layers[-1][1].size} outputs" if layers else "nothing"
        raise UserError(
            f"{str(file)!r}: network {nets[0]} has {shape}; its config wires {inputs} inputs to {outputs} outputs."
        )
    return layers
