import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.rendering.fonts import Word, font, han_of
from service.rendering.text import ELLIPSIS, fit, is_rtl, shaped, text_width, visual

HEBREW = "חלב טרי 3% שומן 1 ליטר"
LONGEST = "Extra long name of a product that has eighty three characters in its whole wide name"


def test_text_that_fits_is_set_at_the_largest_size():
    lines = fit("Milk", "bold", (30, 20), 200, 40)
    assert (lines.font.size, lines.lines, lines.whole) == (30, ("Milk",), True)


def test_text_is_wrapped_between_words_before_it_is_set_smaller():
    lines = fit("Whole milk", "bold", (20, 10), 80, 60)
    assert (lines.font.size, lines.lines) == (20, ("Whole", "milk"))


def test_a_word_wider_than_the_line_is_broken():
    lines = fit("Donaudampfschifffahrt", "bold", (20,), 100, 100)
    assert len(lines.lines) > 1
    assert "".join(lines.lines) == "Donaudampfschifffahrt"


def test_what_does_not_fit_ends_with_an_ellipsis():
    lines = fit(LONGEST, "bold", (20,), 150, 50)
    assert not lines.whole
    assert lines.lines[-1].endswith(ELLIPSIS)
    assert lines.lines[0] == "Extra long"


def test_a_name_of_eighty_three_characters_fits_a_label_of_296_pixels_whole():
    lines = fit(LONGEST, "bold", range(24, 9, -1), 286, 46)
    assert " ".join(lines.lines) == LONGEST


@pytest.mark.parametrize("text", ["", "   ", "\u0007", "\ud800", "\u2028"])
def test_text_without_ink_has_no_lines(text):
    assert fit(text, "bold", (20,), 100, 100) is None


@pytest.mark.parametrize(("width", "height"), [(0, 100), (100, 0), (2, 100), (-5, 100)])
def test_without_room_for_a_letter_there_are_no_lines(width, height):
    assert fit("Milk", "bold", (20, 10), width, height) is None


def test_hebrew_runs_from_right_to_left_and_its_numbers_from_left_to_right():
    assert visual(HEBREW, rtl=True) == "רטיל 1 ןמוש 3% ירט בלח"


@pytest.mark.parametrize(
    ("text", "rtl", "shown"),
    [
        ("(450 גרם)", True, "(םרג 450)"),
        ("((א))", True, "((א))"),
        ("חלב (Milk)", True, "(Milk) בלח"),
        ("Milk (חלב) 1", False, "Milk (בלח) 1"),
        ("Milk (x) חלב", False, "Milk (x) בלח"),
        ("3 > 2 א", True, "א 2 < 3"),
    ],
)
def test_a_bracket_opens_towards_what_it_holds(text, rtl, shown):
    assert visual(text, rtl) == shown


def test_a_line_of_hebrew_is_broken_in_reading_order():
    lines = fit(HEBREW, "bold", (20,), 130, 50)
    assert lines.rtl
    assert lines.lines[0].endswith("בלח")


def drawn(text):
    """Each word of a line, from the left, at a size at which every detail shows."""
    return [font("regular", 60).word(word) for word in visual(shaped(text), is_rtl(shaped(text))).split(" ")]


def test_arabic_letters_are_joined():
    (joined,), apart = drawn("خبز"), drawn("خ ب ز")
    assert joined.ink.width < sum(letter.ink.width for letter in apart)
    assert joined.advance != sum(letter.advance for letter in apart)


def test_a_joiner_keeps_persian_letters_apart():
    word = "می\u200cخواهم"  # noqa: RUF001
    (apart,), (joined,) = drawn(word), drawn(word.replace("\u200c", ""))
    assert (apart.advance, apart.ink.tobytes()) != (joined.advance, joined.ink.tobytes())


@pytest.mark.parametrize(("bare", "marked"), [("น", "น้"), ("שלום", "שָׁלוֹם"), ("تمر", "تَمْر"), ("e", "e\u0323\u0302")])
def test_a_mark_stands_with_its_letter_and_moves_nothing(bare, marked):
    (without,), (with_marks,) = drawn(bare), drawn(marked)
    assert with_marks.advance == without.advance
    assert with_marks.ink.height > without.ink.height


