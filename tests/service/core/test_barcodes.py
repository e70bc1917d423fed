import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.barcodes import (
    has_wrong_check_digit,
    have_right_check_digits,
    parse_alternates,
    parse_barcode,
)
from service.core.problems import Code, RefusedError

visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


def refusal(value: object) -> Code:
    with pytest.raises(RefusedError) as refused:
        parse_barcode(value)
    return refused.value.code


@given(visible)
def test_any_1_to_64_visible_ascii_characters_are_a_barcode(barcode):
    assert parse_barcode(f" {barcode}\u00a0") == barcode


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_else_is_a_barcode(text):
    try:
        barcode = parse_barcode(text)
    except RefusedError:
        return
    assert all("!" <= character <= "~" for character in barcode)
    assert 1 <= len(barcode) <= 64


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, Code.REQUIRED),
        ("", Code.REQUIRED),
        ("  ", Code.REQUIRED),
        (3850108020908, Code.WRONG_TYPE),
        (["1"], Code.WRONG_TYPE),
        ("x" * 65, Code.TOO_LONG),
        ("12\x0034", Code.CONTROL_CHARACTERS),
        ("1234\n", Code.CONTROL_CHARACTERS),
        ("12 34", Code.NOT_ASCII),
        ("١٢٣", Code.NOT_ASCII),
    ],
)
def test_what_is_no_barcode_is_refused_with_its_reason(value, code):
    assert refusal(value) is code


def test_a_number_as_barcode_is_told_to_be_a_string():
    with pytest.raises(RefusedError, match="string"):
        parse_barcode(3850108020908)


@given(st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)))
def test_exactly_one_check_digit_fits(payload):
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    fitting = [digit for digit in "0123456789" if not has_wrong_check_digit(payload + digit)]
    assert fitting == [str(-total % 10)]


@pytest.mark.parametrize("barcode", ["3850108020908", "96385074", "036000291452", "10012345678902", "123", "ABCDEFGH"])
def test_right_gtins_and_other_codes_are_not_warned_of(barcode):
    assert not has_wrong_check_digit(barcode)


def test_alternate_barcodes_are_kept_once_and_in_order():
    assert parse_alternates(["2", " 1", "2"]) == ("2", "1")
    assert parse_alternates([]) is None


@pytest.mark.parametrize(
    ("value", "code"), [("1", Code.WRONG_TYPE), ([1], Code.WRONG_TYPE), (["1"] * 33, Code.TOO_LONG)]
)
def test_other_lists_of_alternate_barcodes_are_refused(value, code):
    with pytest.raises(RefusedError) as refused:
        parse_alternates(value)
    assert refused.value.code is code


@given(st.lists(st.from_regex(r"[0-9]{8}|[0-9]{12,14}|[0-9]{5}|[A-Z0-9]{13}", fullmatch=True), max_size=20))
def test_barcodes_are_checked_together_as_one_by_one(codes):
    assert have_right_check_digits(codes) == (not any(map(has_wrong_check_digit, codes)))


@given(st.lists(st.from_regex(r"[0-9]{7}|[0-9]{11,13}", fullmatch=True), max_size=20))
def test_barcodes_with_right_check_digits_are_right_together(codes):
    ended = [[start + digit for digit in "0123456789"] for start in codes]
    assert have_right_check_digits([next(c for c in some if not has_wrong_check_digit(c)) for some in ended])
