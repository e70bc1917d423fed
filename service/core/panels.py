"""Panels as people write them: `296x128-BWR`."""

import re
from functools import lru_cache

from display_drivers.base import Palette, Panel

_FORM = re.compile(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})-(BWRY|BWR|BWY|BW)")


@lru_cache(maxsize=256)  # a chain has a handful of models
def parse(name: str) -> Panel:
    """The panel of this name; raises ValueError with the form to write."""
    match = _FORM.fullmatch(name.strip())
    if match is None:
        raise ValueError(f"{name!r} is no panel: write width x height - inks, such as 296x128-BWR or 400x300-BW.")
    palette: Palette = match[3]  # type: ignore[assignment] # the pattern lets nothing else through
    return Panel(int(match[1]), int(match[2]), palette)
