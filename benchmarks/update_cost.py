"""FLOPs, bytes and memory of one training update on MJX, and the rate that published memory bandwidths would allow.

Usage: python benchmarks/update_cost.py [--num_envs 4096 8192] [--docs] [--json FILE]
Nothing is run: programs are compiled for this machine's device, and XLA's own count of each is read.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from common import DOCS, build, sized_config, write_table

MINIBATCHES = 4
# Bytes/s and FLOP/s: NVIDIA H100 Tensor Core GPU datasheet (SXM, FP32); Google Cloud documentation, TPU v5e (bf16).
CHIPS = {"H100 SXM": (3.35e12, 67e12), "TPU v5e": (819e9, 197e12)}


class Cost(NamedTuple):
    """What XLA counts for a program; the body of a loop counts once."""

    flops: float
    bytes: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.flops + other.flops, self.bytes + other.bytes)

    def __mul__(self, times: float) -> "Cost":
        return Cost(self.flops * times, self.bytes * times)

    def __sub__(self, other: "Cost") -> "Cost":
        return self + other * -1.0


def compiled(function: Callable, *arguments: Any) -> Any:
    """The compiled program for arguments given as arrays or shapes; the first one is donated."""
    import jax

    return jax.jit(function, donate_argnums=0).lower(*arguments).compile()


def cost(program: Any) -> Cost:
    counted = program.cost_analysis()
    return Cost(counted["flops"], counted["bytes accessed"])


def update_cost(num_envs: int) -> dict:
    """FLOPs and bytes of an update by part, and the memory that the program holds.

    A loop's body counts once in XLA's figures, so the loops are put together here from their parts: a control step
    (policy and env), a physics step, and a minibatch, which is twice the difference between an update in 4 minibatches
    and one in 8. Of the constraint solver's iterations, whose number depends on the states, one a step is counted.
    """
    import jax

    parts = build(sized_config("mjx", num_envs, minibatches=MINIBATCHES))
    halved = build(sized_config("mjx", num_envs, minibatches=2 * MINIBATCHES))
    state = jax.eval_shape(parts.init, jax.random.PRNGKey(0))
    program = compiled(parts.train_step, state)
    once = cost(program)
    minibatch = (once - cost(compiled(halved.train_step, state))) * 2.0
    substep, control_step = (cost(compiled(*f)) for f in (_substep(parts, num_envs), _control_step(parts, state)))
    ppo, substeps = parts.config.ppo_params, parts.env.physics.n_substeps
    n_steps = ppo.n_steps
    physics = substep * (n_steps * substeps)
    rollout = (control_step - substep) * n_steps
    rest = once - control_step + minibatch * (ppo.n_epochs * MINIBATCHES - 1)
    memory = program.memory_analysis()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    return {
        "num_envs": num_envs,
        "n_steps": n_steps,
        "parts": {"physics": physics, "env and policy": rollout, "values and optimisation": rest},
        "memory_bytes": held - memory.alias_size_in_bytes,
    }


def _substep(parts: Any, num_envs: int) -> tuple:
    """One physics step of every walker, and the shapes it takes."""
    import jax

    physics = parts.env.physics
    data = jax.tree.map(lambda x: jax.ShapeDtypeStruct((num_envs, *jax.numpy.shape(x)), x.dtype), physics._template)
    return jax.vmap(lambda data: physics._substep(physics._mjx_model, data)), data


def _control_step(parts: Any, state: Any) -> tuple:
    """Policy and env, once for every walker, and the shapes it takes."""
    import jax

    from mjx_assist.ppo.rollout import normalize

    walkers, model = parts.learner.walkers, parts.learner.model

    def step(env, train, key):
        mean, log_std = model.apply(train.params, normalize(model.spec, train.normaliser, env.obs), method="actor")
        return walkers.step(env, mean + jax.numpy.exp(log_std) * jax.random.normal(key, mean.shape))

    return step, state.env, state, jax.random.PRNGKey(0)


def bound(result: dict, chip: str) -> tuple[float, str]:
    """Control steps/s that a chip cannot exceed, and what holds it: the larger of memory time and arithmetic time."""
    bandwidth, peak = CHIPS[chip]
    total = sum((Cost(*part) for part in result["parts"].values()), Cost(0.0, 0.0))
    seconds = {"memory": total.bytes / bandwidth, "arithmetic": total.flops / peak}
    limit = max(seconds, key=seconds.get)
    return result["num_envs"] * result["n_steps"] / seconds[limit], limit


def table(results: list[dict]) -> str:
    """Cost of an update by part, and the bounds."""
    lines = ["| envs x steps | part | GFLOP | GB | kFLOP a control step | kB a control step |", "|---" * 6 + "|"]
    for r in results:
        samples = r["num_envs"] * r["n_steps"]
        for name, part in {**r["parts"], "all": sum((Cost(*p) for p in r["parts"].values()), Cost(0.0, 0.0))}.items():
            flops, moved = part
            lines.append(
                f"| {r['num_envs']} x {r['n_steps']} | {name} | {flops / 1e9:,.1f} | {moved / 1e9:,.1f} | "
                f"{flops / samples / 1e3:,.0f} | {moved / samples / 1e3:,.0f} |"
            )
    head = " | ".join(f"{chip}: at most, control steps/s" for chip in CHIPS)
    lines += ["", f"| envs x steps | memory held | {head} |", "|---" * (2 + len(CHIPS)) + "|"]
    for r in results:
        bounds = [bound(r, chip) for chip in CHIPS]
        cells = " | ".join(f"{rate / 1e3:,.0f} k ({limit})" for rate, limit in bounds)
        lines.append(f"| {r['num_envs']} x {r['n_steps']} | {r['memory_bytes'] / 2**20:,.0f} MB | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num_envs", nargs="+", type=int, default=[4096, 8192])
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = [update_cost(num_envs) for num_envs in options.num_envs]
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.docs:
        write_table(DOCS / "performance.md", "update cost", table(results))


if __name__ == "__main__":
    main()
