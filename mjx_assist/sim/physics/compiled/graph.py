"""A graph of scalar expressions: constants fold, equal expressions are one node, and each knows its stage.

Nothing here knows physics. A value is a `Node`, or a number (bool for conditions) where it is known already.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

Value = Any  # Node | float | bool: arithmetic is written alike for all of them

_COMMUTE = {"add", "mul", "min", "max", "and", "or", "xor"}


class Graph:
    """All nodes of a step, in the order they were made.

    ``stage`` is where new nodes are evaluated: 0 before the solver, 1 in a solver's iteration, 2 in an iteration of
    its line search, 3 after that, 4 after the solver. What of a loop depends on nothing in it belongs before it.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.stage = 0
        self._known: dict[tuple, Node] = {}

    def input(self, name: str) -> "Node":
        return self.node("in", name)

    def node(self, op: str, *args: Any) -> "Node":
        """The node of an operation: the one there is, or a new one."""
        keys = [_key(a) for a in args]
        if op in _COMMUTE and keys[1] < keys[0]:
            args, keys = args[::-1], keys[::-1]
        key = (op, *keys)
        if key not in self._known:
            stage = self.stage
            if op != "in" and stage in (1, 2, 3):
                stage = max((a.stage for a in args if isinstance(a, Node)), default=0)
            self._known[key] = Node(self, op, args, len(self.nodes), stage)
            self.nodes.append(self._known[key])
        return self._known[key]


class Node:
    """One operation on earlier nodes and numbers."""

    __slots__ = ("args", "graph", "number", "op", "stage")

    def __init__(self, graph: Graph, op: str, args: tuple, number: int, stage: int):
        self.graph, self.op, self.args, self.number, self.stage = graph, op, args, number, stage

    def __add__(self, other: Value) -> Value:
        return add(self, other)

    def __radd__(self, other: Value) -> Value:
        return add(other, self)

    def __sub__(self, other: Value) -> Value:
        return subtract(self, other)

    def __rsub__(self, other: Value) -> Value:
        return subtract(other, self)

    def __mul__(self, other: Value) -> Value:
        return multiply(self, other)

    def __rmul__(self, other: Value) -> Value:
        return multiply(other, self)

    def __truediv__(self, other: Value) -> Value:
        return divide(self, other)

    def __rtruediv__(self, other: Value) -> Value:
        return divide(other, self)

    def __neg__(self) -> Value:
        return negative(self)

    def __bool__(self) -> bool:
        raise TypeError("a node has no value yet: use select()")


def _key(a: Any) -> tuple:
    return (0, a.number) if isinstance(a, Node) else (1, a)


def is_node(*values: Value) -> bool:
    """Whether one of them is not a number."""
    return any(isinstance(x, Node) for x in values)


def _make(op: str, *args: Value) -> Node:
    graph = next(a.graph for a in args if isinstance(a, Node))
    return graph.node(op, *(a if isinstance(a, Node | bool) else float(a) for a in args))


def add(a: Value, b: Value) -> Value:
    if not is_node(a, b):
        return a + b
    if not is_node(a) and a == 0:
        return b
    if not is_node(b) and b == 0:
        return a
    if is_node(b) and b.op == "neg":
        return subtract(a, b.args[0])
    if is_node(a) and a.op == "neg":
        return subtract(b, a.args[0])
    return _make("add", a, b)


def subtract(a: Value, b: Value) -> Value:
    if not is_node(a, b):
        return a - b
    if not is_node(a) and a == 0:
        return negative(b)
    if not is_node(b) and b == 0:
        return a
    if a is b:
        return 0.0
    if is_node(b) and b.op == "neg":
        return add(a, b.args[0])
    return _make("sub", a, b)


def multiply(a: Value, b: Value) -> Value:
    if not is_node(b):
        a, b = b, a
    if not is_node(b):
        return a * b
    if not is_node(a):
        return _scaled(a, b)
    if a.op == "neg" and b.op == "neg":
        return multiply(a.args[0], b.args[0])
    if a.op == "neg":
        return negative(multiply(a.args[0], b))
    if b.op == "neg":
        return negative(multiply(a, b.args[0]))
    return _make("mul", a, b)


