import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from service.cli import mapping
from service.cli.mapping import Mapped, Rejected
from service.importing.outcomes import Line

KONZUM = (
    "Product,ProductId,Brand,Quantity,Unit,Barcode,Category,Price,UnitPrice,SpecialPrice,BestPrice30,AnchorPrice\n"
    "MLIJEKO UHT 2.8% MM 1L TE,90381469,Z BREGOV,1.00 l,ko,3850108020908,HRANA,,0.94,0.94,0.94,1.02\n"
    "ČAJ\u00a0ZELENI ,02180362,,0.25 kg,ko,3850108060102,HRANA,2.85,11.4,,2.85,2.99\n"
    "SIR NA VAGU,01647057,,1.00 kg,kg,,MLIJEČNI,9.99,9.99,,,9.99\n"
)


def read(file: Path, mapped: Mapped, fallback: str | None = None) -> list[Line | Rejected]:
    return list(mapping.read(str(file), "ndjson" if file.suffix == ".ndjson" else "csv", mapped, fallback))


def products(file: Path, mapped: Mapped, fallback: str | None = None) -> list[dict[str, Any]]:
    """As they go over the wire."""
    lines = [line for line in read(file, mapped, fallback) if isinstance(line, Line)]
    return json.loads(msgspec.json.encode([line.product for line in lines]), parse_float=str)


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, text: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        return file

    return write


def test_konzums_feed_goes_as_the_store_means_it(write: Any):
    milk, tea = products(write("feed.csv", KONZUM), mapping.load("konzum"))
    assert milk == {
        "barcode": "3850108020908",
        "name": "MLIJEKO UHT 2.8% MM 1L TE",
        "salePrice": "0.94",
        "unitPrice": "0.94",
        "netContent": "1.00",
        "netContentUnit": "l",
        "unit": "ko",
        "brand": "Z BREGOV",
        "category": "HRANA",
        "sku": "90381469",
    }
    assert (tea["name"], tea["price"], tea["sku"]) == ("ČAJ\u00a0ZELENI ", "2.85", "02180362")
    assert not {"salePrice", "brand"} & set(tea)


def test_a_row_without_a_barcode_is_rejected_with_its_line(write: Any):
    (rejected,) = [
        line for line in read(write("feed.csv", KONZUM), mapping.load("konzum")) if isinstance(line, Rejected)
    ]
    assert (rejected.line, rejected.field, rejected.code) == ("4", "barcode", "required")
    assert "--key-fallback sku" in rejected.detail


def test_a_row_without_a_barcode_is_keyed_by_another_field_where_that_is_asked_for(write: Any):
    assert products(write("feed.csv", KONZUM), mapping.load("konzum"), "sku")[-1]["barcode"] == "01647057"


@pytest.mark.feeds
def test_every_row_of_three_real_stores_is_read():
    counted: Counter[str] = Counter()
    for file in sorted(Path(os.environ["SHELFCAST_FEEDS"]).glob("konzum/*.csv")):
        for line in read(file, mapping.load("konzum")):
            counted[type(line).__name__] += 1
            if isinstance(line, Line):
                counted["priced"] += "price" in line.product or "salePrice" in line.product
                counted["net"] += "netContentUnit" in line.product
    assert counted["Line"] + counted["Rejected"] == 23_735
    assert counted["Rejected"] == 427
    assert counted["priced"] == counted["net"] == counted["Line"]


def test_columns_that_are_named_as_feed_fields_need_no_mapping(write: Any):
    file = write("feed.csv", "barcode,name,price,shelf\n1,Milk,1.29,A3\n")
    assert products(file, Mapped()) == [{"barcode": "1", "name": "Milk", "price": "1.29"}]


@pytest.mark.parametrize(
    ("written", "sent"),
    [("1,29", "1.29"), ("1.234,50", "1234.50"), ("1 234,5", "1234.5"), ("1.5", "1.5"), ("12", "12"), ("-1,5", "-1.5")],
)
def test_a_decimal_comma_is_a_point_on_the_wire(write: Any, written: str, sent: str):
    file = write("feed.csv", f"barcode;name;price\n1;Milk;{written}\n")
    assert products(file, Mapped(delimiter=";", decimal=","))[0]["price"] == sent


def test_a_byte_order_mark_is_no_part_of_the_first_column(write: Any):
    assert products(write("feed.csv", "\ufeffbarcode,name\n1,Milk\n"), Mapped())[0]["barcode"] == "1"


def test_another_encoding_is_read_where_it_is_named(write: Any):
    file = write("feed.csv", "barcode,name\n1,Čaj\n", "cp1250")
    assert products(file, Mapped(encoding="cp1250"))[0]["name"] == "Čaj"


