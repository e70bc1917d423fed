"""What products are found and sorted by: one text each, which the store keeps beside the product (`products.search`).

Case is folded as Unicode has it, since SQLite folds ASCII alone. Short enough for an index row of PostgreSQL, which
holds 2,700 bytes with the category and the barcode beside it.
"""

from service.core.product import Product

MAX_NAME = 200
MAX_TEXT = 300
"""Characters; the name comes first, so that sorting by this text sorts by name."""


def text_of(product: Product) -> str:
    words = (product.name[:MAX_NAME], product.barcode, product.sku, product.brand)
    return "\n".join(word.casefold() for word in words if word)[:MAX_TEXT]


def needles(query: str) -> list[str]:
    """The words of a search, all of which have to be in the text, in any order."""
    return query.casefold().split()
