"""A real store's price list night after night, and what its shelf is to say: both know nothing of Shelfcast."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from tests.end_to_end import konzum

_CENT = Decimal("0.01")
_TO_COME = 0.03
_GOING = 0.005
_COMING = 0.2
"""Of those that are not listed, which are few."""
_UNSEEN = 0.01
_FIRST_DAYS, _LAST_DAYS = (0, 3), (2, 6)
"""Promotions begin on Mondays and Thursdays, and end on Wednesdays and Sundays."""


class PriceList:
    """What head office does to a list each night; the seed decides all of it.

    Attributes:
        rows: Every row that ever is on it, by key; `SaleStart` and `SaleEnd` are ours, the real list has none.
        listed: Keys that are on it now.
    """

    def __init__(self, rows, seed):
        self.rows = {key: row | {"SaleStart": "", "SaleEnd": ""} for key, row in rows.items()}
        self._random = random.Random(seed)
        to_come = set(self._some(list(self.rows), _TO_COME))
        self.listed = [key for key in self.rows if key not in to_come]

    def now(self):
        return {key: self.rows[key] for key in self.listed}

    def next_night(self, today):
        """1 to 3 % get another price, some change what no shelf shows, some go and some come."""
        for key in self._some(self.listed, self._random.uniform(0.01, 0.03)):
            self.rows[key] = self._priced_anew(self.rows[key], today)
        for key in self._some(self.listed, _UNSEEN):
            self.rows[key] = self.rows[key] | {"Category": f"{self.rows[key]['Category']}."}
        gone, listed = set(self._some(self.listed, _GOING)), set(self.listed)
        come = self._some([key for key in self.rows if key not in listed], _COMING)
        self.listed = [key for key in self.listed if key not in gone] + come

    def _some(self, keys, share):
        """At least one of them; in an order that the seed alone decides."""
        return self._random.sample(keys, max(1, round(len(keys) * share)))

    def _priced_anew(self, row, today):
        old = Decimal(row["Price"] or row["SpecialPrice"])
        low, high = (max(_CENT, (old * share).quantize(_CENT)) for share in (Decimal("0.8"), Decimal("1.2")))
        plain = row | {"SpecialPrice": "", "SaleStart": "", "SaleEnd": ""}
        starts = [day for day in _week(today) if day.weekday() in _FIRST_DAYS]
        start = self._random.choice(starts)
        end = self._random.choice([day for day in _week(start) if day.weekday() in _LAST_DAYS])
        dated = {"SaleStart": start.isoformat(), "SaleEnd": end.isoformat()}
        ways = (
            plain | {"Price": str(high + _CENT)},
            plain | {"Price": str(low)},
            plain | {"Price": "", "SpecialPrice": str(low)},
            plain | {"Price": str(high + _CENT), "SpecialPrice": str(low), **dated},
            plain | {"Price": "", "SpecialPrice": str(low), **dated},
        )
        return self._random.choice(ways)


def _week(day):
    return [day + timedelta(days=number) for number in range(7)]


@dataclass(frozen=True)
class Sold:
    """A product in the store: its newest row, and its price without a sale, which a promotion's row does not name."""

    row: dict
    regular: Decimal | None

    def slot(self, key, today):
        row = self.row
        if not (row["SpecialPrice"] and self._runs(today)):
            return konzum.slot(key, row, self.regular)
        end = row["SaleEnd"] or None
        return konzum.slot(key, row, row["SpecialPrice"], regular=self.regular, on_sale=True, until=end)

    def _runs(self, today):
        start, end = self.row["SaleStart"], self.row["SaleEnd"]
        return (not start or start <= today.isoformat()) and (not end or today.isoformat() <= end)


@dataclass
class Shelf:
    """What a store sells after the files it got.

    Attributes:
        known: What it ever sold. A product that comes back keeps what its new row leaves out.
        archived: Keys of what it sells no more.
    """

    known: dict[str, Sold] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)

    def take(self, rows, *, full):
        """A file; how many products it created, updated, left unchanged and archived."""
        made = {key: self._made(self.known.get(key), row) for key, row in rows.items()}
        created = made.keys() - (self.known.keys() - self.archived)
        unchanged = {key for key in made if self.known.get(key) == made[key]} - created
        missing = self.known.keys() - self.archived - rows.keys() if full else set()
        self.known |= made
        self.archived = (self.archived - rows.keys()) | missing
        return len(created), len(made) - len(created) - len(unchanged), len(unchanged), len(missing)

    def _made(self, before, row):
        if row["Price"]:
            return Sold(row, Decimal(row["Price"]))
        kept = before and before.regular
        return Sold(row, kept if kept and Decimal(row["SpecialPrice"]) < kept else None)

    def faces(self, today):
        """Key -> the face of a display that shows this product alone; a product that was never sold has none."""
        return {
            key: konzum.face(None if key in self.archived else sold.slot(key, today))
            for key, sold in self.known.items()
        }
