"""Where the time of training goes on each backend: physics, env, policy, update; and what peers reach on the same env.

Usage: python benchmarks/throughput.py [--cases compiled mujoco mjx warp sb3 brax ...] [--rounds 5] [--json FILE]
Each case runs in a process of its own. All parts of a case start from the same states and actions and take turns.
"""

import argparse
import itertools
import json
import platform
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import limits
from common import DOCS, Parts, best_times, build, exit_if_failed, in_subprocess, sized_config, write_table

# Envs and control steps of an update on a CPU; None: the preset's.
SIZES = {"compiled": (None, None), "mujoco": (None, None), "mjx": (256, None), "warp": (4, 2)}
ACCELERATED = (4096, None)
# Name -> what it is, its script, and the backend of its env.
PEERS = {
    "sb3": ("Stable-Baselines3 PPO, C MuJoCo", "sb3_ppo.py", "mujoco"),
    "sb3_compiled": ("Stable-Baselines3 PPO, `compiled`", "sb3_ppo.py", "compiled"),
    "brax": ("brax PPO, C MuJoCo", "brax_ppo.py", "mujoco"),
    "brax_compiled": ("brax PPO, `compiled`", "brax_ppo.py", "compiled"),
}
WARM_UP = 3  # updates before anything is timed
TIMEOUT = 3600.0  # s
STEPS = ("bare", "physics", "env", "rollout", "update")  # each contains the one before


def measure(backend: str, rounds: int) -> dict:
    """Seconds of one update's worth of control steps in each of ``STEPS``, rates and memory."""
    import jax

    from mjx_assist.ppo import learner

    on_cpu = jax.default_backend() == "cpu" or backend in ("mujoco", "compiled")
    sizes = SIZES[backend] if on_cpu else ACCELERATED
    parts = build(sized_config(backend, *sizes))
    num_envs, n_steps = parts.config.env_params.num_envs, parts.config.ppo_params.n_steps
    update = learner.jitted(parts.learner, as_one=backend != "mujoco")
    train = jax.jit(parts.init)(jax.random.PRNGKey(0))
    for _ in range(WARM_UP):
        train = update(train)[0]
    before, action = walked(parts, train)
    seconds, cpu_seconds = best_times(_jobs(parts, train, update, before, action), rounds)
    control_steps = num_envs * n_steps
    substeps = parts.env.physics.n_substeps
    stats = jax.devices()[0].memory_stats() or {}
    row = {
        "device": jax.devices()[0].device_kind,
        "num_envs": num_envs,
        "n_steps": n_steps,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "physics_steps_per_s": control_steps * substeps / seconds["bare"],
        "control_steps_per_s": control_steps / seconds["update"],
        "overhead": seconds["update"] / seconds["bare"] - 1.0,
        "overhead_cpu": cpu_seconds["update"] / cpu_seconds["bare"] - 1.0,
        "env_over_bare": seconds["env"] / seconds["bare"],
        "peak_host_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_device_mb": stats["peak_bytes_in_use"] / 2**20 if "peak_bytes_in_use" in stats else None,
    }
    at_hand = backend == "compiled" and jax.default_backend() == "cpu" and parts.env.backend == backend
    return row | ({"limits": _limits(parts, before, action)} if at_hand else {})


def _limits(parts: Parts, before: Any, action: Any) -> dict:
    """What the kernel and the update take at least, on this machine's cores."""
    import numpy as np

    env, peak = parts.env, limits.measured_peak()
    named = {name: getattr(before, name) for name in ("qpos", "qvel", "act", "warmstart")}
    named |= {"ctrl": _control(env, action)}
    rows = {name: np.asarray(x).reshape(-1, x.shape[-1]) for name, x in named.items()}
    least = {"bare": limits.kernel(env.xml, rows, env.physics.n_substeps), "update": limits.update(parts)}
    return {"peak": peak._asdict()} | {name: {**x._asdict(), "us": x.us(peak)} for name, x in least.items()}


def _control(env: Any, action: Any) -> Any:
    import jax.numpy as jnp

    from mjx_assist.sim import action as actions

    return actions.to_control(env.action_spec, action, jnp)


