"""The command line: what `mjx-assist` accepts, and how a mistake is answered (one sentence, exit code 2).

Each command is a file of this folder, flags and code together, imported only when it is asked for. A new command is a
file with ``add_<command>(parser)``, and a line of `COMMANDS`.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

import mjx_assist
from mjx_assist.cli import completion
from mjx_assist.cli.arguments import Parser
from mjx_assist.cli.surroundings import check_drawing, check_words, ending_signals, refusal, speak_any_locale
from mjx_assist.errors import UserError, unknown
from mjx_assist.processes import current_folder_left_alone, end_with_stdin

MISTAKE, INTERRUPTED = 2, 130
# Words of a command -> what it does. "a b" has its flags and code in a.py, set up by ``add_b``.
COMMANDS = {
    "demo": "replay, report and compare the policies that ship: two minutes, no training",
    "policies": "the trained policies that ship, by name",
    "configs": "the presets to train, and what a config's keys mean",
    "configs list": "the presets, and what each teaches",
    "configs show": "print a preset or a config",
    "configs keys": "what the keys of a config mean, with units, limits and defaults",
    "init": "write a commented config to begin with, from a few answers or flags",
    "doctor": "what this machine has: devices, renderer, compiler, versions; and what to install",
    "completion": "the shell's completion: names, flags and config keys at a press of Tab",
    "train": "train a policy, then export it into the run's folder",
    "import": "a policy or config of MyoAssist's as a bundle or config",
    "export": "write the policy of a run's newest checkpoint as a bundle",
    "plot": "draw the curves of training runs: learning, reward terms, evaluation",
    "evaluate": "let a policy walk in CPU MuJoCo and measure it",
    "replay": "watch a policy walk in real time",
    "report": "write a gait report: verdict, figures and tables on one page, and all its numbers",
    "analyze": "the reports that a config's evaluate_param_list asks for, once more",
    "record": "replay one episode and save its gait record",
    "convert": "a gait record to CSV, OpenSim or MyoAssist files, or those to a gait record",
    "compare": "policies and device controllers with the same seeds: what differs, how surely",
    "study": "train several seeds of every side, then compare the sides with intervals over trainings",
    "optimize": "the best device of a family: searched, walked afresh, trained alone; surfaces, front, firmware's file",
    "validate": "published experiments walked by trained policies: which effects come out, and which do not",
    "challenge": "one table of speeds, slopes, rough ground, pushes and models for policies",
    "zoo": "one config on every human and device, each trained and judged; one table and page",
    "subjects": "who walks: people of other sizes, builds and strengths",
    "subjects draw": "draw a cohort from measured heights and builds of adults",
    "subjects show": "who they are, as bodies, in a table",
    "subjects import": "a subject from a scaled OpenSim model, OpenCap's folder or a table of lengths",
    "subjects picture": "draw people standing beside one another",
    "subjects study": "a study of people with a device's torque and without, to be run by 'study'",
    "subjects compare": "two conditions over people: who gains, with an interval over people",
    "models": "the humans and devices there are, and their reduced models",
    "models list": "humans, the devices that each can wear, and their reduced models",
    "models show": "draw the full and the reduced model side by side",
    "models report": "how close the reduced model is to the full one",
    "models sweep": "reduce and measure all compositions, and write their tables",
    "models export": "write the reduced model as MJCF, and its couplings as JSON",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises for a user's mistake."""
    end_with_stdin()
    speak_any_locale()
    try:
        with current_folder_left_alone(), ending_signals():
            code = _run(list(sys.argv[1:] if argv is None else argv))
            sys.stdout.flush()
        return code
    except UserError as error:
        interrupted = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        return _say(str(error), INTERRUPTED if interrupted else MISTAKE)
    except KeyboardInterrupt as end:
        return _say(f"stopped by {end}" if str(end) else "interrupted", INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        return MISTAKE
    except MemoryError:
        return _say("out of memory: there is less here than this asks for", MISTAKE)
    except OSError as error:
        if (sentence := refusal(error)) is None:
            raise
        _drop_output()
        return _say(sentence, MISTAKE)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)


def _run(argv: list[str]) -> int:
    check_words(argv)
    if completion.asked():
        completion.answer(build_parser, list(COMMANDS))
    names = _check_commands(argv)
    parser, commands = build_parser(" ".join(names))
    if not argv:
        parser.print_help()
        return MISTAKE
    overrides: list[tuple[str, str]] = []
    if names == ["train"]:
        from mjx_assist.cli.train import split_overrides

        argv, overrides = split_overrides(argv, commands["train"].flags)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        raise _surplus(rest, " ".join(names), commands[" ".join(names)])
    arguments.overrides = overrides
    check_drawing()
    arguments.run(arguments)
    return 0


def _check_commands(argv: list[str]) -> list[str]:
    """The command's words at the start of ``argv``; a word that is none answers with the nearest."""
    names: list[str] = []
    for word in argv:
        choices = [c.split()[len(names)] for c in COMMANDS if c.split()[: len(names)] == names and c != " ".join(names)]
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
    with contextlib.suppress(OSError):  # nobody is there to read it
        print(f"mjx-assist: error: {message}", file=sys.stderr, flush=True)
    return code


def _drop_output() -> None:
    """Whoever read our output is gone, or it cannot be written: keep Python from complaining when it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser(chosen: str) -> tuple[Parser, dict[str, Parser]]:
    """The parser of all commands, with the flags of the ``chosen`` one alone, and the parser of each by its words."""
    parser = Parser(prog="mjx-assist", description=mjx_assist.__doc__)
    parser.add_argument("--version", action="version", version=f"mjx-assist {mjx_assist.__version__}")
    groups = {"": parser.add_subparsers(metavar="COMMAND", required=True)}
    commands: dict[str, Parser] = {}
    for words, text in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        made = groups[group].add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        commands[words] = made
        if any(other.startswith(f"{words} ") for other in COMMANDS):
            groups[words] = made.add_subparsers(metavar="COMMAND", required=True)
        elif words == chosen:
            module = importlib.import_module(f"mjx_assist.cli.{words.split()[0]}")
            getattr(module, f"add_{name}")(made)
    return parser, commands
