"""A product of the feed as JSON Schema: the fields that `core.fields` reads, with its limits.

Whatever this schema takes is taken. A little more is: blanks around a price, needless zeros, control characters in
text (removed, with a warning), fields with other names (kept out, with a warning).
"""

from typing import Any

from service.core import barcodes, fields, moments, money, quantities

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_MAX_PRICE = money.MAX_PRICE / money.UNITS
_DECIMALS = f"[0-9]{{1,{money.MAX_WHOLE_DIGITS}}}(\\.[0-9]{{1,{money.SCALE}}})?"
_HIGHEST = rf"(?!9{{{money.MAX_WHOLE_DIGITS}}}\.99[0-9]*[1-9])"


def _price(*, zero: bool) -> Schema:
    amounts: list[Schema] = [
        {"type": "number", "minimum" if zero else "exclusiveMinimum": 0, "maximum": _MAX_PRICE},
        {
            "type": "string",
            "maxLength": money.MAX_TEXT,
            "pattern": f"^{_HIGHEST}{'' if zero else '(?=.*[1-9])'}{_DECIMALS}$",
        },
    ]
    amount_and_currency = {
        "type": "object",
        "required": ["amount"],
        "additionalProperties": False,
        "properties": {"amount": {"anyOf": amounts}, "currency": {"$ref": f"{_REF}Currency"}},
    }
    return {
        "description": (
            f"Digits with a decimal point, at most {money.SCALE} decimals, no exponent; kept exactly. "
            '46.5, `"46.50"` and 46.500 are the same.'
        ),
        "anyOf": [*amounts, amount_and_currency],
        "examples": ["46.50", 46.5, {"amount": "46.50", "currency": "EUR"}],
    }


def _quantity(sign: str) -> Schema:
    highest = 10**quantities.MAX_WHOLE_DIGITS
    number = {"type": "number", "exclusiveMaximum": highest}
    number |= {"exclusiveMinimum": -highest} if sign else {"minimum": 0}
    pattern = f"^{sign}[0-9]{{1,{quantities.MAX_WHOLE_DIGITS}}}(\\.[0-9]{{1,{quantities.MAX_DECIMALS}}})?$"
    written = {"type": "string", "maxLength": quantities.MAX_TEXT, "pattern": pattern}
    return {
        "description": "Digits with a decimal point, no exponent; kept exactly.",
        "anyOf": [number, written],
        "examples": ["12", 0.75],
    }


def _a(kind: str, text: str) -> Schema:
    return {"description": text, "anyOf": [{"$ref": _REF + kind}, {"type": "null"}]}


def _text(text: str, limit: int, *examples: str) -> Schema:
    return {"description": text, "type": ["string", "null"], "maxLength": limit, "examples": list(examples)}


