"""What the fields of one row say together: which of them it needs, and whether its prices and dates fit each other."""

from typing import Any, Literal

from service.core.problems import Code
from service.core.product import WHOLE_PRICE

Kind = Literal["whole", "patch"]
"""`whole`: a row of `/add` and `/batch/push`, which states the whole price. `patch`: a row of `/productUpdate`."""

Finding = tuple[str | None, Code, str]
"""(field in the API's spelling, code, sentence)"""

NOT_STATED = dict.fromkeys(WHOLE_PRICE)
"""What a whole row says by leaving it out."""


def _require_whole(fields: dict[str, Any], errors: list[Finding]) -> None:
    if not fields.get("name"):
        refuse("name", Code.REQUIRED, "A product needs a name.", errors)
    if fields.get("price") is None:
        fields.pop("price", None)
        if fields.get("sale_price") is None and not any(field == "salePrice" for field, _, _ in errors):
            refuse("price", Code.REQUIRED, "A product needs a price, or a salePrice alone.", errors)


def _require_patch(fields: dict[str, Any], errors: list[Finding]) -> None:
    if fields.get("name", "absent") is None:
        refuse("name", Code.REQUIRED, "A name cannot be cleared.", errors)


REQUIRE = {"whole": _require_whole, "patch": _require_patch}


def refuse(field: str, code: Code, detail: str, errors: list[Finding]) -> None:
    """One reason a field: what could not be read is not missing as well."""
    if not any(found == field for found, _, _ in errors):
        errors.append((field, code, detail))


def check_price(fields: dict[str, Any], errors: list[Finding], warnings: list[Finding]) -> None:
    """What the price fields of one row say together."""
    sale, price = fields.get("sale_price"), fields.get("price")
    if sale is not None:
        if price is not None and sale >= price:
            detail = "The sale price is not below the price; the price is shown, without a sale."
            warnings.append(("salePrice", Code.SALE_NOT_LOWER, detail))
    elif fields.get("on_sale") and "sale_price" in fields:
        warnings.append(("onSale", Code.SALE_PRICE_MISSING, "Without a salePrice no sale is shown."))
    start, end = fields.get("sale_start"), fields.get("sale_end")
    if start is not None and end is not None and end <= start:
        errors.append(("saleEnd", Code.ENDS_BEFORE_START, "The sale ends before it starts."))
