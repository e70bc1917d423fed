"""What a seed stands for: a store's half minute, and everything that goes wrong in it. Pure: the seed decides all.

How the processes interleave is not decided: a seed that failed is played again until it fails again.
"""

import random
from dataclasses import dataclass
from typing import Literal

PRODUCTS = 3000
DISPLAYS = 240
"""The first products have a display each."""
GATEWAYS = 3
PUSH = 540
"""Products of a push, which may repeat some of the push before."""

Moment = Literal["begun", "pushing", "completed", "saved", "sent", "confirmed"]
"""Of the batch: nothing is pushed yet; a push was answered; completing was; the rows are saved; a quarter of the
displays was sent their face; a quarter is confirmed."""
MOMENTS: tuple[Moment, ...] = ("begun", "pushing", "completed", "saved", "sent", "confirmed")

EVERYWHERE = {
    "kill api": 3,
    "kill a worker": 3,
    "kill all workers": 2,
    "kill simulator": 3,
    "kill valkey": 2,
    "kill everything": 1,
    "flush valkey": 2,
    "clock forward": 2,
    "clock back": 2,
    "gateway closed": 1,
    "gateway unavailable": 1,
    "gateway silent": 1,
    "gateway reboots": 2,
    "gateways lose": 1,
    "gateways drop": 1,
    "gateways busy": 1,
    "gateways answer nothing": 1,
}
ON = {
    "SQLite": EVERYWHERE | {"disk full": 2, "disk read-only": 2, "database locked": 1},
    "PostgreSQL": EVERYWHERE | {"database restarts": 3, "database crashes": 2, "database read-only": 2},
}
"""Database -> kind of trouble -> how often it is drawn."""


@dataclass(frozen=True)
class Trouble:
    """Attributes: delay, lasts: seconds; choice: 0 to 1, which of several it hits, or how hard."""

    kind: str
    moment: Moment
    delay: float
    lasts: float
    choice: float


@dataclass(frozen=True)
class Change:
    """Of one price. `back` states the price of the beginning again; `hangs_up`: the till does not wait for its answer.

    `gives_up`: nor does it ever ask again.
    """

    product: int
    moment: Moment
    delay: float
    back: bool
    hangs_up: bool
    gives_up: bool


@dataclass(frozen=True)
class Plan:
    """Attributes:
    arrival: Numbers of the pushes in the order in which they are sent, two at a time.
    again: Pushes that are sent once more, when the batch is completed.
    overlap: Products of a push that the next one states too, otherwise.
    second: Another batch of every display's product, while the first is sent: newer prices, or those of before.
    cancelled: A batch that is called off as soon as it is completed.
    """

    seed: int
    database: str
    workers: int
    keeps_order: bool
    arrival: tuple[int, ...]
    again: tuple[int, ...]
    overlap: int
    hang_ups: float
    second: Literal["newer", "back"] | None
    cancelled: bool
    changes: tuple[Change, ...]
    troubles: tuple[Trouble, ...]


def plan(seed: int, database: str) -> Plan:
    draw = random.Random(f"{database} {seed}")
    pushes = list(range(-(-PRODUCTS // PUSH)))
    if draw.random() < 0.5:
        draw.shuffle(pushes)
    return Plan(
        seed=seed,
        database=database,
        workers=draw.choice((1, 2, 2, 3)),
        keeps_order=draw.random() < 0.7,
        arrival=tuple(pushes),
        again=tuple(draw.sample(pushes, draw.randrange(3))),
        overlap=draw.choice((0, 0, 50, 100)),
        hang_ups=draw.choice((0.0, 0.0, 0.3)),
        second=draw.choice((None, None, "newer", "back")),
        cancelled=draw.random() < 0.2,
        changes=tuple(change for _ in range(draw.randrange(8)) for change in _changes(draw)),
        troubles=tuple(_trouble(draw, database) for _ in range(draw.randrange(1, 5))),
    )


def _changes(draw: random.Random) -> list[Change]:
    """Of one product: often there and back again."""
    product, moment, delay = draw.randrange(DISPLAYS), draw.choice(MOMENTS), draw.random() * 0.5
    steps = draw.choice(((False,), (False, True), (False, False), (False, True, False, True)))
    return [
        Change(
            product,
            moment,
            delay + number * draw.choice((0.0, 0.05, 0.3)),
            back,
            hangs_up=draw.random() < 0.2,
            gives_up=draw.random() < 0.1,
        )
        for number, back in enumerate(steps)
    ]


def _trouble(draw: random.Random, database: str) -> Trouble:
    kinds = ON[database]
    (kind,) = draw.choices(list(kinds), list(kinds.values()))
    return Trouble(kind, draw.choice(MOMENTS), draw.random() * 0.6, 0.2 + draw.random() * 1.3, draw.random())
