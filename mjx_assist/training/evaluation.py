"""Periodic evaluation: the policy walks in C MuJoCo, in a process of its own, while training goes on."""

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import NamedTuple

import jax

from mjx_assist.config.device import OwnController
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import replace_link, replacing_folder, write_text
from mjx_assist.files.logs import append_row, read_rows
from mjx_assist.files.plain import write_json
from mjx_assist.files.untrusted import read_json
from mjx_assist.paths import BEST, EVALUATION_LOG, TRAIN_LOG
from mjx_assist.policy import bundle as bundles
from mjx_assist.processes import python, start
from mjx_assist.training.callbacks import Callback, Run, is_due
from mjx_assist.training.export import policy_bundle
from mjx_assist.training.tensorboard import Scalars

FOLDER = "evaluation"
FIGURES, OUTPUT, CONTROLLER, ABOUT = "evaluation.json", "output.txt", "controller.json", "about.json"
MOST_WAITING = 4  # policies, before training waits for their evaluations
EPISODES, STEPS, FIRST_SEED = 3, 1000, 0
QUALITY = ("hip", "knee", "ankle")  # whose correlation with the reference is the quality of a gait
log = logging.getLogger(__name__)


class Running(NamedTuple):
    """An evaluation in progress: its process, the folder of its bundle, and which policy it is of."""

    process: subprocess.Popen
    folder: Path
    about: dict


class Evaluation(Callback):
    """Every ``evaluation_frequency`` updates, and at the end, some episodes of the policy without noise.

    One at a time, in the order of the updates: policies wait in ``evaluation/``, at most `MOST_WAITING` of them, then
    training waits; so what is evaluated, and which policy is best, does not depend on the machine's load. Means over
    the episodes go to ``evaluation_log.jsonl``, TensorBoard and ``run.evaluation``; ``best`` leads to the bundle of the
    best policy. What was not evaluated when a run was stopped is when it goes on.
    """

    def __init__(self) -> None:
        self._running: Running | None = None
        self._waiting: list[Path] = []

    def on_start(self, run: Run) -> None:
        self._run, self._folder = run.path, run.path / FOLDER
        self._log = run.path / EVALUATION_LOG
        self._frequency = run.config.logger_params.evaluation_frequency
        self._best = _score_of(run.path / BEST)
        self._board: Scalars | None = None
        if not self._frequency:
            return
        self._folder.mkdir(exist_ok=True)
        rows = read_rows(self._log, run.update)
        write_text(self._log, "".join(json.dumps(row) + "\n" for row in rows))
        run.evaluation = rows[-1] if rows else {}
        self._board = Scalars(self._folder, purge_step=run.control_steps + 1)
        known = {row.get("update") for row in rows}
        saved = sorted(path for path in self._folder.glob("update_*") if (path / ABOUT).is_file())
        self._waiting = [path for path in saved if _update_of(path) <= run.update and _update_of(path) not in known]
        self._remove_others()
        if run.update and run.update % self._frequency == 0 and run.update not in known:
            self._save(run)  # it was stopped, or killed, at that turn

    def on_update(self, run: Run) -> None:
        self._collect(run)
        if not self._frequency or not is_due(run, self._frequency) or run.stop:
            return
        self._save(run)
        self._begin(run)
        while self._running and (run.last or len(self._waiting) > MOST_WAITING):
            self._collect(run, wait=True)

    def on_end(self, run: Run) -> None:
        if self._running:
            self._running.process.kill()
            self._running.process.wait()
        if self._board:
            self._board.close()

    def _save(self, run: Run) -> None:
        """Export the policy; its evaluation waits for its turn."""
        folder = self._folder / f"update_{run.update:06d}"
        if folder in self._waiting:
            return
        state = SimpleNamespace(**jax.device_get(run.state.items()["policy"]))
        rows = read_rows(run.path / TRAIN_LOG, run.update)
        try:
            bundles.save(policy_bundle(run.config, run.env, run.spec, state, rows), folder)
            wall = (run.row or (rows or [{}])[-1]).get("wall_s")
            write_json(folder / ABOUT, {"update": run.update, "control_steps": run.control_steps, "wall_s": wall})
        except UserError as error:
            log.warning("update %d is not evaluated: %s", run.update, error)
            return
        self._waiting.append(folder)

    def _begin(self, run: Run) -> None:
        """Start the next evaluation if none runs; training does not wait for it."""
        while self._running is None and self._waiting:
            folder = self._waiting.pop(0)
            try:
                about = read_json(folder / ABOUT, f"evaluation {str(folder)!r}")
                words = command(folder, run.config.env_params.model_kind, _own_controller(run, folder))
                self._running = Running(start(words, folder / OUTPUT), folder, about)
            except (OSError, UserError) as error:
                log.warning("%s is not evaluated: %s", folder, error)

    def _collect(self, run: Run, wait: bool = False) -> None:
        """Take in the result of an evaluation that has ended, and start the next."""
        self._begin(run)
        if self._running is None or (not wait and self._running.process.poll() is None):
            return
        (process, folder, about), self._running = self._running, None
        if code := process.wait():
            last_line = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            log.warning("evaluation of update %d failed (exit code %d): %s", about["update"], code, *last_line or [""])
            shutil.rmtree(folder, ignore_errors=True)
            self._begin(run)
            return
        result = means(read_json(folder / FIGURES, str(folder)))
        run.evaluation = {**about, **result}
        try:
            append_row(self._log, run.evaluation)
            if self._board:
                self._board.add({k: x for k, x in result.items() if x is not None}, about["control_steps"])
            if self._best is None or score(result) > self._best:
                self._best = score(result)
                _lead(self._run / BEST, folder)
            self._remove_others()
        except (OSError, UserError) as error:
            log.warning("evaluation of update %d is not kept: %s", about["update"], error)
        self._begin(run)

    def _remove_others(self) -> None:
        """Remove the bundles that are neither the best nor waiting, and what a killed run left half written."""
        kept = [(self._run / BEST).resolve(), *(folder.resolve() for folder in self._waiting)]
        for folder in [*self._folder.glob("update_*"), *self._folder.glob(".update_*.part")]:
            if folder.resolve() not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _update_of(folder: Path) -> int:
    number = folder.name.removeprefix("update_")
    return int(number) if number.isdigit() else sys.maxsize


