"""What a push holds is what it was, and a row is known again by its words."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import staged
from service.core.product import Row, StoreFacts
from service.core.rows import check_rows, parse_rows
from tests.service.core.test_columns import alike, raw

EUROS = StoreFacts("EUR", "Europe/Zagreb", "hr")


@given(st.lists(alike(), max_size=3))
def test_what_is_checked_is_what_would_be_read_and_what_is_held_is_read_later(some):
    raws = [raw(row) for rows in some for row in rows]
    parsed, checked = parse_rows(raws, "whole", EUROS), check_rows(raws, "whole", EUROS)
    assert (checked.errors, checked.warnings) == (parsed.errors, parsed.warnings)
    assert checked.accepted == [(row.index, row.barcode) for row in parsed.rows]
    held = staged.hold(raws, {problem.index for problem in checked.errors})
    assert staged.barcodes(held) == checked.accepted
    assert staged.parse(staged.rows(held), EUROS).rows == parsed.rows


@pytest.mark.parametrize(
    "text",
    [
        b'{"barcode":"1","name":"a","price":1,"barcode":" 2\xc2\xa0"}',
        b'{"\\u0062arcode":"2","name":"a","price":1.0}',
        b' {\n"barcode" : "\\u0032", "name":"a","price":"1"}\t',
    ],
)
def test_a_barcode_is_the_same_however_it_is_written(text):
    (one,) = msgspec.json.decode(b"[" + text + b"]", type=list[msgspec.Raw])
    held = staged.hold([one], set())
    assert staged.barcodes(held) == check_rows([one], "whole", EUROS).accepted == [(0, "2")]
    assert [row.barcode for row in staged.parse(staged.rows(held), EUROS).rows] == ["2"]


def test_of_some_rows_each_keeps_its_place_in_the_push():
    raws = [raw({"barcode": str(number), "name": "a", "price": number + 1}) for number in range(5)]
    some = [row for row in staged.rows(staged.hold(raws, {1})) if row.place != 2]
    assert [(row.place, row.barcode) for row in some] == [(0, "0"), (3, "3"), (4, "4")]
    assert [(row.index, row.barcode) for row in staged.parse(some, EUROS).rows] == [(0, "0"), (3, "3"), (4, "4")]


def test_a_row_is_known_by_its_words_as_long_as_they_mean_the_same():
    first, same, other = staged.rows(staged.hold([raw({"barcode": "1", "price": price}) for price in (1, 1, 2)], set()))
    assert staged.mark(first, EUROS) == staged.mark(same, EUROS)
    marks = {
        staged.mark(first, EUROS),
        staged.mark(other, EUROS),
        staged.mark(first, StoreFacts("USD", "Europe/Zagreb", "hr")),
        staged.mark(first, StoreFacts("EUR", "UTC", "hr")),
    }
    assert len(marks) == 4


def test_a_row_that_is_read_otherwise_than_on_arrival_is_refused_with_its_reason():
    (held,) = staged.rows(staged.hold([raw({"barcode": "1", "name": "a", "price": 1, "currency": "EUR"})], set()))
    parsed = staged.parse([held], StoreFacts("USD", "UTC", "en"))
    assert ([problem.code for problem in parsed.errors], parsed.rows) == (["foreign_currency"], [])


def test_a_push_that_an_older_version_held_is_read_as_that_wrote_it():
    rows = [Row(0, "1", {"name": "a", "price": 10_000}), Row(2, "2", {"name": "b", "price": 20_000})]
    held = msgspec.json.encode(rows)
    assert staged.barcodes(held) == [(0, "1"), (2, "2")]
    assert staged.parse(staged.rows(held), EUROS).rows == rows


def test_nothing_held_is_no_row():
    assert staged.rows(staged.hold([], set())) == []
    assert staged.parse([], EUROS).rows == []
