"""The lowest price of 30 days, from what a product's price was and since when (Directive 98/6/EC, article 6a)."""

from collections.abc import Sequence
from itertools import takewhile

DAYS = 30
SPAN = DAYS * 24 * 60 * 60 * 1000
"""The same in milliseconds."""


Priced = tuple[int | None, int]
"""A price of history, None where there was none to pay, as of a product that is archived; and since when it counted, to
the next one. A list of products has thousands of them, which as named tuples would take half as long again."""


def lowest(prices: Sequence[Priced], now: int, sale: int | None = None) -> int | None:
    """The lowest price that counted within 30 days before now, the newest of `prices` first; None if there was none.

    `sale`: The price of a sale that is on; then it is within 30 days before this one began to count, which is what has
    to be told beside it.
    """
    end = now
    if sale is not None and (running := list(takewhile(lambda one: one[0] == sale, prices))):
        prices, end = prices[len(running) :], running[-1][1]
    found: list[int] = []
    for price, since in prices:
        if price is not None:
            found.append(price)
        if since <= end - SPAN:
            break
    return min(found, default=None)
