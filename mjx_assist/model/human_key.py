"""What a human's key says: ``myolegs22+passive@subject=height:1.62,mass:55@lean=0.26``."""

import re
from typing import NamedTuple

from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.subject import Subject, to_text, to_tree
from mjx_assist.config.subject import check as check_subject
from mjx_assist.config.tree import build
from mjx_assist.config.words import ASSIST_SIM, BODY_MARK, SUBJECT_MARK
from mjx_assist.model import bodies, lean
from mjx_assist.model.own import file as own_file


class HumanKey(NamedTuple):
    """``human``: assist_sim's key, or the path of a user's model; ``body``: of bodies.py; ``subject``: None is the
    standard body; ``lean``: rad."""

    human: str
    body: str
    subject: Subject | None
    lean: float


def parse(human: str) -> HumanKey:
    """The parts of a key. Raises `UserError` for a lean or a subject that cannot be."""
    key, forward = lean.split(human)
    key, mark, text = key.partition(SUBJECT_MARK)
    base, body = (key, ASSIST_SIM) if own_file.is_path(key) else bodies.split(key)
    return HumanKey(base, body, _subject(text) if mark else None, forward)


def without_person(human: str) -> str:
    """The key of the standard body of a person."""
    return re.sub(rf"{re.escape(SUBJECT_MARK)}[^@]*", "", human)


def subject_of(human: str) -> str:
    """The person of a key, as its part says it: ``height:1.62,mass:55``."""
    subject = parse(human).subject
    return "standard body" if subject is None else to_text(subject).removeprefix(SUBJECT_MARK) or "standard body"


def _subject(text: str) -> Subject:
    where = f"{SUBJECT_MARK}{text}"
    subject = build(Subject, to_tree(text), where)
    check_numbers(subject, where)
    check_subject(subject, where)
    return subject


def short(human: str) -> str:
    """A key or path as a title: a file's stem, and a person in few words."""
    key = parse(human)
    if own_file.is_path(human):
        return own_file.stem(human)
    named = key.human if key.body == ASSIST_SIM else f"{key.human}{BODY_MARK}{key.body}"
    told = [named, *([_told(key.subject)] if key.subject else []), *([f"leaning {key.lean:g} rad"] if key.lean else [])]
    return ", ".join(told)


def _told(subject: Subject) -> str:
    size = [f"{value:g} {unit}" for value, unit in ((subject.height, "m"), (subject.mass, "kg")) if value]
    words = [*size, *([subject.sex] if subject.sex else []), *([f"{subject.age:g} years"] if subject.age else [])]
    return " ".join(words) or ("standard body" if subject == Subject() else to_text(subject))
