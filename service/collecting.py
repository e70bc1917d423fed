"""Python's garbage collector in a process that lives for months, and holds most of what it holds to its end."""

import gc

_YOUNG = 20_000
"""Objects made before they are looked through: about those of one push, which all go without help. Python's 700
costs a push of 1,000 rows a sixth of its time."""


def settle() -> None:
    """Once a process is set up: whatever it holds by now it holds to its end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
