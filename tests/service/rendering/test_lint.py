import pytest

from service.core.templates import Bundle, Template
from service.rendering.lint import lint
from service.rendering.shipped import shipped, text

HEAD = 'format = 1\nversion = 1\n[[shape]]\nname = "any"\n'
NAME = '[area.name]\nkind = "text"\ntext = "{name}"\nlines = 6\nbox.any = [0, 0, 100, 30]\n'
PRICE = '[area.price]\nkind = "price"\nbox.any = [0, 30, 100, 70]\n'
OLD = '[area.old]\nkind = "text"\ntext = "{regular}"\nbox.any = [0, 70, 100, 85]\n'
BARCODE = '[area.code]\nkind = "barcode"\nbox.any = [0, 85, 100, 100]\n'


def found(text: str, **how: int) -> list[str]:
    return [str(finding) for finding in lint(Template(Bundle("own", {"own": HEAD + text})), **how)]


@pytest.mark.parametrize(
    ("template", "finding"),
    [
        (NAME, "own.toml: error: The price is not shown. (152x152, regular;"),
        (NAME + PRICE.replace("[0, 30, 100, 70]", "[0, 30, 5, 35]"), "own.toml: error: The price is not shown."),
        (PRICE + OLD, "own.toml: warning: The name is not shown."),
        (NAME + PRICE, "own.toml: warning: A sale is shown without the price before it"),
        (NAME.replace("lines = 6", "lines = 1") + PRICE, "own.toml:5: warning: area name: The text is cut. (152x152"),
        (NAME + PRICE + OLD + BARCODE, "area code: There is no room for bars"),
        (NAME + PRICE + OLD.replace("[0, 70", "[0, 60"), "area old: It overlaps price. (152x152;"),
        (
            NAME + PRICE + OLD.replace("100, 85", "9, 72"),
            "own.toml:13: warning: area old: It does not fit, and is left out.",
        ),
        (NAME + PRICE.replace("box", 'ink = "white"\nbox'), "area price: On BW its ink cannot be read on its paper"),
        (NAME + PRICE.replace("box", 'ink = "second"\nbox'), "area price: On BWY its ink cannot be read on its paper"),
        (
            '[area.under]\nkind = "box"\npaper = "accent"\nbox.any = [0, 0, 100, 100]\n' + NAME + PRICE,
            "own.toml:9: error: area name: On BW its ink cannot be read on its paper",
        ),
        (NAME + PRICE + '[words.new]\nen = "\U00013000"\n', "[words.new] en: no font here has \U00013000"),
    ],
)
def test_what_a_shelf_should_not_show_is_found(template: str, finding: str):
    assert any(finding in told for told in found(template)), found(template)


def test_a_price_has_the_height_that_is_asked_for():
    assert not any("pixels high" in told for told in found(NAME + PRICE))
    assert any("pixels high; 60 are wanted" in told for told in found(NAME + PRICE, least_price=60))


def test_errors_come_first_and_each_is_told_once():
    told = found(NAME.replace("lines = 6", "lines = 1"))
    assert [finding.split()[1] for finding in told][:2] == ["error:", "warning:"]
    assert len(told) == len(set(told))


def test_a_line_is_that_of_the_variants_own_file():
    files = {name: text(name) or "" for name in ("price", "sale", "weighed", "sold-out", "regular")}
    files["sale"] = files["sale"].replace('kind = "price"\n', 'kind = "price"\nink = "accent"\n')
    told = [str(finding) for finding in lint(Template(Bundle("price", files))) if finding.level == "error"]
    assert told
    assert all(finding.startswith("sale.toml:") for finding in told)


def test_templates_that_ship_are_judged_alike_again():
    assert lint(shipped("sale")) == lint(shipped("sale"))
