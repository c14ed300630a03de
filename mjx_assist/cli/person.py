"""Who walks, as flags: a subject's file, height and mass; and the human's key that they make."""

import argparse
import json

from mjx_assist.cli.arguments import Parser, number_of
from mjx_assist.errors import UserError

SUBJECT = "FILE[#NAME]"


def add_person(parser: Parser) -> None:
    """``--subject``, ``--height`` and ``--mass``."""
    text = "who walks: a subject's file, or one person of a cohort's (mjx-assist subjects, docs/subjects.md)"
    parser.add_argument("--subject", metavar=SUBJECT, help=text)
    parser.add_argument("--height", metavar="M", type=number_of, help="the person's height, m (in the file's place)")
    parser.add_argument("--mass", metavar="KG", type=number_of, help="the person's mass, kg (in the file's place)")


def person_of(arguments: argparse.Namespace) -> dict | None:
    """What the flags say of a person, as the data of ``env_params.subject``; None: nothing."""
    from mjx_assist.config.people import read_subject

    tree = read_subject(arguments.subject) if arguments.subject else {}
    tree |= {key: value for key in ("height", "mass") if (value := getattr(arguments, key)) is not None}
    return tree if arguments.subject or tree else None


def person_keys(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """The same as a ``(dotted.key, text)`` override of a config."""
    person = person_of(arguments)
    return [] if person is None else [("env_params.subject", json.dumps(person))]


def key_of(arguments: argparse.Namespace) -> str:
    """The human's key with the person in it.

    Raises:
        UserError: the key has a person already; a subject that cannot be.
    """
    person = person_of(arguments)
    return arguments.human if person is None else key_with(arguments.human, person, "subject")


def key_with(human: str, person: dict, where: str) -> str:
    """A human's key with a person's data in it; ``where`` begins the sentence about a mistake."""
    from mjx_assist.config.limits import check as check_numbers
    from mjx_assist.config.subject import Subject, check, to_text
    from mjx_assist.config.tree import build
    from mjx_assist.config.words import LEAN_MARK, SUBJECT_MARK

    if SUBJECT_MARK in human:
        raise UserError(f"human {human!r} names a subject already; give one of them.")
    subject = build(Subject, person, where)
    check_numbers(subject, where)
    check(subject, where)
    key, mark, lean = human.partition(LEAN_MARK)
    return f"{key}{to_text(subject)}{mark}{lean}"
