"""People in files: one person's, a cohort's (JSON), or a table of people (CSV); as data of `Subject`, unchecked."""

from collections.abc import Sequence
from pathlib import Path

from mjx_assist.config.comments import read_json
from mjx_assist.config.subject import ABOUT, SUBJECTS
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.roster import is_roster, read_roster

PART_MARK = "#"  # between a cohort's file and the name of one of its people


def read_subject(name: str) -> dict:
    """The data of a subject in a file of its own, or of one in a cohort's: ``cohort.json#S03``.

    Raises:
        UserError: no such file, no JSON, no such subject.
    """
    file, _, part = name.partition(PART_MARK)
    tree = _read(Path(file))
    people = tree.get(SUBJECTS)
    if not isinstance(people, dict):
        if part:
            raise UserError(f"subject file {file!r} is of one person, so it has no {PART_MARK}{part}.")
        return {key: value for key, value in tree.items() if key != ABOUT}
    if part not in people:
        raise unknown(f"subject in {file!r}, as FILE{PART_MARK}NAME", part, people)
    if not isinstance(people[part], dict):
        raise UserError(f"subject {name!r}: expected a group of keys, got {people[part]!r}.")
    return people[part]


def read_people(names: Sequence[str]) -> dict[str, dict]:
    """Name -> data of everyone in the files: one person's (by the file's name), a cohort's, or one of a cohort.

    Raises:
        UserError: as `read_subject`; nobody.
    """
    people: dict[str, dict] = {}
    for name in names:
        path, _, part = name.partition(PART_MARK)
        found = _read(Path(path)).get(SUBJECTS) if not part else None
        if isinstance(found, dict):
            own = {each: read_subject(f"{path}{PART_MARK}{each}") for each in found}
        else:
            own = {part or Path(path).stem: read_subject(name)}
        for each, person in own.items():
            people[each if each not in people else f"{name} {each}"] = person
    if not people:
        raise UserError(f"nobody is in {', '.join(map(repr, names)) or 'no file'}.")
    return people


def _read(path: Path) -> dict:
    if path.is_file() and is_roster(path):
        return {SUBJECTS: read_roster(path)}
    return read_json(path, "subject file")
