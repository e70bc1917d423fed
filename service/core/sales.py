"""What a product costs at a moment: sales and promotions start and end by the clock, without a feed."""

import msgspec

from service.core.product import Product


class EffectivePrice(msgspec.Struct, frozen=True):
    """What the shopper pays now.

    Attributes:
        price: None where no price is valid now: a promotion without a regular price that is not running.
        regular: The price to strike through during a sale; None where there is none.
        on_sale: Whether `price` is the sale price.
    """

    price: int | None
    regular: int | None
    on_sale: bool


def effective(product: Product, now: int) -> EffectivePrice:
    if _has_sale(product) and _started(product, now) and (product.sale_end is None or now < product.sale_end):
        return EffectivePrice(product.sale_price, product.price, on_sale=True)
    return EffectivePrice(product.price, None, on_sale=False)


def promotion_text(product: Product, now: int) -> str | None:
    if product.promotion_until is not None and product.promotion_until <= now:
        return None
    return product.promotion_text


def next_change_at(product: Product, now: int) -> int | None:
    """The next moment after `now` at which the clock alone changes the price or the promotion text; None for never."""
    ends = product.promotion_until if product.promotion_text else None
    moments = [next_price_change(product, now), ends if ends is not None and ends > now else None]
    return min((moment for moment in moments if moment is not None), default=None)


def next_price_change(product: Product, now: int) -> int | None:
    """The next moment after `now` at which a sale starts or ends by the clock; None for never."""
    if not _has_sale(product):
        return None
    moment = product.sale_end if _started(product, now) else product.sale_start
    return moment if moment is not None and moment > now else None


def _started(product: Product, now: int) -> bool:
    return product.sale_start is None or product.sale_start <= now


def _has_sale(product: Product) -> bool:
    """Whether there is a sale to start or to end: wanted, and below the price."""
    if product.sale_price is None or product.on_sale is False:
        return False
    return product.price is None or product.sale_price < product.price
