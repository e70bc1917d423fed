"""Limits beyond which a batch is held until somebody with the right releases or cancels it.

Prices are 1/10,000 of the currency unit.
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

Guard = Literal["archive", "price"]

MOST_EXAMPLES = 20
ENOUGH = 500
"""Products that are looked at first, of a batch that has more; see `may_be_too_many`."""
_DOUBT = math.log(1e9)
"""How unlikely a wrong answer of `may_be_too_many` is: once in a thousand million batches that ought to be held."""


class Guards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one store.

    Attributes:
        archive_percent: Most products on sale, in percent, that one full batch may archive; 100 switches it off.
        archive_at_least: Products that may always be archived, since percents of a small store say little.
        price_percent: Most products on sale that a batch names, in percent, whose effective price it may change by more
            than `price_change`; 100 switches it off.
        price_change: Percent of the present price.
        price_at_least: Fewer products than this may always change their prices by more, likewise.
    """

    archive_percent: float = 30.0
    archive_at_least: int = 20
    price_percent: float = 50.0
    price_change: float = 50.0
    price_at_least: int = 20


class Example(msgspec.Struct, frozen=True):
    """One product that a guard objects to; `after` is None where it would be taken off sale."""

    barcode: str
    name: str
    before: int | None
    after: int | None


class Objection(msgspec.Struct, frozen=True):
    """Why a batch is held.

    Attributes:
        guard: Which of the guards objects.
        affected: Products that it would change too much, or take off sale.
        of: Products that these are counted among.
        reason: The same as sentences, with what to do.
        examples: At most `MOST_EXAMPLES`.
    """

    guard: Guard
    affected: int
    of: int
    reason: str
    examples: tuple[Example, ...] = ()


class Prices(msgspec.Struct):
    """What became of products on sale that a batch names and that have a price before and after.

    Attributes:
        compared: How many there are.
        changed: Of these, how many prices change by more than the limit.
    """

    compared: int = 0
    changed: int = 0
    examples: list[Example] = []

    def note(self, guards: Guards, example: Example) -> None:
        if example.before is None or example.after is None:
            return
        self.compared += 1
        if is_too_much(guards, example.before, example.after):
            self.changed += 1
            if len(self.examples) < MOST_EXAMPLES:
                self.examples.append(example)


def is_too_much(guards: Guards, before: int, after: int) -> bool:
    return abs(after - before) * 100 > guards.price_change * before


def may_be_too_many(guards: Guards, seen: Prices) -> bool:
    """Whether the prices of a whole batch may be beyond the limit, after a look at some that chance chose.

    By Hoeffding's inequality: of n that are looked at, the share is within sqrt(ln(1/d) / 2n) of that of all, but for
    a doubt d. So a nightly file, most of whose prices stay, is let go on after a look at a few hundred of its rows.
    """
    if seen.compared == 0:
        return True
    error = math.sqrt(_DOUBT / (2 * seen.compared))
    return seen.changed / seen.compared + error > guards.price_percent / 100


def prices(guards: Guards, seen: Prices) -> Objection | None:
    """Why a batch that would change these prices is held; None: it may go on.

    Real case: a feed that writes cents where it wrote units, so that everything costs a hundred times as much.
    """
    changed, compared = seen.changed, seen.compared
    if changed < guards.price_at_least or changed * 100 <= guards.price_percent * compared:
        return None
    reason = (
        f"It would change the price of {changed} of {compared} products on sale that it names "
        f"({changed * 100 // compared} %) by more than {guards.price_change:g} %; the store's limit is "
        f"{guards.price_percent:g} %. Release it if that is right, else cancel it."
    )
    return Objection("price", changed, compared, reason, tuple(seen.examples))


def archiving(guards: Guards, archived: int, on_sale: int, examples: Sequence[Example] = ()) -> Objection | None:
    """Why a full batch that would archive `archived` of `on_sale` products is held; None: it may go on.

    Real case: one chain's full file fell from 8,464 to 4,894 rows overnight.
    """
    if archived <= guards.archive_at_least or archived * 100 <= guards.archive_percent * on_sale:
        return None
    reason = (
        f"It would take {archived} of {on_sale} products off sale ({archived * 100 // on_sale} %); "
        f"the store's limit is {guards.archive_percent:g} %. Release it if that is right, else cancel it."
    )
    return Objection("archive", archived, on_sale, reason, tuple(examples))
