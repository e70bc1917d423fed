"""Rows read together are what each of them is alone."""

import json
from itertools import chain
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from service.core.columns import usual
from service.core.fields import FIELDS
from service.core.product import Row
from service.core.rows import Parsed, parse_row, parse_rows

VALUES = {
    "barcode": ["3850108020908", "3850108020909", " 12 ", "12", "", "1 2", "č", "\u0000", None, 12],
    "name": ["Mlijeko", "Šećer  ", "a`b", "a ` b", "`", "e\u0301", "\u0301x", "x" * 256, "a\tb", "", None, 7],
    "price": ["1.02", 1.02, "0", 0, "1.005", " 1", "-1", "x", True, None, {"amount": "2"}, {"currency": "USD"}],
    "salePrice": ["0.94", "1.02", "0", "", None],
    "onSale": [True, False, None, "yes"],
    "saleStart": ["2026-08-01", "2026-08-40", None],
    "saleEnd": ["2026-08-31", "2026-07-31", None],
    "unitPrice": ["0", "1.02", None],
    "currency": ["EUR", "eur", "USD", None],
    "netContent": ["1", "0", "-1", None],
    "attributes": [{"a": 1}, {}, [], {"\u0000": "x"}],
    "unknown": [1],
}  # fmt: skip


@st.composite
def alike(draw):
    """Rows with the same fields in the same order, whose values are ordinary, odd or wrong."""
    names = draw(st.lists(st.sampled_from([*VALUES, *FIELDS]), unique=True, max_size=8))
    names += [name for name in ("barcode", "name", "price") if name not in names and draw(st.booleans())]
    values = {name: VALUES.get(name, ["kom", "1", None, 3]) for name in names}
    usually = {name: st.just(some[0]) | st.sampled_from(some) for name, some in values.items()}
    return draw(st.lists(st.fixed_dictionaries(usually), max_size=6))


def raw(row: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(row).encode())


@given(
    st.lists(alike(), max_size=3).flatmap(lambda some: st.permutations(list(chain(*some)))),
    st.sampled_from(["whole", "patch"]),
)
def test_rows_read_together_are_what_each_of_them_is_alone(store, rows, kind):
    alone = Parsed()
    for index, row in enumerate(rows):
        parse_row(index, raw(row), kind, store, alone)
    assert parse_rows([raw(row) for row in rows], kind, store) == alone


def test_what_is_as_usual_is_read_in_columns_and_what_is_not_is_left(store):
    good = {"barcode": "12", "name": "Mlijeko", "price": "1.02"}
    rows = usual([good, good | {"name": "a\tb"}, None, good | {"price": "0"}, good | {"size": 1}, good], "whole", store)
    assert [isinstance(row, Row) for row in rows] == [True, False, False, False, False, True]