def _rollout(parts: Parts, train: Any, keep: bool) -> Callable[[Any], tuple]:
    """``n_steps`` of env and policy from a state: the last state and, if kept, each step's physics and actions."""
    import jax
    import jax.numpy as jnp

    from mjx_assist.ppo.rollout import normalize

    step, model = parts.learner.walkers.step, parts.learner.model
    keys = jax.random.split(jax.random.PRNGKey(1), parts.config.ppo_params.n_steps)

    def act(obs, key):
        mean, log_std = model.apply(train.params, normalize(model.spec, train.normaliser, obs), method="actor")
        return mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)

    def one(state, key):
        action = act(state.obs, key)
        return step(state, action)[0], (state.pipeline_state.physics, action) if keep else None

    return lambda state: jax.lax.scan(one, state, keys)


def walked(parts: Parts, train: Any) -> tuple:
    """The physics states before each control step of a rollout, and its actions: ``[n_steps, num_envs, ...]``."""
    import jax

    return jax.jit(_rollout(parts, train, True))(train.env)[1]


def _jobs(parts: Parts, train: Any, update: Any, before: Any, action: Any) -> dict:
    """The same trajectories five times: bare physics, physics, env, env with policy, a whole update."""
    import jax
    import jax.numpy as jnp

    env, step, rollout = parts.env, parts.learner.walkers.step, _rollout(parts, train, False)
    control = _control(env, action)
    physics = jax.vmap(env.physics.step)
    # One array each, so that the loops compute every step: a loop's own result could be dropped.
    env_loop = jax.jit(lambda s, a: jax.lax.scan(lambda s, a: (step(s, a)[0], None), s, a)[0])
    physics_loop = jax.jit(lambda b, c: jax.lax.scan(lambda _, x: (physics(*x).carried(), None), b_first(b), (b, c))[0])
    policy_loop = jax.jit(lambda s: rollout(s)[0])
    bare = BARE.get(env.backend, _bare_mjx)(env, before, control)
    trained = [jax.tree.map(jnp.copy, train)]  # an update takes its state's memory, so it goes on from its own result

    def updated() -> Any:
        trained[0] = update(trained[0])[0]
        return trained[0]

    return {
        "bare": bare,
        "physics": lambda: physics_loop(before, control),
        "env": lambda: env_loop(train.env, action),
        "rollout": lambda: policy_loop(train.env),
        "update": updated,
    }


def b_first(batch: Any) -> Any:
    """The first control step's part of ``[n_steps, num_envs, ...]``."""
    import jax

    return jax.tree.map(lambda x: x[0], batch)


def _bare_c(env: Any, before: Any, control: Any) -> Any:
    """One call of `mujoco.rollout` for all control steps at once: same model, states, controls, substeps, threads."""
    import os

    import mujoco
    import numpy as np
    from mujoco.rollout import Rollout

    from mjx_assist.model import mjcf

    model, substeps = mjcf.load(env.xml), env.physics.n_substeps
    threads = os.cpu_count() or 1
    columns = (before.time[..., None], before.qpos, before.qvel, before.act)
    initial = np.concatenate([np.asarray(x, float) for x in columns], axis=-1)
    initial = initial.reshape(-1, initial.shape[-1])
    controls = np.repeat(np.asarray(control, float).reshape(len(initial), 1, -1), substeps, axis=1)
    data, pool = [mujoco.MjData(model) for _ in range(threads)], Rollout(nthread=threads)
    out = [np.zeros((len(initial), substeps, n)) for n in (initial.shape[1], model.nsensordata)]
    models = [model] * len(initial)

    def job() -> None:
        pool.rollout(models, data, initial, controls, nstep=substeps, state=out[0], sensordata=out[1], skip_checks=True)

    return job


def _bare_compiled(env: Any, before: Any, control: Any) -> Any:
    """One call of the kernel for all control steps at once."""
    import jax

    walk = jax.jit(jax.vmap(jax.vmap(env.physics.step)))
    return lambda: walk(before, control)


def _bare_mjx(env: Any, before: Any, control: Any) -> Any:
    """Nothing but the physics steps of MJX, over the same states and controls."""
    import jax

    physics = env.physics

    def walk(state, ctrl):
        data = physics._template.replace(
            qpos=state.qpos, qvel=state.qvel, act=state.act, ctrl=ctrl, qacc_warmstart=state.warmstart
        )
        one = lambda data, _: (physics._substep(physics._mjx_model, data), None)  # noqa: E731
        data = jax.lax.scan(one, data, None, length=physics.n_substeps)[0]
        return data.qpos, data.qvel, data.act, data.sensordata

    first = jax.eval_shape(jax.vmap(walk), b_first(before), control[0])
    zeros = jax.tree.map(lambda x: jax.numpy.zeros(x.shape, x.dtype), first)
    loop = jax.jit(lambda b, c: jax.lax.scan(lambda _, x: (jax.vmap(walk)(*x), None), zeros, (b, c))[0])
    return lambda: loop(before, control)


