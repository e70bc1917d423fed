"""What the columns of a format cannot say: which price is struck through, where a title is found, what is not sold.

A shape takes the texts of one row, by field and by role, numbers already plain, and gives the fields of a product; None
for a row that is no product, such as a further picture. It raises RowError for one that cannot be sold. Shapes remember
the rows before, as far as a format needs it, within bounds.
"""

# ruff: noqa: RUF001 - units in Hebrew

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal

from service.core.quantities import base_unit
from service.importing.outcomes import Fault, RowError

Texts = dict[str, str]
Shape = Callable[[Texts], Texts | None]

_YES = {"1", "true", "yes", "y", "ja", "oui", "si", "sí", "sim", "tak", "da"}
_NO = {"0", "false", "no", "n", "nein", "non", "não", "nie", "ne"}
_MOST_PARENTS = 10_000
_CARRIED = ("name", "brand", "category")
_HEBREW_UNITS = {
    "גרם": "g", "גרמים": "g", "גר": "g", 'ק"ג': "kg", "קג": "kg", "קילו": "kg", "קילוגרם": "kg", "קילוגרמים": "kg",
    "ליטר": "l", "ליטרים": "l", 'מ"ל': "ml", "מל": "ml", "מיליליטר": "ml", "מיליליטרים": "ml", "יחידה": "pcs",
    "יחידות": "pcs", "יח": "pcs", "יח'": "pcs", "מטר": "m", "מטרים": "m", 'ס"מ': "cm", "סמ": "cm",
}  # fmt: skip
_WITHDRAWN = "2"
"""ItemStatus of an item that the chain took off its list."""


def no_shape(texts: Texts) -> Texts | None:
    return texts


def is_true(text: str | None) -> bool:
    return text is not None and text.strip().casefold() in _YES


def _is_false(text: str | None) -> bool:
    return text is not None and text.strip().casefold() in _NO


def _not_for_sale(why: str) -> RowError:
    return RowError(None, Fault.NOT_FOR_SALE, f"the file says {why}.")


class _Variants:
    """Products of several rows: what only the first row says holds for those with the same handle that follow."""

    def __init__(self) -> None:
        self._handle = ""
        self._carried: Texts = {}

    def joined(self, texts: Texts) -> Texts:
        handle = texts.get("handle", "")
        if handle != self._handle or not handle:
            self._handle, self._carried = handle, {}
        self._carried |= {field: texts[field] for field in (*_CARRIED, "status") if field in texts}
        return self._carried | texts


def _with_options(texts: Texts) -> Texts:
    """The name with what tells this variant from the others: `Sock / M / blue`."""
    options = [texts[role] for role in ("option1", "option2", "option3") if role in texts]
    told = [option for option in options if option.casefold() not in {"default title", "default", "regular"}]
    return texts | {"name": " / ".join([texts["name"], *told])} if told and "name" in texts else texts


def shopify() -> Shape:
    variants = _Variants()

    def shape(texts: Texts) -> Texts | None:
        is_variant = "price" in texts or "sku" in texts or "barcode" in texts
        texts = variants.joined(texts)
        if not is_variant:
            return None  # a further picture
        if texts.get("status", "active").casefold() in {"archived", "draft"}:
            raise _not_for_sale(f"Status {texts['status']}")
        return _with_compare_at(_with_options(texts))

    return shape


def _with_compare_at(texts: Texts) -> Texts:
    """The price to compare with is the regular one, if it is the higher one, and what is paid is then a sale price."""
    regular, paid = _amount(texts.get("compareAt")), _amount(texts.get("price"))
    if regular is None or paid is None or regular <= paid:
        return texts
    return texts | {"price": texts["compareAt"], "salePrice": texts["price"]}


def _amount(text: str | None) -> Decimal | None:
    """Of digits with a point; None for anything else."""
    if text is None or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return Decimal(text)


def square() -> Shape:
    def shape(texts: Texts) -> Texts | None:
        if _is_false(texts.get("sellable")):
            raise _not_for_sale("Sellable N")
        if is_true(texts.get("archived")):
            raise _not_for_sale("Archived Y")
        return _with_options(texts | {"option1": texts["variation"]}) if "variation" in texts else texts

    return shape


def loyverse() -> Shape:
    variants = _Variants()

    def shape(texts: Texts) -> Texts | None:
        if "included" in texts and "price" not in texts and "name" not in texts:
            return None  # what a set consists of
        texts = _with_options(variants.joined(texts))
        if _is_false(texts.get("available")):
            raise _not_for_sale("Available for sale N")
        return texts | {"unit": "kg"} if is_true(texts.get("soldByWeight")) else texts

    return shape


def woocommerce() -> Shape:
    names: OrderedDict[str, str] = OrderedDict()

    def shape(texts: Texts) -> Texts | None:
        kind = texts.get("type", "").casefold()
        if "name" in texts and "parent" not in texts:
            for key in (f"id:{texts.get('id', '')}", texts.get("sku", "")):
                names[key] = texts["name"]
            while len(names) > _MOST_PARENTS:
                names.popitem(last=False)
        if texts.get("published", "").strip() == "-1":
            raise _not_for_sale("a draft")
        if "price" not in texts and "salePrice" not in texts and ("variable" in kind or "grouped" in kind):
            detail = "It has no price of its own; its variants or parts have rows of theirs."
            raise RowError("price", Fault.NO_PRICE_OF_ITS_OWN, detail)
        if "name" not in texts and texts.get("parent", "") in names:
            texts = texts | {"name": names[texts["parent"]]}
        return _first_category(texts)

    return shape


def _first_category(texts: Texts) -> Texts:
    """A product may be in many; one is enough on a shelf."""
    return texts | {"category": texts["category"].split(",")[0].strip()[:128]} if "category" in texts else texts


def croatia() -> Shape:
    """The content has its unit with it at some chains, and in the column beside it at others."""

    def shape(texts: Texts) -> Texts | None:
        unit = texts.get("unit", "").strip().casefold()
        is_apart = "netContent" in texts and "netContentUnit" not in texts and base_unit(unit) not in {None, "pcs"}
        return texts | {"netContentUnit": unit} if is_apart else texts

    return shape


def odoo() -> Shape:
    def shape(texts: Texts) -> Texts | None:
        for role, why in (("active", "archived"), ("saleOk", "cannot be sold")):
            if _is_false(texts.get(role)):
                raise _not_for_sale(why)
        # An empty field of Odoo is False in some exports.
        return {field: text for field, text in texts.items() if text != "False"}

    return shape


def israel() -> Shape:
    def shape(texts: Texts) -> Texts | None:
        if texts.get("status") == _WITHDRAWN:
            raise _not_for_sale(f"ItemStatus {_WITHDRAWN}")
        texts = dict(texts)
        unit = texts.pop("netContentUnit", "").strip(" .")
        known = _HEBREW_UNITS.get(unit, unit if unit.isascii() else "")
        if texts.get("weighed") == "1":
            texts.pop("netContent", None)
            return texts | {"unit": "kg"}
        if not known or _amount(texts.get("netContent")) in {None, Decimal(0)}:
            texts.pop("netContent", None)
            return texts
        return texts | {"netContentUnit": known}

    return shape


SHAPES: dict[str, Callable[[], Shape]] = {
    "": lambda: no_shape,
    "shopify": shopify,
    "square": square,
    "loyverse": loyverse,
    "woocommerce": woocommerce,
    "croatia": croatia,
    "odoo": odoo,
    "israel": israel,
}
"""A new one for each file, since it may remember."""
