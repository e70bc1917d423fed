"""The client knows the whole API."""

import re

from service.api.operations import OPERATIONS
from service.client import Client

STREAMS = {"streamBatchStatus"}
"""Of these the status is asked for instead."""


def test_every_operation_has_its_method():
    with Client("http://127.0.0.1:9", "t") as client:
        known = {name for area in vars(client).values() for name in dir(area) if not name.startswith("_")}
    asked = {operation.id for operation in OPERATIONS if operation.needs_token} - STREAMS
    assert {snake(name) for name in asked} - known == set()


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
