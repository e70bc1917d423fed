"""Every operation of the API as data: what it is for, who may ask it, what it takes, what it answers.

One table for all who have to know: authentication looks up here what a token needs (`api.auth`), OpenAPI, the page and
the discovery are made from it, and tests try every wrong token on every one of these.
"""

from service.api.operations import feed, health, imports, previews
from service.api.operations.feed import SESSION
from service.api.operations.imports import IMPORT
from service.api.operations.operation import Answer, Operation, Reach, Schema

__all__ = ["BY_ROUTE", "OPERATIONS", "PATH_PARAMETERS", "Answer", "Operation", "Reach", "Schema"]

OPERATIONS: tuple[Operation, ...] = (
    *feed.OPERATIONS,
    *imports.OPERATIONS,
    *previews.OPERATIONS,
    *health.OPERATIONS,
)
BY_ROUTE = {operation.route: operation for operation in OPERATIONS}

PATH_PARAMETERS: dict[str, Schema] = {
    "sessionId": {"type": "string", "description": "As `/batch/start` answered it.", "examples": [SESSION]},
    "importId": {"type": "string", "description": "As `POST /imports` answered it.", "examples": [IMPORT]},
    "barcode": {
        "type": "string",
        "description": "The product's. One with a slash goes to `/products/preview.png`.",
        "pattern": "^[!-.0-~]{1,64}$",
        "examples": ["3850123456782"],
    },
    "display": {"type": "string", "description": "The display's address, or its id.", "examples": ["SIM000001"]},
}
