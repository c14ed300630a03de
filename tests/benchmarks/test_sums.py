"""What the benchmarks make of what they measured: sums, bounds, tables."""

import common
import jax
import limits
import numpy as np
import pytest
import throughput
import update_cost
from grounds import WALKER

from mjx_assist.model import mjcf
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.emit import arrays
from mjx_assist.sim.physics.compiled.model.step import make_step


def test_a_table_replaces_only_what_is_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- a -->\nold\n<!-- /a -->\nbelow\n<!-- b -->\n<!-- /b -->\n")
    common.write_table(page, "a", "| new |")
    common.write_table(page, "a", "| newer |")
    assert page.read_text() == "above\n<!-- a -->\n| newer |\n<!-- /a -->\nbelow\n<!-- b -->\n<!-- /b -->\n"
    assert list(tmp_path.iterdir()) == [page]


def test_xla_counts_the_body_of_a_loop_once():
    """What `update_cost` rests on: twice the matrix product's 2 n^3 FLOPs in a row, but one of them in a loop."""
    n = 64
    square = jax.ShapeDtypeStruct((n, n), np.float32)
    one = update_cost.cost(update_cost.compiled(lambda x: x @ x, square))
    two = update_cost.cost(update_cost.compiled(lambda x: (x @ x) @ x, square))
    loop = jax.jit(lambda x: jax.lax.scan(lambda c, _: (c @ x, None), x, None, length=7)[0])
    looped = update_cost.cost(update_cost.compiled(loop, square))
    assert one.flops == pytest.approx(2 * n**3, rel=0.01)
    assert two.flops == pytest.approx(4 * n**3, rel=0.01)
    assert looped.flops == pytest.approx(2 * n**3, rel=0.05)


def test_the_slower_of_memory_and_arithmetic_bounds_the_rate():
    bandwidth, peak = update_cost.CHIPS["H100 SXM"]
    memory_bound = {"num_envs": 10, "n_steps": 2, "parts": {"a": (0.1 * peak, bandwidth), "b": (0.1 * peak, bandwidth)}}
    rate, limit = update_cost.bound(memory_bound, "H100 SXM")
    assert (rate, limit) == (pytest.approx(10.0), "memory")
    assert update_cost.bound({**memory_bound, "parts": {"a": (4 * peak, 1.0)}}, "H100 SXM")[1] == "arithmetic"


def test_parts_of_an_update_add_up_and_failures_are_told():
    seconds = dict(zip(throughput.STEPS, (1.0, 1.1, 1.2, 1.3, 1.5), strict=True))
    least = {"flops": 60e3, "bytes": 700.0, "us": (250.0, "arithmetic")}
    row = {
        "device": "cpu",
        "num_envs": 100,
        "n_steps": 10,
        "seconds": seconds,
        "physics_steps_per_s": 8000.0,
        "control_steps_per_s": 1000 / 1.5,
        "overhead": 0.5,
        "overhead_cpu": 0.4,
        "env_over_bare": 1.2,
        "peak_host_mb": 900.0,
        "peak_device_mb": None,
        "limits": {"peak": {"flops": 2e11, "bytes": 1e10}, "bare": least, "update": {**least, "us": (50.0, "memory")}},
    }
    peer = {"control_steps_per_s": 100.0, "settings": "4 processes, 1 minibatches"}
    text = throughput.table({"mujoco": row, "warp": {"error": "no warp"}, "sb3": peer})
    assert "| 1000.0 | 100.0 | 100.0 | 100.0 | 200.0 | +50% | +40% | 1.20 | 900 MB |" in text
    assert "| bare physics | 60 k | 700 | 250.00 (arithmetic) | 1000.00 | 25% |" in text
    assert "| update | 60 k | 700 | 50.00 (memory) | 200.00 | 25% |" in text
    assert "| 4 processes, 1 minibatches | 100 | 6.7 x |" in text and "`warp` did not run: no warp" in text


@pytest.mark.slow
def test_operations_of_a_step_are_those_that_xla_counts():
    """The same graph as plain JAX, whose loops' bodies count once; XLA counts sine, root and their like apart."""
    step = make_step(mjcf.load(WALKER))
    walkers = 4
    like = {name: jax.ShapeDtypeStruct((len(x), walkers), np.float32) for name, x in step.inputs.items()}
    program = jax.jit(lambda inputs: arrays.control_step(step, inputs, 1)).lower(like)
    plain = [[node for node in nodes if node.op not in ("sin", "cos", "sqrt", "atan2")] for nodes in step.stages]
    ours = sum(limits.operations(plain))
    assert ours > 300 and program.cost_analysis()["flops"] / walkers == pytest.approx(ours, rel=0.1)


@pytest.mark.skipif(build.compiler() is None, reason="no C++ compiler")
def test_a_kernel_counts_how_often_its_loops_go_round():
    """Two vectors of walkers in the air, whose solver has nothing to do, then sliding on the ground, where it has."""
    model, walkers, rng = mjcf.load(WALKER), 2 * build.lanes(32), np.random.default_rng(0)
    sizes = {"qpos": model.nq, "qvel": model.nv, "act": 0, "warmstart": model.nv, "ctrl": model.nu}
    inputs = {name: np.zeros((walkers, n)) for name, n in sizes.items()}
    inputs["qvel"][:] = rng.normal(size=(walkers, model.nv))
    counted, least = {}, {}
    for name, height in (("air", 2.0), ("ground", 0.0)):
        inputs["qpos"][:, 2::3] = height + rng.uniform(0, 0.05, (walkers, 3))
        counted[name] = limits.rounds(WALKER, inputs, 3)[1]
        least[name] = limits.kernel(WALKER, inputs, 3)
    assert counted["air"][0] == counted["ground"][0] == 2 * 3
    assert counted["air"][1] <= 2 * 3 < counted["ground"][1] <= 10 * 2 * 3
    assert least["air"].flops < least["ground"].flops and least["air"].bytes == least["ground"].bytes > 0
    assert limits.Least(10.0, 1.0).us(limits.Peak(1e6, 1e6)) == (10.0, "arithmetic")
