from unicodedata import is_normalized

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.problems import printable
from service.core.text import clean, has_control, is_clean, tidied

any_text = st.text(st.characters(exclude_categories=()))  # unpaired surrogates too


@given(any_text)
def test_any_text_becomes_storable(text):
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert not has_control(cleaned)
    assert is_normalized("NFC", cleaned)
    assert cleaned.split(" ") == (cleaned.split() or [""])


@given(any_text)
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@given(any_text)
def test_text_that_passes_the_quick_look_is_clean(text):
    assert not is_clean(text) or clean(text) == text


@given(st.lists(any_text | st.text("aS \u010d\u030c`"), max_size=6))
def test_texts_that_are_tidied_together_are_as_cleaned_one_by_one(texts):
    assert tidied(texts) in (None, [clean(text) for text in texts])


@pytest.mark.parametrize("text", ["Mlijeko 2,8 % 1 l", "ŠEĆER bijeli", "חלב 3%", 'Čips <"&>', ""])
def test_usual_text_passes_the_quick_look(text):
    assert is_clean(text)
    assert tidied([text, f" {text}  {text}"]) == [text, f"{text} {text}".strip()]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  a \u00a0 b\u2003", "a b"),
        ("a\tb\r\nc", "a b c"),
        ("a\x00b\x7fc\x9bd", "abcd"),
        ("a\ud800b", "ab"),
        ("S\u030c", "Š"),
        ("\u200fחלב\u200e 3%", "\u200fחלב\u200e 3%"),
    ],
)
def test_blanks_collapse_and_control_characters_go(text, cleaned):
    assert clean(text) == cleaned


def test_long_text_is_normalised_word_by_word():
    assert clean("S\u030cec\u0301er " * 200) == "Šećer " * 199 + "Šećer"


@given(any_text)
def test_foreign_text_in_a_sentence_can_be_stored_and_printed(text):
    assert printable(text).isprintable()
    assert len(printable(text)) == min(len(text), 40)
