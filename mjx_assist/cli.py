"""The command line: what `mjx-assist` accepts, and how a mistake is answered (one sentence, exit code 2).

The commands themselves are in cli_train.py, cli_replay.py and the like, imported only when they run.
"""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence

import mjx_assist
from mjx_assist.errors import UserError, unknown

MISTAKE, INTERRUPTED = 2, 130
MODEL_KINDS = ("reduced", "full", "composed")
# What the file system may refuse through no fault of this program.
_DISK = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than allowed here",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are `UserError`s; ``flags`` are the long flags it knows."""

    def __init__(self, *args, **kwargs):
        self.flags: list[str] = []
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def add_argument(self, *names, **kwargs):
        self.flags += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **kwargs)

    def error(self, message: str):
        raise UserError(f"{message}. See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises for a user's mistake."""
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except UserError as error:
        interrupted = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        return _say(str(error), INTERRUPTED if interrupted else MISTAKE)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        return MISTAKE
    except OSError as error:
        if error.errno not in _DISK:
            raise
        _drop_output()
        where = f"{str(error.filename)!r}: " if error.filename else ""
        return _say(f"{where}{_DISK[error.errno]}", MISTAKE)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)


def _run(argv: list[str]) -> int:
    parser, commands = build_parser()
    if not argv:
        parser.print_help()
        return MISTAKE
    names = _check_commands(argv, commands)
    overrides: list[tuple[str, str]] = []
    if names == ["train"]:
        from mjx_assist.cli_train import split_overrides

        argv, overrides = split_overrides(argv, commands["train"].flags)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        raise _surplus(rest, " ".join(names), commands[" ".join(names)])
    arguments.overrides = overrides
    arguments.run(arguments)
    return 0


def _check_commands(argv: list[str], commands: dict[str, Parser]) -> list[str]:
    """The command's words at the start of ``argv``; a word that is none answers with the nearest."""
    names: list[str] = []
    for word in argv:
        choices = [c.split()[len(names)] for c in commands if c.split()[: len(names)] == names and c != " ".join(names)]
        if not choices or word.startswith("-"):
            break
        if word not in choices:
            raise unknown(f"command of '{' '.join(['mjx-assist', *names])}'", word, dict.fromkeys(choices))
        names.append(word)
    return names


def _surplus(rest: list[str], command: str, parser: Parser) -> UserError:
    """The error for arguments that no parser took."""
    flags = [word.partition("=")[0] for word in rest if word.startswith("-")]
    if flags:
        return unknown(f"flag of 'mjx-assist {command}'", flags[0], parser.flags)
    return UserError(f"mjx-assist {command}: {rest[0]!r} is one argument too many. See: {parser.prog} --help")