def means(figures: dict) -> dict:
    """Of what ``mjx-assist evaluate --json`` wrote, means over the episodes; None where no episode tells.

    ``gait_quality`` is the mean correlation of hip, knee and ankle with the reference gait.
    """
    episodes = figures["episodes"]
    correlation = {angle: _mean([e["corr_reference"][angle] for e in episodes]) for angle in _angles(episodes)}
    error = {angle: _mean([e["rmse_deg"][angle] for e in episodes]) for angle in _angles(episodes)}
    quality = [x for angle in QUALITY if (x := correlation.get(angle)) is not None]
    return {
        "walking_time_s": _mean([e["time_s"] for e in episodes]),
        "falls": figures["falls"],
        "episodes": len(episodes),
        "distance_m": _mean([e["distance_m"] for e in episodes]),
        "speed_m_s": _mean([e["mean_speed_m_s"] for e in episodes]),
        "gait_quality": fmean(quality) if len(quality) == len(QUALITY) else None,
        **{f"correlation/{angle}": x for angle, x in correlation.items()},
        **{f"rmse_deg/{angle}": x for angle, x in error.items()},
    }


def score(result: dict) -> tuple[float, float]:
    """What the best policy has most of: walking time (s, to 0.01), then gait quality; -1 where none is known."""
    quality = result["gait_quality"]
    return round(result["walking_time_s"], 2), -1.0 if quality is None else quality


def _own_controller(run: Run, folder: Path) -> Path | None:
    """The file that asks for the run's device controller, which a bundle's word alone has not imported."""
    settings = run.config.env_params.device_controller
    if not isinstance(settings, OwnController):
        return None
    write_json(folder / CONTROLLER, dataclasses.asdict(settings))
    return folder / CONTROLLER


def command(folder: Path, kind: str, controller: Path | None = None) -> list[str]:
    """The evaluation of a bundle on the kind of model that it trains on, its figures written next to it."""
    options = {
        "--model": kind,
        "--episodes": EPISODES,
        "--steps": STEPS,
        "--seed": FIRST_SEED,
        "--json": folder / FIGURES,
    }
    options |= {"--controller": controller} if controller else {}
    words = [str(word) for option in options.items() for word in option]
    return python("-m", "mjx_assist", "evaluate", folder, *words)


def _angles(episodes: list[dict]) -> list[str]:
    return list(episodes[0]["corr_reference"])


def _mean(values: list[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return fmean(known) if known else None


def _score_of(bundle: Path) -> tuple[float, float] | None:
    """The score of a bundle that was evaluated before, None if there is none."""
    path = bundle / FIGURES
    return score(means(read_json(path, str(path)))) if path.is_file() else None


def _lead(link: Path, folder: Path) -> None:
    """Make ``link`` lead to a bundle."""
    if link.is_dir() and not link.is_symlink():  # a copy of a run, its links followed
        shutil.rmtree(link)
    try:
        replace_link(link, folder)
    except UserError:  # links need a right here (Windows): a copy does as well
        with replacing_folder(link, "a policy bundle", bundles.is_bundle, lambda reason: f"{link}: {reason}.") as copy:
            shutil.copytree(folder, copy, dirs_exist_ok=True)