def _scaled(factor: float, a: Node) -> Value:
    if factor in (0, 1):
        return 0.0 if factor == 0 else a
    if factor == -1:
        return negative(a)
    if a.op == "neg":
        return multiply(-factor, a.args[0])
    if a.op == "mul":
        for constant, other in (a.args, a.args[::-1]):
            if not is_node(constant):
                return multiply(factor * constant, other)
    return _make("mul", factor, a)


def divide(a: Value, b: Value) -> Value:
    if not is_node(b):
        return multiply(a, 1.0 / b)
    return 0.0 if not is_node(a) and a == 0 else _make("div", a, b)


def negative(a: Value) -> Value:
    if not is_node(a):
        return -a
    if a.op == "neg":
        return a.args[0]
    return subtract(a.args[1], a.args[0]) if a.op == "sub" else _make("neg", a)


def sqrt(a: Value) -> Value:
    return _make("sqrt", a) if is_node(a) else math.sqrt(a)


def sin(a: Value) -> Value:
    return _make("sin", a) if is_node(a) else math.sin(a)


def cos(a: Value) -> Value:
    return _make("cos", a) if is_node(a) else math.cos(a)


def atan2(y: Value, x: Value) -> Value:
    """Angle of (x, y)."""
    return _make("atan2", y, x) if is_node(y, x) else math.atan2(y, x)


def minimum(a: Value, b: Value) -> Value:
    return a if a is b else _make("min", a, b) if is_node(a, b) else min(a, b)


def maximum(a: Value, b: Value) -> Value:
    return a if a is b else _make("max", a, b) if is_node(a, b) else max(a, b)


def clip(a: Value, low: Value, high: Value) -> Value:
    """``a`` held between two values; an infinite one holds nothing."""
    a = a if not is_node(low) and low == -math.inf else maximum(a, low)
    return a if not is_node(high) and high == math.inf else minimum(a, high)


def absolute(a: Value) -> Value:
    return _make("abs", a) if is_node(a) else abs(a)


def less(a: Value, b: Value) -> Value:
    return _make("lt", a, b) if is_node(a, b) else a < b


def less_equal(a: Value, b: Value) -> Value:
    return _make("le", a, b) if is_node(a, b) else a <= b


def select(condition: Value, a: Value, b: Value) -> Value:
    """``a`` where the condition holds, else ``b``."""
    if not is_node(condition):
        return a if condition else b
    return a if a is b or (not is_node(a, b) and a == b) else _make("sel", condition, a, b)


def both(a: Value, b: Value) -> Value:
    if not is_node(a):
        return b if a else False
    if not is_node(b):
        return a if b else False
    return a if a is b else _make("and", a, b)


def either(a: Value, b: Value) -> Value:
    if not is_node(a):
        return True if a else b
    if not is_node(b):
        return True if b else a
    return a if a is b else _make("or", a, b)


def differ(a: Value, b: Value) -> Value:
    """Whether exactly one of two conditions holds."""
    if not is_node(a, b):
        return a != b
    if not is_node(a):
        return opposite(b) if a else b
    if not is_node(b):
        return opposite(a) if b else a
    return False if a is b else _make("xor", a, b)


def opposite(a: Value) -> Value:
    if not is_node(a):
        return not a
    return a.args[0] if a.op == "not" else _make("not", a)


def total(values: Iterable[Value]) -> Value:
    out: Value = 0.0
    for x in values:
        out = add(out, x)
    return out


def needed(outputs: Iterable[Value]) -> list[Node]:
    """The nodes that ``outputs`` need, each after those it needs itself."""
    seen: set[int] = set()
    found: list[Node] = []
    stack = [x for x in outputs if isinstance(x, Node)]
    while stack:
        node = stack.pop()
        if node.number not in seen:
            seen.add(node.number)
            found.append(node)
            stack.extend(operands(node))
    return sorted(found, key=lambda node: node.number)


def operands(node: Node) -> Iterator[Node]:
    return (a for a in node.args if isinstance(a, Node))
