"""The files that a user's own model consists of: the XML, what it includes, its meshes, and its recipe."""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import mujoco

from mjx_assist.errors import UserError
from mjx_assist.paths import expanded


def files_of(path: str | Path) -> list[Path]:
    """All files that shape the model in an XML file, as absolute paths, the XML first.

    Raises:
        UserError: the XML is not there, or cannot be read.
    """
    main = expanded(path).absolute()
    if not main.is_file():
        raise UserError(f"model file {str(path)!r} is not there.")
    try:
        spec = mujoco.MjSpec.from_file(str(main))
        parts = _included(main, main.parent)
    except (ValueError, ET.ParseError) as error:
        raise UserError(f"model file {str(path)!r}: {error}") from error
    meshes, textures = main.parent / spec.meshdir, main.parent / spec.texturedir
    parts += [meshes / asset.file for kind in (spec.meshes, spec.hfields, spec.skins) for asset in kind if asset.file]
    parts += [textures / name for texture in spec.textures for name in (texture.file, *texture.cubefiles) if name]
    parts.append(main.with_suffix(".reduction.json"))
    return [main, *dict.fromkeys(part for part in parts if part.is_file() and part != main)]


def digest(files: Iterable[Path]) -> str:
    """SHA-256 of the files' contents, in their order."""
    sums = "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return hashlib.sha256(sums.encode()).hexdigest()


def _included(xml: Path, folder: Path) -> list[Path]:
    """The files of ``<include>``, of included files too; their names are relative to the main file's folder."""
    names = [element.get("file", "") for element in ET.parse(xml).iter("include")]
    return [part for name in names for part in (folder / name, *_included(folder / name, folder))]
