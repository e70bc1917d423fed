"""Konzum's daily price lists, by a reading that is not ours: what the POS sends of a row, and what the shelf is to say.

The chain's way: a promotion leaves `Price` empty; counter goods have no `Barcode` and are known by their `ProductId`.
"""

import csv
import os
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from service.rendering.shipped import shipped

STORES = {"0204": 10_950, "0901": 6801, "1601": 5984}
"""Rows of each store's file."""
UNITS = {"kg": "kg", "g": "kg", "l": "l", "m": "m", "ko": "pcs"}
"""What `Quantity` is measured in -> what a unit price is per."""
PANEL = {"width": 296, "height": 128, "palette": "BWR"}


def file(store):
    return Path(os.environ["SHELFCAST_FEEDS"]) / "konzum" / f"{store}-2025-07-03.csv"


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def write(path, head, rows):
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([head, *rows])


def by_barcode(rows):
    return {row["Barcode"].strip(): row for row in rows if row["Barcode"].strip()}


def by_key(rows):
    return {row["Barcode"].strip() or row["ProductId"]: row for row in rows}


def product(key, row):
    """The row as a POS sends it; what is blank in the file is absent."""
    size, measure = row["Quantity"].split()
    stated = {
        "barcode": key,
        "name": row["Product"],
        "price": row["Price"],
        "salePrice": row["SpecialPrice"],
        "saleStart": row.get("SaleStart"),
        "saleEnd": row.get("SaleEnd"),
        "unitPrice": row["UnitPrice"],
        "netContent": size,
        "netContentUnit": measure,
        "unit": row["Unit"],
        "brand": row["Brand"],
        "category": row["Category"],
        "sku": row["ProductId"],
    }
    return {field: value for field, value in stated.items() if value}


def name_on_the_shelf(row):
    """NFC, no control characters, single blanks."""
    text = unicodedata.normalize("NFC", row["Product"])
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in text).split())


def price_on_the_shelf(row):
    """The promotion's price where there is one, in cents."""
    return cents(row["SpecialPrice"] or row["Price"])


def cents(price):
    return str(Decimal(price).quantize(Decimal("0.01"), ROUND_HALF_UP))


def face(*slots):
    """All that hardware is to get for the products of a display; None: a product that is not sold any more."""
    template = shipped("price")
    drawn_from = {"template": "price", "templateVersion": template.version, "templateDigest": template.digest}
    return {"panel": PANEL, "locale": "hr", "slots": list(slots)} | drawn_from


def slot(key, row, price, *, regular=None, on_sale=False, until=None):
    """What a display is to say of a product that costs `price` now; None: nothing, as no price is valid."""
    said = {
        "barcode": key,
        "name": name_on_the_shelf(row),
        "currency": "EUR",
        "price": price and cents(price),
        "regular": regular and cents(regular),
        "onSale": on_sale,
        "until": until,
        "unitPrice": price and _unit_price(row, price),
        "unitPriceUnit": price and UNITS[row["Quantity"].split()[1]],
        "look": "sale" if on_sale else "regular",
        "more": on_sale and regular and _saving(Decimal(cents(regular)), Decimal(cents(price))),
    }
    if not price and UNITS[row["Unit"]] != "pcs":
        said |= {"look": "weighed", "unit": row["Unit"]}
    return {field: value for field, value in said.items() if value}


def _saving(regular, price):
    percent = int((regular - price) * 100 / regular)
    return {"saving": str(percent)} if percent else None


def _unit_price(row, price):
    """The file's; where that is 0, as of 480.77 sticks, what one comes to, at first to the 1/10,000 that is kept."""
    if Decimal(row["UnitPrice"]):
        return cents(row["UnitPrice"])
    exact = Decimal(price) / Decimal(row["Quantity"].split()[0])
    return cents(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))
