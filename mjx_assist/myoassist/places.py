"""Where the files lie that a config of MyoAssist names: relative to its repository, in which the config lies too."""

from pathlib import Path


def found(named: str, config: Path | None) -> Path | None:
    """The file that a config names, from where we are or from a folder that the config is in; None if there is none."""
    path = Path(named).expanduser()
    above = config.resolve().parents if config else ()
    places = [path, *(folder / path for folder in above)]
    places += [place.with_name(f"{place.name}.zip") for place in places if place.name]  # as Stable-Baselines3 does
    return next((place for place in places if place.exists()), None)