def test_a_thai_tone_stands_above_the_vowel_that_is_there_already():
    (vowel,), (both,), (tone,) = drawn("ที"), drawn("ที่"), drawn("ท่")
    assert both.top > max(vowel.top, tone.top)


def test_the_letters_of_a_word_of_several_scripts_are_drawn_by_the_font_that_has_each():
    (word,) = drawn("Café牛乳ไทย")
    assert word.advance == sum(one.advance for part in ("Café", "牛乳", "ไทย") for one in drawn(part))


@pytest.mark.parametrize(
    ("text", "rtl"),
    [(HEBREW, True), ("3% חלב", True), ("Milk חלב", False), ("123", False), ("Čaj", False), ("5 €", False)],
)
def test_the_first_letter_decides_where_a_paragraph_starts(text, rtl):
    assert is_rtl(shaped(text)) is rtl


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize(
    "name",
    ["Čokoladno mlijeko s đumbirom", "Żurek śląski", "Größe Ü", "Μέλι θυμαρίσιο", "Борщ", "חלב טרי", "حليب طازج",
     "นมสดแท้", "全脂牛奶", "新鮮な牛乳", "신선한 우유"],
)  # fmt: skip
def test_every_letter_of_the_languages_sold_here_has_a_glyph(name, weight):
    missing = font(weight, 40).word("\U000fffff").ink.tobytes()
    for letter in set(name) - {" "}:
        assert font(weight, 40).word(letter).ink.tobytes() != missing, letter


@given(st.text(max_size=100), st.integers(1, 300), st.integers(1, 120))
def test_no_line_is_ever_wider_or_higher_than_its_room(text, width, height):
    if lines := fit(text, "bold", (24, 17, 10), width, height):
        assert lines.height <= height
        assert all(lines.font.width(line) <= width for line in lines.lines)


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=80))
def test_wrapping_loses_no_letter(text):
    if (lines := fit(text, "regular", (10,), 120, 1000)) and not lines.rtl:
        assert lines.whole
        expected = sorted(visual(shaped(text), rtl=False).replace(" ", ""))
        assert sorted("".join(lines.lines).replace(" ", "")) == expected


def test_the_width_of_a_line_is_that_of_its_words_and_blanks():
    small = font("regular", 14)
    assert text_width("Alpine whole milk", small) >= small.width("Alpine whole milk")


def test_an_ideograph_is_written_as_its_language_does():
    ways = {locale: font("regular", 40, han_of(locale)).word("直").ink.tobytes() for locale in ("ja", "zh-CN", "hr")}
    assert ways["ja"] == ways["hr"] != ways["zh-CN"]
    assert [han_of(locale) for locale in ("zh-Hant-TW", "zh_HK", "zh-Hans", "ko-KR", "ja")] == [
        *("zh-hant", "zh-hant", "zh-hans", "ko", ""),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Bio-Vollkornhaferflocken", ("Bio-", "Vollkornhaferflocken")),
        ("Jaja 10/1 velika", ("Jaja 10/1", "velika")),
        ("有機栽培緑茶。バッグ", ("有機栽培緑", "茶。バッグ")),
        ("a b c d e f", ("a b c d e f",)),
    ],
)
def test_lines_are_broken_where_their_script_allows_and_are_about_as_long(text, lines):
    width = max(text_width(line, font("regular", 20)) for line in lines) + 8
    assert fit(text, "regular", (20,), width, 60).lines == lines


def test_a_word_is_not_broken_where_a_smaller_size_has_room():
    found = fit("Vollkornhaferflocken", "regular", (30, 20, 12), 150, 80)
    assert (found.lines, found.font.size) == (("Vollkornhaferflocken",), 12)


def test_no_more_lines_than_are_wanted():
    assert len(fit("one two three four five six", "regular", (20,), 100, 400, 2).lines) == 2


class Interrupted(list):
    """Lets another thread go all its way at the first time that its glyphs are read again."""

    def __iter__(self):
        if meanwhile := self.__dict__.pop("meanwhile", None):
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return super().__iter__()


def test_two_threads_that_put_a_word_together_both_get_its_ink():
    word = Word(placed := Interrupted([(Image.new("1", (2, 3), 1), 0, 3)]), 2)
    others = []
    placed.meanwhile = lambda: others.append(word.ink)
    both = [word.ink, *others, word.ink]
    assert [ink.getbbox() for ink in both] == [(0, 0, 2, 3)] * 3
