"""The command `replay`: a walk in MuJoCo's window, in a browser, as a film, or as fast as it goes."""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from mjx_assist.cli.arguments import Parser, add_policy, model_of, natural, port, positive
from mjx_assist.cli.conditions import add_conditions, under
from mjx_assist.cli.evaluate import episode_line
from mjx_assist.config.words import MODEL_KINDS
from mjx_assist.errors import UserError
from mjx_assist.eval.gait.summary import episode_summary
from mjx_assist.eval.replay.conditions import Conditions
from mjx_assist.eval.replay.replay import replay as replay_episode
from mjx_assist.eval.replay.replay import walk
from mjx_assist.eval.replay.walk import ground_of
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.eval.view.choices import Choices, Loader
from mjx_assist.files.atomic import check_writable
from mjx_assist.paths import BEST
from mjx_assist.policy import shipped
from mjx_assist.policy.bundle import Bundle
from mjx_assist.training import export
from mjx_assist.training.export import load_policy

_NEEDS = {"plots": "video", "host": "web", "port": "web"}  # flags that say something about another one


def add_replay(parser: Parser) -> None:
    add_policy(parser, MODEL_KINDS)
    add_conditions(parser)
    parser.add_argument("--headless", action="store_true", help="no picture: walk once, tell the real-time factor")
    parser.add_argument("--web", action="store_true", help="in a browser, for machines without a display (viser)")
    parser.add_argument("--host", metavar="ADDRESS", help="of --web (default: 127.0.0.1, for this machine only)")
    parser.add_argument("--port", metavar="N", type=port, help="of --web (default: 8080)")
    parser.add_argument("--video", metavar="FILE", help="write a film of one episode: .mp4 or .gif")
    parser.add_argument("--plots", action="store_true", help="live plots beside the picture of --video")
    parser.add_argument("--steps", type=positive, default=1000, help="control steps of an episode (default: 1000)")
    parser.add_argument("--seed", type=natural, default=0, help="seed of the first episode (default: 0)")
    parser.set_defaults(run=replay)


def replay(arguments: argparse.Namespace) -> None:
    """Show the walk the way that was asked for; in a window if none was."""
    _check_flags(arguments)
    bundle, conditions = under(arguments, load_policy(arguments.policy))
    requested = bundle, model_of(arguments.model, [bundle]), arguments.steps, arguments.seed, conditions
    if arguments.headless:
        _headless(*requested)
    elif arguments.video:
        _film(*requested, arguments.video, arguments.plots)
    else:
        _watch(arguments, *requested)


def _watch(
    arguments: argparse.Namespace, bundle: Bundle, kind: str, steps: int, seed: int, conditions: Conditions
) -> None:
    """In the browser where that was asked for, or where no window can be and somebody sits at a terminal."""
    from mjx_assist.eval.view import window

    somebody = sys.stdout.isatty() and find_spec("viser") is not None
    page = arguments.web or (somebody and not window.has_display())
    if page:
        from mjx_assist.eval.view import web

        web.installed()
    else:
        window.check_display()
    choices = Choices(_policies(arguments, bundle, kind), steps, seed, conditions)
    if page:
        web.serve(choices, arguments.host or web.HOST, arguments.port or web.PORT)
    else:
        window.watch(choices)


def _policies(arguments: argparse.Namespace, bundle: Bundle, kind: str) -> dict[str, Loader]:
    """What to switch between: the policy asked for, the best one and the checkpoints of its run, those that ship."""

    def loader(load: Callable[[], Bundle]) -> Loader:
        def made() -> tuple[Bundle, str]:
            other = under(arguments, load())[0]
            return other, model_of(arguments.model, [other])

        return made

    run, name = Path(arguments.policy), Path(arguments.policy).name or arguments.policy
    found: dict[str, Loader] = {name: lambda: (bundle, kind)}
    if (run / BEST).exists():
        found[f"{name}, best"] = loader(partial(load_policy, run / BEST))
    for update in reversed(export.updates_saved(run)):
        found[f"{name}, update {update}"] = loader(partial(export.export_run, run, update))
    for other in shipped.names():
        found.setdefault(other, loader(partial(load_policy, other)))
    return found


def _check_flags(arguments: argparse.Namespace) -> None:
    ways = [f"--{way}" for way in ("headless", "web", "video") if getattr(arguments, way)]
    if len(ways) > 1:
        raise UserError(f"{' and '.join(ways)}: choose one way to replay.")
    for flag, way in _NEEDS.items():
        if getattr(arguments, flag) and not getattr(arguments, way):
            raise UserError(f"--{flag} goes with --{way} only.")


def _headless(bundle: Bundle, kind: str, steps: int, seed: int, conditions: Conditions) -> None:
    """Walk as fast as it goes; tell how fast that is, the making of the gait record included."""
    clock: list[tuple[float, float]] = []

    def on_step(_: Walker, now: float) -> bool:
        clock.append((time.perf_counter(), now))
        return True

    record = replay_episode(bundle, kind, steps, seed, on_step, conditions=conditions)
    ended = time.perf_counter()
    print(episode_line(episode_summary(record)))
    if len(clock) > 1:
        factor = (clock[-1][1] - clock[0][1]) / (ended - clock[0][0])
        print(f"real-time factor {factor:.1f} ({kind} model, one CPU core, gait record made)")


def _film(bundle: Bundle, kind: str, steps: int, seed: int, conditions: Conditions, path: str, plots: bool) -> None:
    from mjx_assist.eval.view import video

    video.check(path)
    check_writable(path, folder=False)
    record = walk(bundle, kind, steps, seed, conditions=conditions)
    frames = video.write_video(bundle, record, path, plots, ground_of(bundle, seed, conditions))
    print(f"film {path}: {frames} frames, {record.time[-1]:.1f} s")