BARE = {"mujoco": _bare_c, "compiled": _bare_compiled}


def table(results: dict[str, dict]) -> str:
    """Backends, then peers, as Markdown."""
    parts = ("bare physics", "+ physics", "+ env", "+ policy", "+ update")
    head = ("backend", "envs x steps", "physics steps/s, bare", "control steps/s, training", *parts)
    head = (*head, "beside bare physics", "the same in CPU time", "env loop / bare", "peak memory")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, r in results.items():
        if name in PEERS or "error" in r:
            continue
        per = 1e6 / (r["num_envs"] * r["n_steps"])
        t = [r["seconds"][step] * per for step in STEPS]
        parts = [t[0], *(b - a for a, b in itertools.pairwise(t))]
        memory = r["peak_device_mb"] or r["peak_host_mb"]
        lines.append(
            f"| `{name}` ({r['device']}) | {r['num_envs']} x {r['n_steps']} | {r['physics_steps_per_s']:,.0f} | "
            f"{r['control_steps_per_s']:,.0f} | {' | '.join(f'{x:.1f}' for x in parts)} | {r['overhead']:+.0%} | "
            f"{r['overhead_cpu']:+.0%} | "
            f"{r['env_over_bare']:.2f} | {memory:,.0f} MB |"
        )
    lines += _limit_rows(results)
    peers = {name: r for name, r in results.items() if name in PEERS and "error" not in r}
    if peers:
        lines += [
            "",
            "| peer on the same env | best settings | control steps/s | ours is faster by |",
            "|---" * 4 + "|",
        ]
        ours = max(
            (r["control_steps_per_s"] for n, r in results.items() if n in SIZES and "error" not in r), default=None
        )
        for name, r in peers.items():
            faster = f"{ours / r['control_steps_per_s']:.1f} x" if ours else "-"
            lines.append(f"| {PEERS[name][0]} | {r['settings']} | {r['control_steps_per_s']:,.0f} | {faster} |")
    lines += [f"\n`{name}` did not run: {r['error']}" for name, r in results.items() if "error" in r]
    return "\n".join(lines)


def _limit_rows(results: dict[str, dict]) -> list[str]:
    """What the kernel and the update could reach at best, beside what they do."""
    lines = []
    for name, r in results.items():
        if "limits" not in r:
            continue
        per, peak = 1e6 / (r["num_envs"] * r["n_steps"]), r["limits"]["peak"]
        found = {"bare": r["seconds"]["bare"], "update": r["seconds"]["update"] - r["seconds"]["rollout"]}
        head = (f"`{name}`", "operations a control step", "bytes", "at least, us", "measured, us", "of the limit")
        lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for part, word in (("bare", "bare physics"), ("update", "update")):
            least, took = r["limits"][part], found[part] * per
            us, kind = least["us"]
            lines.append(
                f"| {word} | {least['flops'] / 1e3:,.0f} k | {least['bytes']:,.0f} | {us:.2f} ({kind}) | {took:.2f} | "
                f"{us / took:.0%} |"
            )
        lines += ["", f"Peak: {peak['flops'] / 1e9:,.0f} GFLOP/s, {peak['bytes'] / 1e9:,.1f} GB/s, measured beside it."]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=(*SIZES, *PEERS), default=[*SIZES, *PEERS])
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of each part; the fastest counts")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measure(options.cases[0], options.rounds)))
        return
    here, results = Path(__file__), {}
    for case in options.cases:
        if case in PEERS:
            _, script, backend = PEERS[case]
            results[case] = in_subprocess(here.parent / "peers" / script, "--backend", backend, timeout=TIMEOUT)
        else:
            arguments = ("--inside", "--rounds", options.rounds, "--cases", case)
            results[case] = in_subprocess(here, *arguments, timeout=TIMEOUT)
        print(f"{case}: {json.dumps(results[case])}", flush=True)
    print(f"\n{table(results)}")
    if options.json:
        figures = {"machine": platform.processor(), "results": results}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    failed = [name for name, result in results.items() if "error" in result]
    if options.docs and not failed:
        write_table(DOCS / "performance.md", "throughput", table(results))
    exit_if_failed(failed)


if __name__ == "__main__":
    main()