def _say(message: str, code: int) -> int:
    print(f"mjx-assist: error: {message}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Whoever read our output is gone, or it cannot be written: keep Python from complaining when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser, and the parser of each command by its words (``"models report"``)."""
    parser = Parser(prog="mjx-assist", description=mjx_assist.__doc__)
    parser.add_argument("--version", action="version", version=f"mjx-assist {mjx_assist.__version__}")
    group = parser.add_subparsers(metavar="COMMAND", required=True)
    commands: dict[str, Parser] = {}

    def command(name: str, text: str, parent=group) -> Parser:
        made = parent.add_parser(name.split()[-1], help=text, description=text[0].upper() + text[1:] + ".")
        commands[name] = made
        return made

    _add_train(command("train", "train a policy, then export it into the run's folder"))
    _add_export(command("export", "write the policy of a run's newest checkpoint as a bundle"))
    _add_plot(command("plot", "draw the curves of training runs: learning, reward terms, evaluation"))
    _add_evaluate(command("evaluate", "let a policy walk in CPU MuJoCo and measure it"))
    _add_replay(command("replay", "watch a policy walk in real time"))
    _add_report(command("report", "write a gait report: verdict, figures and tables on one page, and all its numbers"))
    _add_record(command("record", "replay one episode and save its gait record"))
    _add_convert(command("convert", "a gait record to CSV, OpenSim or MyoAssist files, or those to a gait record"))
    _add_compare(command("compare", "policies and device controllers with the same seeds: what differs, how surely"))
    _add_challenge(command("challenge", "one table of speeds, slopes, rough ground, pushes and models for policies"))
    models = command("models", "the humans and devices there are, and their reduced models")
    parts = models.add_subparsers(metavar="COMMAND", required=True)
    models_list = command("models list", "humans, the devices that each can wear, and their reduced models", parts)
    models_list.set_defaults(run=_later("models", "show_list"))
    _add_models_show(command("models show", "draw the full and the reduced model side by side", parts))
    _add_models_report(command("models report", "how close the reduced model is to the full one", parts))
    _add_models_sweep(command("models sweep", "reduce and measure all compositions, and write their tables", parts))
    _add_models_export(command("models export", "write the reduced model as MJCF, and its couplings as JSON", parts))
    return parser, commands


def _later(module: str, function: str) -> Callable[[argparse.Namespace], None]:
    """``cli_<module>.<function>``, imported when it is called."""

    def run(arguments: argparse.Namespace) -> None:
        import importlib

        getattr(importlib.import_module(f"mjx_assist.cli_{module}"), function)(arguments)

    return run


def _add_train(parser: Parser) -> None:
    parser.usage = "mjx-assist train CONFIG [--any.config.key VALUE ...] [--out DIR] [--init-from RUN_OR_BUNDLE]"
    parser.usage += " [--resume RUN] [--seeds N]"
    parser.add_argument("config", metavar="CONFIG", nargs="?", help="a JSON file, or a preset such as walk22_exo")
    parser.add_argument(
        "--out", metavar="DIR", default="results", help="the folder for the run's own (default: results)"
    )
    parser.add_argument("--resume", metavar="RUN", help="go on with this run; CONFIG may then be left out")
    text = "start from this policy's networks instead of fresh ones (a shipped one by name); more in init_from.*"
    parser.add_argument("--init-from", metavar="RUN_OR_BUNDLE", help=text)
    text = "several hosts, one run: the address of the first, or 'auto' where JAX knows the cluster (Slurm, ...)"
    parser.add_argument("--hosts", metavar="HOST:PORT", help=text)
    parser.add_argument("--host-count", metavar="N", type=_positive, help="how many hosts there are")
    parser.add_argument("--host-index", metavar="I", type=_natural, help="which of them this is, from 0")
    text = "this many runs one after another, each with a seed of its own, in one folder; then mean and spread"
    parser.add_argument("--seeds", metavar="N", type=_positive, help=text)
    text = "log to Weights & Biases too (pip install 'mjx-assist[wandb]'; default project: mjx-assist)"
    parser.add_argument("--wandb", metavar="PROJECT", nargs="?", const="mjx-assist", help=text)
    parser.epilog = (
        "Every key of the config is a flag: --env_params.num_envs 512. Another walker: --env_params.msk_key myolegs26 "
        "--env_params.device_key STRIDE_L2 (see 'mjx-assist models list'), or --env_params.model_path FILE"
    )
    parser.set_defaults(run=_later("train", "train"))


def _add_plot(parser: Parser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a run's folder, or a folder of runs (train --seeds)")
    text = "the folder for the pictures (default: RUN/plots; needed for several RUNs)"
    parser.add_argument("-o", "--out", metavar="DIR", help=text)
    parser.set_defaults(run=_later("runs", "plot"))


def _add_export(parser: Parser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a training run's folder")
    parser.add_argument("-o", "--out", metavar="BUNDLE", required=True, help="the bundle's folder")
    text = "only the device's controller, for its computer: ONNX, torque profile; RUN may be a bundle"
    parser.add_argument("--device-controller", action="store_true", help=text)
    parser.set_defaults(run=_later("files", "export"))


def _add_evaluate(parser: Parser) -> None:
    _add_policy(parser, MODEL_KINDS)
    _add_episodes(parser, episodes=5)
    parser.add_argument("--json", metavar="FILE", help="write the figures of every episode here")
    text = "survival against pushes, friction, loss of strength, noise and delay instead"
    parser.add_argument("--stress", action="store_true", help=text)
    parser.add_argument("-o", "--out", metavar="DIR", help="of --stress: the folder for its JSON and its figure")
    parser.set_defaults(run=_later("walk", "evaluate"))


def _add_replay(parser: Parser) -> None:
    _add_policy(parser, MODEL_KINDS)
    parser.add_argument("--headless", action="store_true", help="no picture: walk once, tell the real-time factor")
    parser.add_argument("--web", action="store_true", help="in a browser, for machines without a display (viser)")
    parser.add_argument("--host", metavar="ADDRESS", help="of --web (default: 127.0.0.1, for this machine only)")
    parser.add_argument("--port", metavar="N", type=_positive, help="of --web (default: 8080)")
    parser.add_argument("--video", metavar="FILE", help="write a film of one episode: .mp4 or .gif")
    parser.add_argument("--plots", action="store_true", help="live plots beside the picture of --video")
    parser.add_argument("--steps", type=_positive, default=1000, help="control steps of an episode (default: 1000)")
    parser.add_argument("--seed", type=_natural, default=0, help="seed of the first episode (default: 0)")
    parser.set_defaults(run=_later("replay", "replay"))


def _add_report(parser: Parser) -> None:
    text = "a training run's folder or a policy bundle; or gait records (.npz), which need no simulation"
    parser.add_argument("sources", metavar="RUN_OR_BUNDLE|RECORD.npz", nargs="+", help=text)
    text = "what drives the device: learned, zero_torque, profile, spline, impedance, or a .json file"
    parser.add_argument("--controller", metavar="NAME|FILE", help=f"{text} (default: as trained)")
    text = "reduced: as trained (default); full: the unreduced model with rigid couplings; composed: as it is"
    parser.add_argument("--model", metavar="|".join(MODEL_KINDS), type=_one_of(MODEL_KINDS), help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the report's folder")
    _add_episodes(parser, episodes=5)
    parser.add_argument("--pdf", action="store_true", help="the page as report.pdf too (WeasyPrint or Chromium)")
    parser.set_defaults(run=_later("report", "report"))


def _add_record(parser: Parser) -> None:
    _add_policy(parser, MODEL_KINDS)
    parser.add_argument("-o", "--out", metavar="FILE.npz", required=True, help="the gait record's file")
    parser.add_argument("--steps", type=_positive, default=1000, help="control steps of the episode (default: 1000)")
    parser.add_argument("--seed", type=_natural, default=0, help="seed of the episode (default: 0)")
    text = "a sample every control step, or every physics step (default: physics, at most 250 a second)"
    rates = ("control", "physics")
    parser.add_argument("--rate", metavar="|".join(rates), type=_one_of(rates, "--rate"), help=text)
    parser.set_defaults(run=_later("files", "record"))


def _add_convert(parser: Parser) -> None:
    text = "a gait record .npz; or .csv, .mot, .sto, .json files of one walk, or a folder of .mot and .sto files"
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help=text)
    text = "FILE.npz, .csv, .mot (joint angles), _grf.mot (ground reaction), .sto (muscles, moments), .json "
    text += "(MyoAssist's gait_evaluated_data), or a folder: all of OpenSim's"
    parser.add_argument("-o", "--out", metavar="OUTPUT", required=True, help=text)
    parser.set_defaults(run=_later("files", "convert"))


def _add_compare(parser: Parser) -> None:
    parser.add_argument("policies", metavar="RUN_OR_BUNDLE", nargs="+", help="training runs or policy bundles")
    text = "with commas: trained, learned, zero_torque, profile, spline, impedance, or .json files"
    more = "default: trained, and for one policy zero_torque too"
    parser.add_argument("--conditions", metavar="A,B,...", help=f"what drives the device, {text} ({more})")
    text = "speeds to walk at, m/s, with commas (default: the middle of what the first policy was trained for)"
    parser.add_argument("--speeds", metavar="V,...", help=text)
    text = "reduced: as trained (default); full: the unreduced model with rigid couplings"
    parser.add_argument("--model", metavar="reduced|full", type=_one_of(MODEL_KINDS[:2]), default="reduced", help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the comparison's folder")
    _add_episodes(parser, episodes=10)
    parser.set_defaults(run=_later("compare", "compare"))


def _add_challenge(parser: Parser) -> None:
    parser.add_argument("policies", metavar="RUN_OR_BUNDLE", nargs="+", help="training runs or policy bundles")
    text = "the table's folder; rows that it holds already are not walked again"
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help=text)
    text = "only these groups of rows, with commas: speeds, slopes, terrain, pushes, commands, models (default: all)"
    parser.add_argument("--only", metavar="GROUP,...", help=text)
    parser.add_argument("--episodes", type=_positive, default=10, help="seeds of each row (default: 10)")
    parser.add_argument("--seed", type=_natural, default=0, help="the first seed (default: 0)")
    parser.set_defaults(run=_later("challenge", "challenge"))


def _add_models_show(parser: Parser) -> None:
    _add_human(parser)
    parser.add_argument("-o", "--out", metavar="FILE", required=True, help="the picture, a PNG file")
    parser.set_defaults(run=_later("models", "show"))


def _add_models_report(parser: Parser) -> None:
    _add_human(parser)
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    parser.add_argument("-o", "--out", metavar="DIR", help="write plots of moment arms and motions into this folder")
    parser.set_defaults(run=_later("models", "report"))


def _add_models_sweep(parser: Parser) -> None:
    parser.add_argument("human", metavar="HUMAN", nargs="*", help="only these humans (default: all)")
    parser.add_argument("--device", metavar="DEVICE", action="append", help="only this device; may be repeated")
    text = "a file of figures for each composition goes here, and is read again while it is up to date"
    parser.add_argument(
        "-o", "--out", metavar="DIR", default="results/models", help=f"{text} (default: results/models)"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the table that 'models list' reads (models/fidelity.json)"
    )
    parser.add_argument("--markdown", metavar="FILE", help="put the tables into this file, such as docs/models.md")
    parser.set_defaults(run=_later("models", "sweep"))


def _add_models_export(parser: Parser) -> None:
    _add_human(parser)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the folder for model.xml and coupling.json")
    parser.set_defaults(run=_later("models", "export"))


def _add_policy(parser: Parser, kinds: Sequence[str]) -> None:
    parser.add_argument("policy", metavar="RUN_OR_BUNDLE", help="a training run's folder or a policy bundle")
    text = "what drives the device: learned, zero_torque, profile, spline, impedance, or a .json file"
    parser.add_argument("--controller", metavar="NAME|FILE", help=f"{text} (default: as trained)")
    if kinds:
        text = "reduced: as trained (default); full: the unreduced model with rigid couplings"
        text += "; composed: the unreduced model as it is" if "composed" in kinds else ""
        parser.add_argument("--model", metavar="|".join(kinds), type=_one_of(kinds), default="reduced", help=text)


def _add_episodes(parser: Parser, episodes: int) -> None:
    parser.add_argument("--steps", type=_positive, default=1000, help="control steps of an episode (default: 1000)")
    parser.add_argument("--episodes", type=_positive, default=episodes, help=f"how many (default: {episodes})")
    parser.add_argument("--seed", type=_natural, default=0, help="seed of the first episode (default: 0)")


def _add_human(parser: Parser) -> None:
    parser.add_argument(
        "human", metavar="HUMAN", help="a key of 'mjx-assist models list', or a model of your own: its .xml"
    )
    parser.add_argument(
        "device", metavar="DEVICE", nargs="?", default="none", help="a device of that human (default: none)"
    )


def _positive(text: str) -> int:
    return _whole(text, 1)


def _natural(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not {text!r}")
    return value


def _one_of(kinds: Sequence[str], flag: str = "--model") -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in kinds:
            raise unknown(flag, text, kinds)
        return text

    return check


if __name__ == "__main__":
    sys.exit(main())
