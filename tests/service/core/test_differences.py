from service.core.differences import between
from service.core.product import Product

BEFORE = Product("1", name="Milk", price=10, stock="1", brand="A", attributes={"a": 1, "b": {"x": 1}})


def test_only_what_is_different_is_told_as_it_was_and_is():
    after = Product("1", name="Milk", price=10, brand="B", category="C", attributes={"a": 1, "b": {"x": 2}, "c": True})
    named = ("name", "brand", "category", "attributes", "stock")
    assert between(BEFORE, after, named, with_stock=False) == {
        "brand": ("A", "B"),
        "category": (None, "C"),
        "attributes.b": ('{"x":1}', '{"x":2}'),
        "attributes.c": (None, True),
    }


def test_prices_are_in_their_own_history_and_stock_only_where_somebody_counts():
    after = Product("1", name="Milk", price=20, sale_price=5, stock="2", brand="A", source_updated_at=3)
    named = ("price", "sale_price", "stock", "source_updated_at", "currency", "barcode")
    assert between(BEFORE, after, named, with_stock=False) == {}
    assert between(BEFORE, after, named, with_stock=True) == {"stock": ("1", "2")}


def test_a_long_text_is_shortened():
    after = Product("1", name="Milk", description="x" * 4000)
    ((_, told),) = between(BEFORE, after, ["description"], with_stock=False).values()
    assert told == "x" * 500 + "…"
