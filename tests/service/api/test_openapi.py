"""The document is true: of the routes, the limits, the examples, and itself."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litestar import Litestar

from service.api.openapi import document, saved
from service.api.operations import OPERATIONS
from service.api.products import FIELDS, SCHEMAS
from service.api.requests import complete_decoder, push_decoder, start_decoder
from service.core import fields
from service.core.product import StoreFacts
from service.core.rows import parse_rows

DOCUMENT = document()
NEW_PRODUCT = jsonschema.Draft202012Validator(
    {"$ref": "#/components/schemas/NewProduct", "components": DOCUMENT["components"]}
)
EUROS = StoreFacts("EUR", "Europe/Zagreb", "hr")


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_every_route_is_in_the_document_and_nothing_else(app: Litestar):
    routes = {
        (method.lower(), re.sub(r"_(\w)|:str", lambda found: (found[1] or "").upper(), route.path))
        for route in app.routes
        for method in route.methods - {"OPTIONS"}
    }
    described = {
        (method, server["url"].rstrip("/") + path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        for server in operation.get("servers", DOCUMENT["servers"])
    }
    assert routes == {(method, path or "/") for method, path in described}


def test_the_saved_document_is_what_the_api_says_of_itself():
    """After a change of the API: make openapi, and look at the difference in review."""
    file = Path(__file__).parents[3] / "docs" / "openapi.json"
    assert file.read_text(encoding="utf-8").rstrip("\n") == saved()


def test_the_document_is_openapi_3_1():
    meta = json.loads((Path(__file__).parent / "openapi-3.1.schema.json").read_text())
    jsonschema.Draft202012Validator(meta).validate(DOCUMENT)


def test_every_schema_is_json_schema():
    for each in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(each)


def test_every_reference_leads_somewhere():
    for pointer in set(re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(DOCUMENT))):
        found: Any = DOCUMENT
        for part in pointer.split("/"):
            found = found[part]


def test_operations_have_names_of_their_own():
    names = [operation.id for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_every_example_is_what_its_schema_takes():
    checked = 0
    for content in contents(DOCUMENT["paths"]):
        if "example" in content:
            validator = jsonschema.Draft202012Validator(content["schema"] | {"components": DOCUMENT["components"]})
            validator.validate(content["example"])
            checked += 1
    for field in [*FIELDS.values(), *SCHEMAS.values()]:
        for value in field.get("examples", []):
            jsonschema.validate(value, field | {"components": DOCUMENT["components"]})
            checked += 1
    assert checked > 30


def contents(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [content for part in node for content in contents(part)]
    if not isinstance(node, dict):
        return []
    own = list(node["content"].values()) if isinstance(node.get("content"), dict) else []
    return own + [content for part in node.values() for content in contents(part)]


def test_the_fields_of_a_product_are_those_that_are_read():
    assert set(FIELDS) == {"barcode", *fields.FIELDS}


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**14),
    st.decimals(-1, 10**8, places=3).map(float),
    st.text(max_size=70),
    st.from_regex(r"\A-?[0-9]{1,9}(\.[0-9]{0,6})?\Z"),
    st.from_regex(r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9])?\Z"),
    st.lists(st.text("ab1", max_size=3), max_size=3),
    st.dictionaries(
        st.sampled_from(["amount", "currency", "x"]), st.sampled_from([1, "1.5", "EUR", "eur", None]), max_size=2
    ),
)
TIMES = {"saleStart", "saleEnd", "promotionUntil", "sourceUpdatedAt"}
SPELLING = {"too_many_decimals", "not_a_price", "not_a_number"}


def unspeakable(name: str, value: Any) -> set[str]:
    """What no schema can say: the calendar, the store's currency, and how a number is spelled."""
    said = {"not_a_time"} if name in TIMES else set()
    said |= {"foreign_currency"} if name == "currency" or isinstance(value, dict) else set()
    return said | (SPELLING if isinstance(value, float) else set())


@given(name=st.sampled_from(sorted(FIELDS)), value=JUNK)
@example(name="name", value="\x1b")
@settings(max_examples=400, deadline=None)
def test_what_the_schema_of_a_product_takes_is_taken(name: str, value: Any):
    row = {"barcode": "A", "name": "A", "price": 1} | {name: value}
    if NEW_PRODUCT.is_valid(row):
        errors = parse_rows([msgspec.Raw(msgspec.json.encode(row))], "whole", EUROS).errors
        assert {error.code for error in errors} <= unspeakable(name, value)


@given(name=st.sampled_from(["price", "salePrice", "memberPrice"]), value=JUNK)
@settings(max_examples=200, deadline=None)
def test_what_is_taken_as_a_price_is_in_its_schema_or_only_padded(name: str, value: Any):
    row = {"barcode": "A", "name": "A", "price": 1} | {name: value}
    errors = parse_rows([msgspec.Raw(msgspec.json.encode(row))], "whole", EUROS).errors
    if not errors and not isinstance(value, str):
        jsonschema.validate(row, schema("Product"))


@pytest.mark.parametrize(
    ("name", "decoder"), [("Start", start_decoder), ("Push", push_decoder), ("Complete", complete_decoder)]
)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_body_is_taken_where_its_schema_says_so_and_only_there(name: str, decoder: Any, data: st.DataObject):
    values = st.one_of(
        JUNK, st.sampled_from(["merge", "full", "01KAMW5T9E8Z3Q4R5S6T7V8W9X", "a\n", "\x00", 2**31, 2**53])
    )
    members = st.sampled_from(["sessionId", "reference", "mode", "expectedProducts", "sequence", "other"])
    body = data.draw(st.dictionaries(members, values, max_size=4)) | {"products": []}
    try:
        decoder.decode(msgspec.json.encode(body))
        taken = True
    except msgspec.ValidationError:
        taken = False
    # JSON has one kind of number: 5.0 is an integer to JSON Schema, and none to us.
    if not any(isinstance(value, float) for value in body.values()):
        assert jsonschema.Draft202012Validator(schema(name)).is_valid(body) == taken


async def test_the_document_is_served(connect: Any):
    client: httpx.AsyncClient = connect()
    answer = await client.get("/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.headers["access-control-allow-origin"] == "*"


class Page(HTMLParser):
    """What a page has in it, and whether its tags close."""

    VOID = ("meta",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]
        assert not any(name.startswith("on") or name == "style" for name in given)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_page_is_whole_and_needs_nothing_from_elsewhere(connect: Any):
    answer = await connect().get("/docs")
    page = Page(answer.text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_every_operation_and_schema_is_on_the_page(connect: Any):
    page = Page((await connect().get("/docs")).text)
    assert {operation.id for operation in OPERATIONS} <= set(page.ids)
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(page.ids)


async def test_the_root_leads_to_the_page(connect: Any):
    answer = await connect().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
