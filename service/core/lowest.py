"""The lowest price of 30 days, from what a product's price was and since when (Directive 98/6/EC, article 6a)."""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

DAYS = 30
_SPAN = DAYS * 24 * 60 * 60 * 1000


class Priced(NamedTuple):
    """A price of history; None: there was none to pay, as of a product that is archived.

    Attributes:
        since: When it began to count; it did so until the next one.
    """

    price: int | None
    since: int


def lowest(prices: Sequence[Priced], now: int, sale: int | None = None) -> int | None:
    """The lowest price that counted within 30 days before now, the newest of `prices` first; None if there was none.

    `sale`: The price of a sale that is on; then it is within 30 days before this one began to count, which is what has
    to be told beside it.
    """
    end = now
    if sale is not None and (running := list(takewhile(lambda one: one.price == sale, prices))):
        prices, end = prices[len(running) :], running[-1].since
    found: list[int] = []
    for price, since in prices:
        if price is not None:
            found.append(price)
        if since <= end - _SPAN:
            break
    return min(found, default=None)
