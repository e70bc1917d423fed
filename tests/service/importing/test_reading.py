"""Any split of the bytes gives the same rows, and no file, however broken, fills the memory or stops the program."""

import contextlib
import csv
import gzip
import io
import os
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.importing.expanding import expanded
from service.importing.outcomes import Line, Refused, UnreadableError
from service.importing.reading import Reading, Wish
from tests.service.importing.reader import found, products, read, refused
from tests.service.importing.test_formats import HEADERS_IN_CROATIA, ISRAEL, SHOPIFY

MEGABYTE = 1024 * 1024
FILES = [
    SHOPIFY.encode(),
    SHOPIFY.replace("\n", "\r\n").encode("utf-16"),
    SHOPIFY.replace("\n", "\r").encode(),
    (HEADERS_IN_CROATIA[1] + "\nČAJ;01;Ž;0,5;l;383;H;3,17;6,34;2,99;;\n" * 9).encode("cp1250"),
    ISRAEL.format(encoding="windows-1255").encode("cp1255"),
    gzip.compress(ISRAEL.format(encoding="utf-8").encode("utf-8-sig")) + gzip.compress(b"\n") + b"\0" * 9,
    '{"barcode":"1","name":"Čaj","price":1.10}\n{\n{"barcode":null}\r\n{"barcode":"2"}'.encode(),
]


@pytest.mark.parametrize("content", FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_split_of_the_bytes_gives_the_same_rows(content: bytes, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=12)))
    chunks = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert list(Reading(chunks, Wish())) == list(Reading([content], Wish()))


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(content: bytes):
    with contextlib.suppress(UnreadableError):
        assert all(isinstance(row, Line | Refused) for row in read(content))


def _of(head: bytes, body: bytes, times: int) -> Iterator[bytes]:
    yield head
    for _ in range(times):
        yield body


HOSTILE = {
    "a line of a gigabyte": (b"barcode,name,price\n1,", b"x" * MEGABYTE, 1024),
    "a quote that is never closed": (b'barcode,name,price\n1,"', b"x,1\n" * 262144, 1024),
    "a tag of a gigabyte": (b"<root><Item a='", b"x" * MEGABYTE, 1024),
    "a text of a gigabyte": (b"<root><Item><ItemCode>", b"x" * MEGABYTE, 1024),
    "a comment of a gigabyte": (b"<root><!--", b"x" * MEGABYTE, 1024),
    "a nest without end": (b"<root>", b"<a>" * 100_000, 100),
    "nothing but zeros": (b"barcode,name,price\n", b"\0" * MEGABYTE, 100),
    "a header of a gigabyte": (b"", b"x," * 500_000, 1024),
    "a piece of XML that is cut": (b"<root><Item>", b"", 0),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_before_it_fills_the_memory(hostile):
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            list(Reading(_of(*hostile), Wish()))
        assert tracemalloc.get_traced_memory()[1] < 64 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_before_it_goes_off():
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(b"barcode,name,price\n") + b"".join(
        packer.compress(b"1,x,1\n" * 170_000) for _ in range(100)
    )
    bomb += packer.flush()
    with pytest.raises(UnreadableError, match="200 times its size"):
        sum(map(len, expanded([bomb])))


def test_a_file_that_grows_beyond_the_limit_is_refused():
    with pytest.raises(UnreadableError, match="more than 1 MiB once expanded"):
        read(gzip.compress(b"barcode,name,price\n" + os.urandom(900_000).hex().encode()), most=MEGABYTE)


@pytest.mark.parametrize("cut", [5, 20, -9, -1])
def test_gzip_that_ends_too_early_is_refused(cut: int):
    with pytest.raises(UnreadableError, match="gzip"):
        read(gzip.compress(SHOPIFY.encode())[:cut])


def test_an_xml_with_entities_is_refused():
    laughs = (
        '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><root><Item><ItemCode>&b;</ItemCode></Item></root>'
    )
    with pytest.raises(UnreadableError, match="document type declaration"):
        read(laughs)


def test_a_quote_that_is_never_closed_tells_where_it_is_opened():
    with pytest.raises(UnreadableError, match="opened in line 3"):
        read('barcode,name,price\n1,Milk,1\n2,"Tea,1\n3,Jam,1\n')


@pytest.mark.parametrize("content", [b"PK\x03\x04 and so on", b"\xd0\xcf\x11\xe0\xa1", b"[{}]", b"", b" \n", b"\0\0"])
def test_what_is_no_list_of_products_says_what_to_do(content: bytes):
    with pytest.raises(UnreadableError):
        read(content)


def test_a_name_with_broken_bytes_is_refused_and_its_neighbours_go_on():
    content = "barcode,name,price\n1,Čaj,1.00\n2,X,1.00\n3,Ž,1.00\n".encode().replace(b"X", b"\xc4")
    content = content.replace(b"3,", "3,ČČČČČČČČČČČČČČČČČČČČČČČČČČ".encode())
    assert refused(content) == [(3, "name", "not_text")]


def test_a_name_in_xml_with_broken_bytes_is_refused_alone():
    content = "<root>" + "".join(
        f"<Item><ItemCode>{number}</ItemCode><ItemName>חלב{number}</ItemName><ItemPrice>1.00</ItemPrice></Item>"
        for number in range(40)
    )
    assert refused((content + "</root>").encode().replace("חלב7<".encode(), b"\xd7<")) == [(8, "name", "not_text")]


def test_a_header_with_broken_bytes_is_shown_as_far_as_it_can_be():
    text = "naziv;barkod;mpc;sidrena;neto količina ŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽŽX\nČaj;1;1,50;;1\n"
    columns = found(text.encode().replace(b"X", b"\xc4"), format="croatia").columns
    assert columns["netContent"].endswith("Ž\ufffd")


def test_zeros_in_a_name_are_the_feeds_to_clean():
    assert products("barcode,name,price\n1,Mi\0lk,1.00\n")[0]["name"] == "Mi\0lk"


def test_utf16_that_ends_in_the_middle_of_a_letter_loses_that_row_alone():
    content = "barcode,name,price\n1,Milk,1.00\n2,Tea,1.00".encode("utf-16")
    assert refused(content[:-1]) == [(3, "price", "not_text")]


def test_a_letter_beyond_ascii_that_comes_late_decides_the_encoding_all_the_same():
    text = "barcode;name;price\n" + "1;Milk;1,00\n" * 20_000 + "2;ŠEĆER ŽUTI ČAJ;1,00\n"
    assert found(text.encode("cp1250")).encoding == "windows-1250"
    assert products(text.encode("cp1250"))[-1]["name"] == "ŠEĆER ŽUTI ČAJ"


def test_a_line_of_ndjson_that_is_too_long_holds_up_no_other():
    content = b'{"barcode":"1"}\n{"name":"' + b"x" * 5 * MEGABYTE + b'"}\n{"barcode":"2"}\n'
    first, second, third = Reading([content[:100], content[100:]], Wish())
    assert isinstance(first, Line)
    assert isinstance(second, Refused)
    assert (second.number, third.number) == (2, 3)


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str]]):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["barcode", "name", "brand"])
    writer.writerows([f"k{place}", *row] for place, row in enumerate(rows))
    said = products(out.getvalue().encode("utf-8"), format="fields", delimiter=",", encoding="utf-8")
    assert said == [
        {"barcode": f"k{place}"}
        | ({} if not name or name.isspace() else {"name": name})
        | ({} if not brand or brand.isspace() else {"brand": brand})
        for place, (name, brand) in enumerate(rows)
    ]


