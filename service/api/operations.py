"""Every operation of the API as data: what it is for, what it takes, what it answers. See `openapi`."""

from typing import Any

import msgspec

from service import errors
from service.api import health, requests
from service.errors import ServiceError
from service.feed import MAX_PRODUCTS
from service.messages import Accepted, BatchDisplay, Completing, Page, RejectedRow, Session, Status

Schema = dict[str, Any]

FEED_TAG, BATCH_TAG, PREVIEW_TAG, HEALTH_TAG = "Products", "Batches", "Previews", "Health"
FEED_TAGS = (FEED_TAG, BATCH_TAG)
"""Of what answers at the root and under `/api/v1`; what else needs a token answers under that prefix alone."""

SESSION = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"
_PRODUCT = {"barcode": "3850123456782", "name": "Mliječna čokolada 100 g", "price": "1.99"}
_SALE = {"barcode": "3850123456782", "salePrice": "1.49", "saleEnd": "2026-11-30"}


PATH_PARAMETERS: dict[str, Schema] = {
    "sessionId": {"type": "string", "description": "As `/batch/start` answered it.", "examples": [SESSION]},
    "barcode": {
        "type": "string",
        "description": "The product's. One with a slash goes to `/products/preview.png`.",
        "pattern": "^[!-.0-~]{1,64}$",
        "examples": ["3850123456782"],
    },
    "display": {"type": "string", "description": "The display's address, or its id.", "examples": ["SIM000001"]},
}


class Answer(msgspec.Struct, frozen=True):
    """One way an operation goes well.

    Attributes:
        status: HTTP status.
        text: One sentence.
        body: A struct, or the schema itself; None for no body.
        media: Its media type.
        headers: Headers of its own, with what they say.
        example: A body.
    """

    status: int
    text: str
    body: Any = None
    media: str = "application/json"
    headers: dict[str, str] = {}
    example: Any = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    Attributes:
        method: In lower case, as OpenAPI writes it.
        path: With parameters as `{sessionId}`, below the server.
        id: Stable name, for generated clients.
        body: A struct, or the schema itself; None where no body is read.
        body_needed: Whether the body may be left out.
        headers: Request headers: name -> schema.
        query: The struct of its query parameters.
        refusals: What it refuses, beyond what every operation does.
    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    text: str
    answers: tuple[Answer, ...]
    body: Any = None
    body_needed: bool = True
    example: Any = None
    headers: dict[str, Schema] = {}
    query: type[msgspec.Struct] | None = None
    refusals: tuple[type[ServiceError], ...] = ()

    @property
    def needs_token(self) -> bool:
        return self.tag != HEALTH_TAG


def _products(item: str) -> Schema:
    """`{products: […]}` or the bare list."""
    products = {
        "type": "array",
        "items": {"$ref": f"#/components/schemas/{item}"},
        "minItems": 1,
        "maxItems": MAX_PRODUCTS,
    }
    wrapped = {"type": "object", "required": ["products"], "properties": {"products": products}}
    return {"anyOf": [wrapped, products]}


_POLL = {"Retry-After": "Seconds to wait before asking again; absent once the batch is over."}
_BODY = (errors.ValidationError, errors.TooLargeError, errors.UnsupportedMediaTypeError)
_ROWS = (*_BODY, errors.UnprocessableError)
_STATUS = Answer(200, "How the batch stands.", Status, headers=_POLL)
_TAKEN: Schema = {
    "received": 1, "accepted": 1, "rejected": 0, "sessionId": None, "sequence": None,
    "created": 1, "updated": 0, "unchanged": 0, "duplicate": 0, "stale": 0, "tags": 1, "errors": [], "warnings": [],
}  # fmt: skip
_NOT_SAVED_YET = dict.fromkeys(("created", "updated", "unchanged", "duplicate", "stale", "tags"))
_HELD = _TAKEN | {"sessionId": SESSION, "sequence": 0} | _NOT_SAVED_YET