FIELDS: dict[str, Schema] = {
    "barcode": {"description": "The key within the store.", "$ref": f"{_REF}Barcode"},
    "name": {
        "description": "What the shelf calls it.",
        "type": "string",
        "minLength": 1,
        "maxLength": fields.MAX_NAME,
        "pattern": r"[^\s\u0000-\u001f\u007f-\u009f]",
        "examples": ["Mliječna čokolada 100 g"],
    },
    "price": _a("Price", "The regular price."),
    "salePrice": _a("SalePrice", "The price on sale; null ends the sale."),
    "onSale": {"description": "false keeps the sale price off the shelf.", "type": ["boolean", "null"]},
    "saleStart": _a("Moment", "When the sale price begins to count."),
    "saleEnd": _a("Moment", "When it ends; a date counts to its end."),
    "currency": _a("Currency", "To make sure: another one than the store's is a row error."),
    "promotionText": _text("An offer beyond one unconditional price.", fields.MAX_NAME, "2 for 5.00"),
    "promotionUntil": _a("Moment", "Until when the offer is valid; a date counts to its end."),
    "memberPrice": _a("Price", "The price for members."),
    "deposit": _a("Price", "The deposit on its container."),
    "stock": _a("Quantity", "How much the store has; may be below zero."),
    "unit": _text("What it is sold by.", fields.MAX_UNIT, "kg", "kom"),
    "netContent": _a("Content", "How much one package holds."),
    "netContentUnit": _text("The unit of netContent.", fields.MAX_UNIT, "g"),
    "unitPrice": _a("Price", "Price per kilogram, litre, metre or piece; computed from netContent when absent."),
    "referencePrice": _a("Price", "A price to compare with."),
    "category": _text("Department or category.", fields.MAX_LABEL, "Sweets"),
    "brand": _text("Brand.", fields.MAX_LABEL),
    "sku": _text("The caller's own number.", fields.MAX_LABEL),
    "alternateBarcodes": {
        "description": "Further barcodes of the same product.",
        "type": ["array", "null"],
        "items": {"$ref": f"{_REF}Barcode"},
        "maxItems": barcodes.MAX_ALTERNATES,
    },
    "description": _text("Longer text.", fields.MAX_DESCRIPTION),
    "attributes": {
        "description": (
            "The caller's own, usable in templates; replaced as a whole. Names of at most "
            f"{fields.MAX_ATTRIBUTE_NAME} characters, {fields.MAX_ATTRIBUTES_DEPTH} levels, "
            f"{fields.MAX_ATTRIBUTES} bytes as JSON."
        ),
        "type": ["object", "null"],
        "propertyNames": {"maxLength": fields.MAX_ATTRIBUTE_NAME},
        "examples": [{"origin": "Croatia"}],
    },
    "sourceUpdatedAt": _a("Moment", "When the source changed it; an older one never overwrites a newer one."),
}

SCHEMAS: dict[str, Schema] = {
    "Product": {
        "title": "Product",
        "description": "A change to a product. An absent field keeps its value, null clears it.",
        "type": "object",
        "required": ["barcode"],
        "properties": FIELDS,
        "examples": [{"barcode": "3850123456782", "price": "1.89", "stock": 12}],
    },
    "ProductChanges": {
        "title": "ProductChanges",
        "description": "The same of a product that is named elsewhere.",
        "type": "object",
        "properties": {name: schema for name, schema in FIELDS.items() if name != "barcode"},
        "examples": [{"price": "1.89", "stock": 12}],
    },
    "NewProduct": {
        "title": "NewProduct",
        "description": (
            "A product with its whole price: a name, and a price or a salePrice alone. Absent salePrice, onSale, "
            "saleStart, saleEnd and unitPrice are cleared; every other absent field keeps its value."
        ),
        "allOf": [{"$ref": "#/components/schemas/Product"}],
        "required": ["name"],
        "anyOf": [
            {"required": ["price"], "properties": {"price": {"not": {"type": "null"}}}},
            {"required": ["salePrice"], "properties": {"salePrice": {"not": {"type": "null"}}}},
        ],
        "examples": [
            {
                "barcode": "3850123456782",
                "name": "Mliječna čokolada 100 g",
                "price": "1.99",
                "salePrice": "1.49",
                "saleEnd": "2026-11-30",
                "netContent": 100,
                "netContentUnit": "g",
            }
        ],
    },
    "Barcode": {
        "description": "Opaque: leading zeros count, and nothing is refused for its length or check digit.",
        "type": "string",
        "minLength": 1,
        "maxLength": barcodes.MAX_BARCODE,
        "pattern": "^[!-~]+$",
        "examples": ["3850123456782"],
    },
    "Price": _price(zero=True),
    "SalePrice": _price(zero=False),
    "Currency": {
        "description": "ISO 4217, in any case.",
        "type": "string",
        "pattern": "^[A-Za-z]{3}$",
        "examples": ["EUR"],
    },
    "Quantity": _quantity(sign="-?"),
    "Content": _quantity(sign=""),
    "Moment": {
        "description": "ISO 8601, in the store's time zone unless an offset is given.",
        "type": "string",
        "maxLength": moments.MAX_TEXT,
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9].*)?$",
        "examples": ["2026-11-27", "2026-11-27T08:00", "2026-11-27T08:00:00+01:00"],
    },
}
"""By the names that the document gives them."""
