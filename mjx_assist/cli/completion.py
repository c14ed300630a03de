"""The command `completion`, and what a press of Tab answers: commands, flags, policies, presets, config keys.

The work is argcomplete's; here is what it cannot know.
"""

import argparse
import os
from collections.abc import Callable, Sequence

from mjx_assist.cli.arguments import Parser, one_of

SHELLS = ("bash", "zsh", "fish", "powershell")
_ASKED = "_ARGCOMPLETE"  # the shell's function sets it


def add_completion(parser: Parser) -> None:
    text = f"{', '.join(SHELLS)} (default: bash)"
    parser.add_argument(
        "shell", metavar="SHELL", nargs="?", type=one_of(SHELLS, "completion"), default="bash", help=text
    )
    parser.epilog = (
        'bash, zsh: eval "$(mjx-assist completion bash)" in your .bashrc; fish: mjx-assist completion fish | source'
    )
    parser.set_defaults(run=completion)


def completion(arguments: argparse.Namespace) -> None:
    """Print the code that the shell is to read."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["mjx-assist"], shell=arguments.shell))


def asked() -> bool:
    """Whether this process was started by a press of Tab."""
    return _ASKED in os.environ


def answer(parser_of: Callable[[str], tuple[Parser, dict[str, Parser]]], commands: Sequence[str]) -> None:
    """Print what the word at the cursor can be, and end the process."""
    import argcomplete

    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0") or 0)]
    parser, made = parser_of(command_of(line.split()[1:], commands))
    teach(made)
    argcomplete.autocomplete(parser, always_complete_options="long")


def command_of(words: Sequence[str], commands: Sequence[str]) -> str:
    """The command that a line begins with."""
    for count in (2, 1):
        if " ".join(words[:count]) in commands:
            return " ".join(words[:count])
    return ""


def teach(parsers: dict[str, Parser]) -> None:
    """Give the arguments of commands what they can be completed with; ``train`` gets a flag for every config key."""
    if "train" in parsers and parsers["train"].flags:
        from mjx_assist.cli.train import config_keys

        for key in config_keys():
            parsers["train"].add_argument(f"--{key}", metavar="VALUE")
    for parser in parsers.values():
        for action in parser._actions:
            if action.dest in COMPLETERS:
                action.completer = COMPLETERS[action.dest]  # pyright: ignore[reportAttributeAccessIssue]


def _policies(prefix: str, **_: object) -> list[str]:
    from mjx_assist.policy import shipped

    return [*shipped.names(), *_files(prefix)]


def _configs(prefix: str, **_: object) -> list[str]:
    from mjx_assist.config.read import preset_names

    return [*preset_names(), *_files(prefix)]


def _controllers(prefix: str, **_: object) -> list[str]:
    from mjx_assist.config.device import PUBLISHED
    from mjx_assist.config.words import LEARNED

    return [LEARNED, *PUBLISHED, *_files(prefix)]


def _humans(prefix: str, **_: object) -> list[str]:
    from mjx_assist.model.assembly import available

    return [*available(), *_files(prefix)]


def _devices(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from mjx_assist.model.assembly import available

    return available().get(getattr(parsed_args, "human", None) or "", [])


def _files(prefix: str) -> list[str]:
    from argcomplete.completers import FilesCompleter

    return list(FilesCompleter()(prefix))


def _kinds(prefix: str, **_: object) -> list[str]:
    from mjx_assist.config.words import MODEL_KINDS

    return list(MODEL_KINDS)


COMPLETERS = {
    **dict.fromkeys(("policy", "policies", "sources", "against", "init_from"), _policies),
    "config": _configs,
    "controller": _controllers,
    "human": _humans,
    "device": _devices,
    "model": _kinds,
}