_PICTURE = Answer(200, "The label.", {"type": "string", "format": "binary"}, media="image/png")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post",
        path="/add",
        id="addProducts",
        tag=FEED_TAG,
        summary="Add or replace a few products",
        text=(
            f"1 to {MAX_PRODUCTS} products, each with its barcode, name, and price or salePrice. A barcode that the "
            "store has is updated. Saved before the answer; every display that shows one of them is then updated."
        ),
        body=_products("NewProduct"),
        example={"products": [_PRODUCT]},
        answers=(Answer(200, "At least one product was accepted.", Accepted, example=_TAKEN),),
        refusals=_ROWS,
    ),
    Operation(
        method="post",
        path="/productUpdate",
        id="updateProducts",
        tag=FEED_TAG,
        summary="Change prices, stock and sales",
        text=(
            f"1 to {MAX_PRODUCTS} products, each with its barcode and the fields that change. A barcode that the store "
            "does not have needs a name and a price too."
        ),
        body=_products("Product"),
        example={"products": [_SALE]},
        answers=(
            Answer(200, "At least one product was accepted.", Accepted, example=_TAKEN | {"created": 0, "updated": 1}),
        ),
        refusals=_ROWS,
    ),
    Operation(
        method="post",
        path="/batch/start",
        id="startBatch",
        tag=BATCH_TAG,
        summary="Start a batch",
        text="Opens a session for pushes, for 30 minutes unless configured otherwise. Several may be open at once.",
        body=requests.Start,
        body_needed=False,
        example={"reference": "nightly-2026-11-22", "mode": "merge", "expectedProducts": 6801},
        answers=(
            Answer(
                201,
                "The session is open.",
                Session,
                headers={"Location": "The status of this batch."},
                example={
                    "sessionId": SESSION,
                    "expiresAt": "2026-11-22T07:00:00.000Z",
                    "maxProductsPerPush": MAX_PRODUCTS,
                    "reference": "nightly-2026-11-22",
                    "mode": "merge",
                },
            ),
        ),
        refusals=_BODY,
    ),
    Operation(
        method="post",
        path="/batch/push",
        id="pushBatch",
        tag=BATCH_TAG,
        summary="Push products into a batch",
        text=(
            f"0 to {MAX_PRODUCTS} products, as often as wanted. Rows are checked here and held durably before the "
            "answer; they are saved after `/batch/complete`. With an Idempotency-Key or a sequence a push is safe to "
            "repeat: the same body gets the stored answer, another body 409. If both are given, the header is the key "
            "and the sequence orders."
        ),
        headers={
            "Idempotency-Key": {
                "type": "string",
                "pattern": "^[!-~]{1,255}$",
                "description": "Names this push within its session, so that repeating it is safe.",
            }
        },
        body=requests.Push,
        example={"sessionId": SESSION, "sequence": 0, "products": [_PRODUCT]},
        answers=(Answer(200, "At least one product was accepted, or none was sent.", Accepted, example=_HELD),),
        refusals=(*_ROWS, errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError),
    ),
    Operation(
        method="post",
        path="/batch/complete",
        id="completeBatch",
        tag=BATCH_TAG,
        summary="Complete a batch",
        text=(
            "Closes the session and starts processing. Repeating it gives the same answer. With fewer rows than "
            "`expectedProducts` it is refused with 409, and the session stays open."
        ),
        body=requests.Complete,
        example={"sessionId": SESSION},
        answers=(
            Answer(
                202,
                "Processing has been started.",
                Completing,
                example={"sessionId": SESSION, "reference": "nightly-2026-11-22", "status": "processing"},
            ),
        ),
        refusals=(*_BODY, errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/status",
        id="getBatchStatus",
        tag=BATCH_TAG,
        summary="Ask how a batch stands",
        text="At any time, also long after it is over. Ask every 5 to 10 seconds, as Retry-After says.",
        answers=(_STATUS,),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/events",
        id="streamBatchStatus",
        tag=BATCH_TAG,
        summary="Follow a batch",
        text=(
            "Server-sent events named `status`, each with the whole status: the current one at once, changes as they "
            "come. The stream ends after the terminal one, whose id is `final`; on a shutdown it ends early, and the "
            "next connection goes on. A comment is sent in every 15 seconds of silence."
        ),
        answers=(
            Answer(
                200,
                "The stream.",
                {"type": "string", "description": "Events whose data is a Status."},
                media="text/event-stream",
                example=f'event: status\nid: 1\ndata: {{"sessionId":"{SESSION}","status":"processing",…}}\n\n',
            ),
            Answer(204, "The event `final` was received before (Last-Event-ID): there is nothing more to come."),
        ),
        headers={"Last-Event-ID": {"type": "string", "description": "As an EventSource sends it when it reconnects."}},
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/batch/{sessionId}/cancel",
        id="cancelBatch",
        tag=BATCH_TAG,
        summary="Cancel a batch",
        text=(
            "While it is open, nothing of it is saved. While it is processed, what is saved stays, and what is not yet "
            "sent is dropped from this batch."
        ),
        answers=(_STATUS,),
        refusals=(errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/errors",
        id="listRejectedRows",
        tag=BATCH_TAG,
        summary="List rejected rows",
        text="Every rejected row, with its push (from 0), its index in it (from 0), and why.",
        query=requests.ListQuery,
        answers=(Answer(200, "One page of them.", Page[RejectedRow]),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/displays",
        id="listBatchDisplays",
        tag=BATCH_TAG,
        summary="List the displays of a batch",
        text="Every display that this batch changes: its state, the reason, the proof, and when.",
        query=requests.DisplaysQuery,
        answers=(Answer(200, "One page of them.", Page[BatchDisplay]),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
    Operation(
        method="get",
        path="/products/{barcode}/preview.png",
        id="previewProduct",
        tag=PREVIEW_TAG,
        summary="See how a product looks",
        text=(
            "The label that a display with such a panel would show of this product now, pixel for pixel as it would be "
            "sent."
        ),
        query=requests.PreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/products/preview.png",
        id="previewNamedProduct",
        tag=PREVIEW_TAG,
        summary="The same, by a barcode that may hold a slash",
        text="As `/products/{barcode}/preview.png`.",
        query=requests.NamedPreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/displays/{display}/preview.png",
        id="previewDisplay",
        tag=PREVIEW_TAG,
        summary="See what a display should show, and does",
        text=(
            "`desired`: what it should show; `shown`: what it was last proven to show. An address that displays of two "
            "drivers have is a conflict."
        ),
        query=requests.DisplayPreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/health/live",
        id="isLive",
        tag=HEALTH_TAG,
        summary="Whether the process is up",
        text="Asks nothing of anybody else: a process that does not answer here should be restarted.",
        answers=(Answer(200, "It is.", health.Live),),
    ),
    Operation(
        method="get",
        path="/health/ready",
        id="isReady",
        tag=HEALTH_TAG,
        summary="Whether it can work",
        text="The database is needed. Without Redis it is `degraded` but ready: changes go out a little later.",
        answers=(Answer(200, "It can.", health.Ready),),
        refusals=(errors.UnavailableError,),
    ),
    Operation(
        method="get",
        path="/metrics",
        id="getMetrics",
        tag=HEALTH_TAG,
        summary="Metrics for Prometheus",
        text="Requests of this process, and displays, updates, batches and gateways as the database has them.",
        answers=(Answer(200, "The text exposition format.", {"type": "string"}, media="text/plain"),),
    ),
    Operation(
        method="get",
        path="/openapi.json",
        id="getDocument",
        tag=HEALTH_TAG,
        summary="This document",
        text="OpenAPI 3.1.",
        answers=(Answer(200, "The document.", {"type": "object"}),),
    ),
    Operation(
        method="get",
        path="/docs",
        id="getPage",
        tag=HEALTH_TAG,
        summary="This document, for people",
        text="One page without scripts.",
        answers=(Answer(200, "The page.", {"type": "string"}, media="text/html"),),
    ),
    Operation(
        method="get",
        path="/",
        id="getRoot",
        tag=HEALTH_TAG,
        summary="To the page",
        text="Sends a browser to `/docs`.",
        answers=(Answer(303, "See there.", headers={"Location": "/docs"}),),
    ),
)
