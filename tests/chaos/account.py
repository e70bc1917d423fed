"""What a till stated and was answered: which prices the contract allows in the end, and no more. Pure."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

NEVER = math.inf


@dataclass
class Statement:
    """That a product costs so much. Times are seconds of one clock that is never moved.

    Attributes:
        sent: When it was first said; `answered`: when it was first known to be taken, or surely not taken any more.
        sure: Whether the answer said that it is taken; else it may have been, or not.
    """

    price: str
    sent: float
    answered: float = NEVER
    sure: bool = False


@dataclass
class Account:
    """Statements by barcode; what was said at once counts in either order."""

    said: dict[str, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: int = 0

    def state(self, barcode: str, price: str, now: float) -> Statement:
        statement = Statement(price, now)
        self.said[barcode].append(statement)
        return statement

    def take(self, statement: Statement, now: float) -> None:
        """It was acknowledged."""
        statement.answered, statement.sure = min(statement.answered, now), True
        self.acknowledged += 1

    def allowed(self, barcode: str) -> list[Statement]:
        """Those that may be the newest: nothing that is sure was said after their answer."""
        every = self.said[barcode]
        newest = max((one.sent for one in every if one.sure), default=-NEVER)
        return [one for one in every if one.answered >= newest]

    def prices(self, barcode: str) -> set[str]:
        return {one.price for one in self.allowed(barcode)}
