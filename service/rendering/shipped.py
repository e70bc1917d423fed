"""The templates that come with Shelfcast, from the folder beside this module."""

from functools import cache
from importlib.resources import files

from service.core.templates import SUFFIX, Template, bundled

_FOLDER = files("service.rendering").joinpath("templates")


@cache
def names() -> tuple[str, ...]:
    """Every shipped template, in the order of the alphabet."""
    return tuple(sorted(file.name.removesuffix(SUFFIX) for file in _FOLDER.iterdir() if file.name.endswith(SUFFIX)))


@cache
def shipped(name: str) -> Template:
    """Raises KeyError for a name that is not among `names`."""
    if name not in names():
        raise KeyError(name)
    return Template(bundled(name, text, lambda _file: None))


def text(name: str) -> str | None:
    """A shipped file as it is written; None if there is none of this name."""
    return _FOLDER.joinpath(name + SUFFIX).read_text("utf-8") if name in names() else None
