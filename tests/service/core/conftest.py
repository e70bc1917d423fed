import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from service.core.product import StoreFacts
from service.core.rows import Parsed, parse_rows

Parse = Callable[..., Parsed]
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


@pytest.fixture(scope="session")
def store() -> StoreFacts:
    return StoreFacts(currency="EUR", timezone="Europe/Zagreb", locale="hr")


@pytest.fixture(scope="session")
def parse(store: StoreFacts) -> Parse:
    """Parse rows of a push: each a JSON value, or the bytes of one."""

    def parse(*rows: Any, kind: str = "whole") -> Parsed:
        raws = [msgspec.Raw(row if isinstance(row, bytes) else json.dumps(row).encode()) for row in rows]
        return parse_rows(raws, kind, store)

    return parse


@pytest.fixture(scope="session")
def split() -> Callable[[bytes], list[msgspec.Raw]]:
    """The rows of a push as the API takes them apart."""
    return _split


@pytest.fixture
def milk() -> dict[str, Any]:
    return {"barcode": "3850108020908", "name": "Mlijeko 1 l", "price": "1.02"}
