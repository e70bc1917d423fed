import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.product import Product
from service.core.sales import EffectivePrice, effective, next_change_at, promotion_text

maybe = st.none() | st.integers(0, 20)
products = st.builds(
    Product,
    barcode=st.just("1"),
    price=maybe,
    sale_price=maybe,
    on_sale=st.none() | st.booleans(),
    sale_start=maybe,
    sale_end=maybe,
    promotion_text=st.none() | st.just("2 for 1"),
    promotion_until=maybe,
)


def offer(product: Product, now: int) -> tuple[EffectivePrice, str | None]:
    return effective(product, now), promotion_text(product, now)


@given(products, st.integers(0, 20))
def test_nothing_changes_before_the_next_change(product, now):
    change = next_change_at(product, now)
    assert change is None or change > now
    until = 25 if change is None else change
    assert {offer(product, moment) for moment in range(now, until)} == {offer(product, now)}


@given(products.filter(lambda p: p.sale_start is None or p.sale_end is None or p.sale_start < p.sale_end), maybe)
def test_at_the_next_change_something_changes(product, now):
    change = next_change_at(product, now or 0)
    assert change is None or offer(product, change) != offer(product, change - 1)


@given(products, st.integers(0, 20))
def test_the_price_shown_is_one_of_the_two_and_never_above_the_regular(product, now):
    shown = effective(product, now)
    assert shown.price in (product.price, product.sale_price)
    assert shown.regular is None or shown.price < shown.regular


@pytest.mark.parametrize(("now", "price"), [(9, 100), (10, 80), (19, 80), (20, 100)])
def test_a_sale_starts_and_ends_by_the_clock(now, price):
    product = Product("1", price=100, sale_price=80, sale_start=10, sale_end=20)
    assert effective(product, now).price == price


def test_a_sale_strikes_the_regular_price_through():
    assert effective(Product("1", price=100, sale_price=80), 0) == EffectivePrice(80, 100, on_sale=True)


@pytest.mark.parametrize(
    "product",
    [
        Product("1", price=100, sale_price=80, on_sale=False),
        Product("1", price=100, sale_price=100),
        Product("1", price=100, sale_price=120),
        Product("1", price=100, on_sale=True),
    ],
)
def test_without_a_sale_to_show_the_price_is_normal_for_ever(product):
    assert effective(product, 0) == EffectivePrice(100, None, on_sale=False)
    assert next_change_at(product, 0) is None


def test_a_sale_price_alone_is_shown_alone_and_nothing_after_it():
    product = Product("1", sale_price=80, sale_end=20)
    assert effective(product, 19) == EffectivePrice(80, None, on_sale=True)
    assert effective(product, 20).price is None
