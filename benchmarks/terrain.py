"""What rough ground costs: control steps of a batch of walkers on a heightfield against the plane, per backend.

Walkers start along the shipped policy's reference gait and take random excitations; both grounds take turns. Usage:
python benchmarks/terrain.py [--backend compiled mujoco mjx] [--envs 256] [--steps 30] [--rounds 5] [--json FILE]
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from common import best_times

from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import BACKENDS
from mjx_assist.model.reduction import ReducedModel, reduce_model
from mjx_assist.model.variation import Variation
from mjx_assist.reference import healthy
from mjx_assist.reference.cycle import ReferenceGait, sample
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain import heightfield

SUBSTEPS = 8  # 240 Hz physics, 30 Hz control
GROUNDS = {
    "flat": EnvParams(),
    "random 6 cm": EnvParams(terrain_type="random", terrain_params="0.06"),
    "waves 5 cm, 4 m": EnvParams(terrain_type="harmonic_sinusoidal", terrain_params="0 4 0.05 4"),
}


def measure(backend: str, envs: int, steps: int, rounds: int) -> dict[str, dict[str, float]]:
    """Per ground: wall and CPU time of a control step of one walker (us), and their ratios to flat."""
    reduced = reduce_model("myolegs22", "Tutorial_L1")
    gait = healthy.healthy_gait(reduced.model)
    jobs = {name: walking(backend, params, reduced, gait, envs, steps) for name, params in GROUNDS.items()}
    wall, cpu = best_times(jobs, rounds)
    per_step = 1e6 / (envs * steps)
    return {
        name: {
            "wall_us": wall[name] * per_step,
            "cpu_us": cpu[name] * per_step,
            "wall_ratio": wall[name] / wall["flat"],
            "cpu_ratio": cpu[name] / cpu["flat"],
        }
        for name in jobs
    }


def walking(
    backend: str, params: EnvParams, reduced: ReducedModel, gait: ReferenceGait, envs: int, steps: int
) -> Callable[[], jax.Array]:
    """A function that takes ``steps`` control steps with every walker on its lane, standing where the gait does."""
    ground = heightfield.make_terrain(params, reduced.model)
    stepper = make_physics(backend, heightfield.with_ground(reduced.xml, ground), SUBSTEPS, envs)
    model, rng = stepper.model, np.random.default_rng(0)
    qpos, qvel, _ = sample(gait, rng.uniform(size=envs), 1.25)
    differs = None
    if ground is not None:
        lanes = heightfield.lane_offset(ground, rng.integers(ground.n_variants, size=envs))
        forward, up = (model.joint(name).qposadr[0] for name in ("pelvis_tx", "pelvis_ty"))
        qpos[:, forward] = rng.uniform(4.0, 60.0, envs)
        qpos[:, up] += heightfield.height(ground, lanes, None, qpos[:, forward], 0.0)
        differs = Variation(lane=jnp.float32(lanes))
    reset = jax.vmap(lambda q, v: reset_state(model, q, v, jnp.full(model.na, 0.01)))
    start = reset(jnp.float32(qpos), jnp.float32(qvel))
    control = jnp.float32(rng.uniform(0, 0.2, (steps, envs, model.nu)) * model.actuator_ctrlrange[:, 1])

    @jax.jit
    def run(state, control):
        step = jax.vmap(stepper.step)
        return jax.lax.scan(lambda s, c: (step(s, c, differs), None), state, control)[0].qpos

    return lambda: run(start, control)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", nargs="+", default=["compiled", "mujoco", "mjx"], choices=BACKENDS[1:])
    parser.add_argument("--envs", type=int, default=256)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5, help="repetitions; the fastest counts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {backend: measure(backend, options.envs, options.steps, options.rounds) for backend in options.backend}
    for backend, grounds in results.items():
        for name, x in grounds.items():
            print(
                f"{backend:7s} {name:16s} {x['wall_us']:8.1f} us {x['wall_ratio']:5.2f} x  (CPU {x['cpu_ratio']:.2f} x)"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
