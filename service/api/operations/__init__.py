"""Every operation of the API as data: what it is for, who may ask it, what it takes, what it answers.

One table for all who have to know: authentication looks up here what a token needs (`api.auth`), OpenAPI, the page and
the discovery are made from it, and tests try every wrong token on every one of these.
"""

import re

from service.api.operations import batches, displays, feed, gateways, health, previews, products, tenants, webhooks
from service.api.operations.feed import SESSION
from service.api.operations.gateways import GATEWAY
from service.api.operations.operation import Answer, Operation, Reach, Schema
from service.api.operations.webhooks import DELIVERY, WEBHOOK

__all__ = [
    "BY_ROUTE",
    "METHODS",
    "OPERATIONS",
    "PARAMETER",
    "PATH_PARAMETERS",
    "Answer",
    "Operation",
    "Reach",
    "Schema",
]

OPERATIONS: tuple[Operation, ...] = (
    *feed.OPERATIONS,
    *previews.OPERATIONS,
    *displays.OPERATIONS,
    *tenants.OPERATIONS,
    *products.OPERATIONS,
    *gateways.OPERATIONS,
    *batches.OPERATIONS,
    *webhooks.OPERATIONS,
    *health.OPERATIONS,
)
BY_ROUTE = {operation.route: operation for operation in OPERATIONS}
PARAMETER = re.compile(r"{\w+(?::\w+)?}")
"""A parameter in a path, as Litestar writes it."""
METHODS: dict[str, set[bytes]] = {}
"""Of each path, without the names of its parameters."""
for _method, _path in BY_ROUTE:
    METHODS.setdefault(_path, set()).add(_method.encode())

PATH_PARAMETERS: dict[str, Schema] = {
    "sessionId": {"type": "string", "description": "As `/batch/start` answered it.", "examples": [SESSION]},
    "barcode": {
        "type": "string",
        "description": "The product's. One with a slash goes to `/products/preview.png`.",
        "pattern": "^[!-.0-~]{1,64}$",
        "examples": ["3850123456782"],
    },
    "blink": {"type": "string", "description": "As `blink` answered it.", "examples": [SESSION]},
    "store": {
        "type": "string",
        "description": "The store's slug, or its ULID.",
        "pattern": "^[0-9A-Za-z-]{1,63}$",
        "examples": ["zagreb-0901"],
    },
    "tokenId": {"type": "string", "description": "Id of a token, as lists show it.", "examples": [SESSION]},
    "product": {
        "type": "string",
        "description": "The product's id, or `by-barcode` together with `?barcode=`, which may hold a slash.",
        "examples": [SESSION, "by-barcode"],
    },
    "gatewayId": {"type": "string", "description": "The gateway's id, or its name.", "examples": [GATEWAY]},
    "display": {"type": "string", "description": "The display's address, or its id.", "examples": ["SIM000001"]},
    "webhookId": {"type": "string", "description": "As it was made.", "examples": [WEBHOOK]},
    "deliveryId": {"type": "string", "description": "As the list of deliveries has it.", "examples": [DELIVERY]},
}