@pytest.mark.feeds
def test_real_price_lists_are_recognised_and_read_to_the_last_row():
    rows = without_key = 0
    for file in sorted(Path(os.environ["SHELFCAST_FEEDS"]).glob("konzum/*.csv")):
        reading = Reading([file.read_bytes()], Wish(locale="hr"))
        outcome = list(reading)
        assert (reading.found.format, reading.found.encoding) == ("konzum", "utf-8")
        assert set(reading.found.decimal.values()) == {"."}
        rows += len(outcome)
        without_key += sum(isinstance(row, Refused) for row in outcome)
    assert (rows, without_key) == (23_735, 427)


@pytest.mark.feeds
@pytest.mark.parametrize("encoding", ["cp1250", "utf-16"])
def test_a_real_price_list_is_the_same_in_the_spelling_of_its_chain(encoding: str):
    """Semicolons, decimal commas, headers in Croatian and another encoding: what chains beside this one publish."""
    file = next(iter(sorted(Path(os.environ["SHELFCAST_FEEDS"]).glob("konzum/*.csv"))))
    plain = products(file.read_bytes())
    header, *lines = csv.reader(file.read_text(encoding="utf-8-sig").splitlines())
    names = dict(zip(header, HEADERS_IN_CROATIA[0].split(";"), strict=False))
    names |= {
        "Barcode": "BARKOD",
        "Category": "KATEGORIJA",
        "Price": "MALOPRODAJNA CIJENA",
        "UnitPrice": "CIJENA PO JM",
    }
    names |= {"SpecialPrice": "MPC POSEB.OBLIK PROD", "BestPrice30": "NAJNIŽA CIJENA", "AnchorPrice": "SIDRENA CIJENA"}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(names[name] for name in header)
    prices = {place for place, name in enumerate(header) if "Price" in name and name != "Barcode"}
    for line in lines:
        writer.writerow(cell.replace(".", ",") if place in prices else cell for place, cell in enumerate(line))
    again = out.getvalue().encode(encoding, "replace")
    assert found(again).format == "croatia"
    assert [row["barcode"] for row in products(again)] == [row["barcode"] for row in plain]
    assert [row.get("salePrice") or row["price"] for row in products(again)] == [
        row.get("salePrice") or row["price"] for row in plain
    ]
