"""What the areas of the benchmark of lists are made of."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from bench.harness import Goal
from service.context import Shelfcast
from service.tenants.tokens import Caller

PAGE = Goal(50)
SEARCH = Goal(200)
"""Milliseconds, p95."""

Get = Callable[[str], Awaitable[Any]]
"""The JSON of a path below /api/v1."""
Load = Callable[[Shelfcast, Caller, int], Awaitable[None]]


class Asked(NamedTuple):
    """One request that is measured, and how long it may take."""

    what: str
    path: str
    goal: Goal = PAGE
