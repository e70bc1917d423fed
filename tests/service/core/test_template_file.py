from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.template_file import TemplateError, parse
from service.core.template_format import TextArea

GOOD = """\
format = 1
version = 3

[[shape]]
name = "wide"
ratio = [1.5, 99]

[[shape]]
name = "any"

[area.name]
kind = "text"
text = "{name} {words.new}"
box.wide = [2, 2, 98, 40]
box.any = [2, 2, 98, 30]

[area.price]
kind = "price"
when = { on_sale = true, stock = { from = 1, below = 9.5 }, "attributes.bio" = true, category = ["Wine", "Beer"] }
box.wide = [2, 40, 98, 98]

[words.new]
en = "New"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(TemplateError) as error:
        parse("shelf.toml", text)
    return [str(fault) for fault in error.value.faults]


def test_a_file_is_read_as_it_is_written():
    file = parse("shelf.toml", GOOD)
    name = file.area["name"]
    assert isinstance(name, TextArea)
    assert (file.version, list(file.area), name.text, name.box["any"]) == (
        3,
        ["name", "price"],
        "{name} {words.new}",
        (2, 2, 98, 30),
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{name}", "{nmae}", "13: area name: No product has a field nmae. Is name meant?"),
        ("{name}", "{on_sale}", "13: area name: on_sale is true or false and says nothing; ask for it in `when`."),
        ("{name}", "{name", "13: area name: A brace has no partner in '{name {words.new}'."),
        ("{words.new}", "{words.old}", "13: area name: There are no [words.old] in this file."),
        ("{name}", "{attributes.}", "13: area name: No product has a field attributes.."),
        ('kind = "price"', 'kind = "prize"', "18: area price: Invalid value 'prize'"),
        ('kind = "price"', 'kind = "price"\nfield = "name"', "19: area price: name is not a price."),
        ('kind = "price"', 'kind = "price"\ninkk = "accent"', "19: area price: Object contains unknown field `inkk`"),
        ("on_sale = true", "onsale = true", "19: area price: No product has a field onsale. Is on_sale meant?"),
        ("from = 1,", "fro = 1,", "19: area price: Object contains unknown field `fro`. Is from meant?"),
        ("98, 98]", "98, 101]", "20: area price: Expected `float` <= 100.0"),
        ("[2, 40, 98, 98]", "[98, 40, 2, 98]", "20: area price: The box of wide is left, top, right, bottom, in"),
        ("[2, 40, 98, 98]", "[2, 40, 98]", "20: area price: Expected `array` of length 4, got 3"),
        ("box.any", "box.tall", "15: area name: There is no shape tall."),
        ('name = "any"', 'name = "any"\nwidth = [0, 9]', "8: The last shape has no conditions"),
        ("ratio = [1.5, 99]", "ratios = [1.5, 99]", "6: Object contains unknown field `ratios`. Is ratio meant?"),
        ("version = 3", "version = 0", "2: Expected `int` >= 1"),
        ("version = 3", "", "Object missing required field `version`"),
        ("format = 1", "format = 2", "1: Write format = 1 at the top"),
        ("[area.name]", "[area.Name]", "11: area Name: Expected `str` matching regex"),
        ("box.wide = [2, 40", "box.wide = 2, 40", "20: This is no TOML"),
    ],
)
def test_whatever_is_wrong_is_told_with_file_line_and_area(old: str, new: str, fault: str):
    assert any(
        told.startswith(("shelf.toml:", "shelf.toml: ")) and fault in told for told in faults(GOOD.replace(old, new))
    )


def test_every_fault_is_told_at_once():
    text = GOOD.replace("{name}", "{nmae}").replace("98, 98]", "98, 101]").replace("on_sale", "onsale")
    assert len(faults(text)) == 2  # a price that is no area has no conditions to be wrong


def test_a_template_has_areas_or_variants():
    assert "either areas or variants" in faults("format = 1\nversion = 1\n")[0]
    both = GOOD + '\n[[variant]]\nuse = "sale"\n'
    assert "either areas or variants" in faults(both)[0]
    assert "The last variant" in faults('format = 1\nversion = 1\n[[variant]]\nuse = "a"\nwhen = { on_sale = true }')[0]


@pytest.mark.parametrize("text", ["x" * 70_000, "[" * 5000, "a = " + "[" * 60_000, "area = 1\nformat = 1\nversion = 1"])
def test_what_is_huge_nested_or_no_table_is_refused(text: str):
    assert faults(text)


def test_more_areas_than_anybody_draws_are_refused():
    areas = "".join(f'[area.a{n}]\nkind = "box"\nbox.any = [0, 0, 1, 1]\n' for n in range(61))
    assert any("at most 60 areas" in fault for fault in faults(GOOD + areas))


pieces = st.sampled_from(
    [
        *("[area.a]\n", "[[shape]]\n", "format = 1\n", "version = 1\n", 'kind = "text"\n', 'text = "{name}"\n'),
        *("box.a = [", "0, 0, 100, 100]\n", 'name = "a"\n', "when = { on_sale = ", "true }\n", "[words.x]\n"),
        *('en = "\\u0000"\n', "]", "=", '"', "{", "\n"),
    ]
)


@given(st.text() | st.lists(pieces, max_size=30).map("".join))
def test_no_text_however_broken_is_more_than_faulty(text: str):
    with suppress(TemplateError):
        parse("x.toml", text)