def test_a_file_in_another_encoding_says_so(write: Any, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(click.exceptions.Exit):
        products(write("feed.csv", "barcode,name\n1,Čaj\n", "cp1250"), Mapped())
    assert "--encoding" in capsys.readouterr().err


def test_what_a_spreadsheet_does_to_values_is_undone(write: Any):
    text = "barcode,onSale,alternateBarcodes,netContent\n'0012,yes,1;2 3,750 ml\n5,no,,\n"
    assert products(write("feed.csv", text), Mapped()) == [
        {
            "barcode": "0012",
            "onSale": True,
            "alternateBarcodes": ["1", "2", "3"],
            "netContent": "750",
            "netContentUnit": "ml",
        },
        {"barcode": "5", "onSale": False},
    ]


def test_a_csv_row_that_is_too_long_or_too_short_is_still_a_row(write: Any):
    file = write("feed.csv", "barcode,name,price\n1,Milk\n2,Tea,1.00,extra\n")
    assert products(file, Mapped()) == [
        {"barcode": "1", "name": "Milk"},
        {"barcode": "2", "name": "Tea", "price": "1.00"},
    ]


def test_a_quoted_line_break_keeps_the_count_of_lines(write: Any):
    file = write("feed.csv", 'barcode,name\n1,"Milk\n1 l"\n,Tea\n')
    first, second = read(file, Mapped())
    assert isinstance(first, Line)
    assert (first.number, first.product["name"]) == (3, "Milk\n1 l")
    assert isinstance(second, Rejected)
    assert second.line == "4"


def test_ndjson_goes_on_to_the_last_digit(write: Any):
    file = write("feed.ndjson", '{"barcode":"1","price":9007199254740993.01}\n\n{"barcode":"2","price":"1.10"}\n')
    assert products(file, Mapped()) == [
        {"barcode": "1", "price": "9007199254740993.01"},
        {"barcode": "2", "price": "1.10"},
    ]


def test_the_keys_of_ndjson_can_be_mapped(write: Any):
    file = write("feed.ndjson", '{"ean":"1","title":"Milk","shelf":"A3"}\n')
    assert products(file, Mapped(columns={"barcode": "ean", "name": "title"})) == [{"barcode": "1", "name": "Milk"}]


@pytest.mark.parametrize("line", ["{", "[]", "1", '"x"', '{"a":}', "\x00", "[" * 5000])
def test_a_line_that_is_no_json_object_holds_up_no_other(write: Any, line: str):
    first, second = read(write("feed.ndjson", f'{line}\n{{"barcode":"1"}}\n'), Mapped())
    assert isinstance(first, Rejected)
    assert (first.line, first.code) == ("1", "not_json")
    assert isinstance(second, Line)


@pytest.mark.parametrize("row", ["{}", '{"barcode":null,"sku":"7"}', '{"barcode":"","sku":"7"}'])
def test_an_object_without_a_barcode_is_rejected(write: Any, row: str):
    (rejected,) = read(write("feed.ndjson", row), Mapped())
    assert isinstance(rejected, Rejected)


def test_an_object_is_keyed_by_its_sku_where_that_is_asked_for(write: Any):
    file = write("feed.ndjson", '{"barcode":null,"sku":"007"}')
    assert products(file, Mapped(), "sku") == [{"sku": "007", "barcode": "007"}]


@pytest.mark.parametrize(
    ("toml", "word"),
    [
        ("[columns]\nbarcode = 1\n", "columns"),
        ("[columns]\nbarcod = 'EAN'\n", "barcod"),
        ("decimal = ';'\n", "decimal"),
        ("colums = {}\n", "colums"),
        ("[", "not right"),
    ],
)
def test_a_mapping_file_that_is_not_right_says_what_is_wrong(
    write: Any, capsys: pytest.CaptureFixture[str], toml: str, word: str
):
    with pytest.raises(click.exceptions.Exit) as caught:
        mapping.load(str(write("map.toml", toml)))
    assert caught.value.exit_code == 2
    assert word in capsys.readouterr().err


def test_a_mapping_that_does_not_exist_says_which_do(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(click.exceptions.Exit):
        mapping.load("spar")
    assert "konzum" in capsys.readouterr().err


def test_a_column_that_the_file_does_not_have_is_named(write: Any, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(click.exceptions.Exit):
        products(write("feed.csv", "ean,name\n1,Milk\n"), Mapped(columns={"barcode": "EAN"}))
    assert "no column EAN; it has ean, name" in capsys.readouterr().err


def test_a_file_of_another_program_is_understood_without_a_word(write: Any):
    text = (
        "šifra;naziv;barkod;MPC (EUR);MPC za vrijeme posebnog oblika prodaje (EUR);sidrena cijena\n"
        "7;Čaj;1;1.234,50;0,99;\n"
    )
    auto = mapping.load("auto")
    assert products(write("feed.csv", text, "cp1250"), auto) == [
        {"barcode": "1", "name": "Čaj", "price": "1234.50", "salePrice": "0.99", "sku": "7"}
    ]
    israel = "<root><Item><ItemCode>7</ItemCode><ItemNm>x</ItemNm><ItemPrice>5.9</ItemPrice></Item></root>"
    rows = list(mapping.read(str(write("prices.xml", israel)), None, auto, None))
    assert [row.product for row in rows if isinstance(row, Line)] == [{"barcode": "7", "name": "x", "price": "5.9"}]


def test_a_file_that_nobody_understands_says_how_to_say_what_it_is(write: Any, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(click.exceptions.Exit):
        products(write("feed.csv", "a,b\n1,2\n"), mapping.load("auto"))
    assert "--map" in capsys.readouterr().err
