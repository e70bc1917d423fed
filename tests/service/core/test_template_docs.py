"""The page about templates has every field, kind and key."""

from pathlib import Path

from service.core.label_fields import FIELDS
from service.core.template_file import parse
from service.core.template_format import AnyArea

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")


def test_every_field_is_told():
    for name, field in FIELDS.items():
        assert f"| `{name}` | {field.text}" in PAGE


def test_every_kind_and_key_is_told():
    common = {"box", "when", "paper", "border"}
    assert all(f"`{key}`" in PAGE for key in common)
    areas = PAGE.partition("### Areas")[2]
    for kind in AnyArea.__args__:
        row = next(line for line in areas.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}` |"))
        own = set(kind.__struct_encode_fields__) - common
        assert {key for key in own if f"`{key}`" in row} == own


def test_the_examples_are_what_they_say():
    examples = [part.split("```")[0] for part in PAGE.split("```toml\n")[1:]]
    assert [bool(parse("corner.toml", text).area) for text in examples] == [True, False]
