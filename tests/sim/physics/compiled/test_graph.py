"""The expression graph: what folds, what is shared, and where it is evaluated."""

import math

import numpy as np
import pytest

from mjx_assist.sim.physics.compiled import graph as g


def _value(node, inputs):
    """A node's value in plain Python."""
    if not isinstance(node, g.Node):
        return node
    if node.op == "in":
        return inputs[node.args[0]]
    a = [_value(x, inputs) for x in node.args]
    by_name = {
        "add": lambda: a[0] + a[1],
        "sub": lambda: a[0] - a[1],
        "mul": lambda: a[0] * a[1],
        "div": lambda: a[0] / a[1],
        "neg": lambda: -a[0],
        "sqrt": lambda: math.sqrt(a[0]),
        "min": lambda: min(a),
        "max": lambda: max(a),
        "lt": lambda: a[0] < a[1],
        "sel": lambda: a[1] if a[0] else a[2],
    }
    return by_name[node.op]()


def test_folding_does_not_change_a_value():
    rng = np.random.default_rng(0)
    for _ in range(300):
        graph, numbers = g.Graph(), {"x": rng.normal(), "y": rng.normal()}
        values = [graph.input("x"), graph.input("y"), 0.0, 1.0, -1.0, 2.5]
        plain = [numbers["x"], numbers["y"], 0.0, 1.0, -1.0, 2.5]
        for _ in range(12):
            i, j = rng.integers(len(values), size=2)
            kind = rng.integers(5)
            if kind == 3:
                values.append(-values[i])
                plain.append(-plain[i])
            elif kind == 4:
                values.append(g.select(g.less(values[i], values[j]), values[i], values[j] * 2.0))
                plain.append(plain[i] if plain[i] < plain[j] else plain[j] * 2.0)
            else:
                f = (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b)[kind]
                values.append(f(values[i], values[j]))
                plain.append(f(plain[i], plain[j]))
        assert _value(values[-1], numbers) == pytest.approx(plain[-1], rel=1e-12, abs=1e-12)


def test_equal_expressions_are_one_node_and_zeros_vanish():
    graph = g.Graph()
    x, y = graph.input("x"), graph.input("y")
    assert x * y is y * x
    assert x + 0.0 is x and x * 1.0 is x and x * 0.0 == 0.0 and x - x == 0.0
    assert 2.0 * (3.0 * x) is 6.0 * x
    assert -(x - y) is y - x


def test_what_depends_on_nothing_in_a_loop_is_evaluated_before_it():
    graph = g.Graph()
    x = graph.input("x")
    graph.stage = 1
    inside = graph.input("y")
    assert (x * 2.0).stage == 0 and (inside * x).stage == 1
    graph.stage = 2
    assert (inside + 1.0).stage == 1
