"""A policy's device heads as one ONNX graph: raw SI signals in, torques out, normaliser and action mapping inside."""

from dataclasses import dataclass

import numpy as np

from mjx_assist.config.words import ELU, LINEAR, RELU, TANH
from mjx_assist.errors import UserError
from mjx_assist.policy.policy import MirrorWeights, Policy
from mjx_assist.sim.action import ActionSpec
from mjx_assist.sim.observation import varied

INPUT, OUTPUT = "signals", "torque"
OPSET, IR_VERSION = 17, 8  # what onnxruntime has read since 1.12
_ACTIVATION = {ELU: "Elu", RELU: "Relu", TANH: "Tanh"}
_INSTALL = "pip install 'mjx-assist[hardware]'"


@dataclass(frozen=True)
class Wiring:
    """What goes in and out: ``signals`` [n] indices of observations, ``scale`` [n] observation per SI unit of each;
    ``actuators`` [k] driven, ``gain`` [k] N*m (or N) per control, ``limits`` [k, 2] of the output."""

    signals: np.ndarray
    scale: np.ndarray
    actuators: np.ndarray
    gain: np.ndarray
    limits: np.ndarray


def device_heads(policy: Policy, device: np.ndarray) -> list[tuple]:
    """(head, columns of its output that drive the device, actuators they drive, mirror or None), by head and side.

    ``device`` [nu] is True for the device's actuators.
    """
    parts = []
    for head in policy.heads:
        sides: list[tuple[np.ndarray, MirrorWeights | None]] = [(head.action, None)]
        if policy.mirror is not None and head.mirrored:
            sides.append((policy.mirror.action[head.action], policy.mirror))
        for driven, mirrored in sides:
            columns = np.flatnonzero(device[driven])
            if head.enabled and columns.size:
                parts.append((head, columns, np.asarray(driven)[columns], mirrored))
    return parts


def seen(policy: Policy, device: np.ndarray) -> np.ndarray:
    """Indices, in order, of the observations that drive the device's actuators."""
    indices: set[int] = set()
    for head, _, _, mirrored in device_heads(policy, device):
        indices |= set((mirrored.index[head.observation] if mirrored else head.observation).tolist())
    return np.array(sorted(indices), int)


def torque(policy: Policy, actions: ActionSpec, wiring: Wiring, observation: np.ndarray) -> np.ndarray:
    """NumPy's answer ``[..., k]`` for whole observations ``[..., n]``: what the graph must give."""
    from mjx_assist.sim.action import to_control

    control = to_control(actions, policy.act(observation))[..., wiring.actuators]
    return np.clip(control * wiring.gain, *wiring.limits.T)


def build(policy: Policy, actions: ActionSpec, wiring: Wiring, metadata: dict[str, str]):
    """The checked ``onnx.ModelProto``; input ``signals`` [batch, n], output ``torque`` [batch, k], both float32."""
    onnx = _imported("onnx")
    graph = _Graph(onnx.helper, onnx.numpy_helper)
    mean, std = policy.mean[wiring.signals] / wiring.scale, policy.std[wiring.signals] / wiring.scale
    normal = graph.node("Div", graph.node("Sub", INPUT, graph.constant(mean)), graph.constant(std))
    normal = graph.clip(normal, -policy.clip, policy.clip) if np.isfinite(policy.clip) else normal
    heard = graph.truths(varied(policy.std[wiring.signals]))
    normal = graph.node("Where", heard, normal, graph.constant(0.0))  # as observation.normalise
    outputs, order = [], []
    for head, columns, driven, mirrored in device_heads(policy, ~actions.muscle):
        index, sign = head.observation, None
        if mirrored:
            index, sign = mirrored.index[head.observation], mirrored.sign[head.observation]
        value = graph.node("Gather", normal, graph.integers(np.searchsorted(wiring.signals, index)), axis=1)
        if sign is not None:
            value = graph.node("Mul", value, graph.constant(sign))
        *hidden, (kernel, bias) = head.layers
        for weight, offset in hidden:
            value = graph.node("Gemm", value, graph.constant(weight), graph.constant(offset))
            value = graph.node(_ACTIVATION[policy.activation], value)
        last = graph.constant(kernel[:, columns]), graph.constant(bias[columns])
        value = graph.node("Gemm", value, *last)
        final = policy.output_activation
        outputs.append(value if final == LINEAR else graph.node(_ACTIVATION[final], value))
        order += driven.tolist()
    action = graph.node("Concat", *outputs, axis=1)
    action = graph.node("Gather", action, graph.integers([order.index(a) for a in wiring.actuators]), axis=1)
    action = graph.clip(action, -1.0, 1.0)
    push, pull = (at[wiring.actuators] * wiring.gain for at in (actions.at_plus_one, actions.at_minus_one))
    ahead = graph.node("Mul", graph.node("Relu", action), graph.constant(push))
    back = graph.node("Mul", graph.node("Relu", graph.node("Neg", action)), graph.constant(pull))
    total = graph.node("Add", ahead, back)
    if np.any(actions.at_zero):
        middle = graph.constant(np.broadcast_to(actions.at_zero, actions.muscle.shape)[wiring.actuators] * wiring.gain)
        rest = graph.node("Sub", graph.constant(1.0), graph.node("Abs", action))
        total = graph.node("Add", total, graph.node("Mul", rest, middle))
    low, high = wiring.limits.T
    total = graph.node("Max", graph.node("Min", total, graph.constant(high)), graph.constant(low))
    graph.node("Identity", total, output=OUTPUT)
    return graph.model(onnx, len(wiring.signals), len(wiring.actuators), metadata)


def session(content: bytes):
    """An onnxruntime session on one CPU thread, as a small computer has it."""
    runtime = _imported("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _imported(name: str):
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise UserError(f"--device-controller needs the package {name}, which is not installed: {_INSTALL}.") from None


class _Graph:
    """Nodes and constants of a graph in the making; every value gets a name of its own."""

    def __init__(self, helper, numpy_helper):
        self._helper, self._numpy_helper = helper, numpy_helper
        self._nodes: list = []
        self._constants: list = []

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, values) -> str:
        return self._initializer(np.asarray(values, np.float32))

    def integers(self, values) -> str:
        return self._initializer(np.asarray(values, np.int64))

    def truths(self, values) -> str:
        return self._initializer(np.asarray(values, bool))

    def clip(self, value: str, low: float, high: float) -> str:
        return self.node("Clip", value, self.constant(low), self.constant(high))

    def model(self, onnx, inputs: int, outputs: int, metadata: dict[str, str]):
        make, kind = self._helper.make_tensor_value_info, onnx.TensorProto.FLOAT
        graph = self._helper.make_graph(
            self._nodes,
            "device_controller",
            [make(INPUT, kind, ["batch", inputs])],
            [make(OUTPUT, kind, ["batch", outputs])],
            self._constants,
        )
        opset = [self._helper.make_opsetid("", OPSET)]
        model = self._helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="mjx-assist")
        self._helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _initializer(self, values: np.ndarray) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._numpy_helper.from_array(values, name))
        return name
