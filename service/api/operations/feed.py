"""The feed: products, and batches of them."""

from service import errors
from service.api import requests
from service.api.operations.operation import BODY, ROWS, Answer, Operation, Schema
from service.core.scopes import Scope
from service.feed import MAX_PRODUCTS
from service.messages import Accepted, BatchDisplay, Completing, Page, RejectedRow, Session, Status

FEED_TAG, BATCH_TAG = "Feed", "Batches"

SESSION = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"
_PRODUCT = {"barcode": "3850123456782", "name": "Mliječna čokolada 100 g", "price": "1.99"}
_SALE = {"barcode": "3850123456782", "salePrice": "1.49", "saleEnd": "2026-11-30"}


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
_STATUS = Answer(200, "How the batch stands.", Status, headers=_POLL)
_TAKEN: Schema = {
    "received": 1, "accepted": 1, "rejected": 0, "sessionId": None, "sequence": None,
    "created": 1, "updated": 0, "unchanged": 0, "duplicate": 0, "stale": 0, "tags": 1, "errors": [], "warnings": [],
}  # fmt: skip
_NOT_SAVED_YET = dict.fromkeys(("created", "updated", "unchanged", "duplicate", "stale", "tags"))
_HELD = _TAKEN | {"sessionId": SESSION, "sequence": 0} | _NOT_SAVED_YET

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post",
        path="/add",
        id="addProducts",
        tag=FEED_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
        summary="Add or replace a few products",
        text=(
            f"1 to {MAX_PRODUCTS} products, each with its barcode, name, and price or salePrice. A barcode that the "
            "store has is updated. Saved before the answer; every display that shows one of them is then updated."
        ),
        body=_products("NewProduct"),
        example={"products": [_PRODUCT]},
        answers=(Answer(200, "At least one product was accepted.", Accepted, example=_TAKEN),),
        refusals=ROWS,
    ),
    Operation(
        method="post",
        path="/productUpdate",
        id="updateProducts",
        tag=FEED_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
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
        refusals=ROWS,
    ),
    Operation(
        method="post",
        path="/batch/start",
        id="startBatch",
        tag=BATCH_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
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
        refusals=BODY,
    ),
    Operation(
        method="post",
        path="/batch/push",
        id="pushBatch",
        tag=BATCH_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
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
        refusals=(*ROWS, errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError),
    ),
    Operation(
        method="post",
        path="/batch/complete",
        id="completeBatch",
        tag=BATCH_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
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
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/status",
        id="getBatchStatus",
        counts=False,
        tag=BATCH_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
        summary="Ask how a batch stands",
        text="At any time, also long after it is over. Ask every 5 to 10 seconds, as Retry-After says.",
        answers=(_STATUS,),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="get",
        path="/batch/{sessionId}/events",
        id="streamBatchStatus",
        counts=False,
        tag=BATCH_TAG,
        reach="feed",
        scopes=(Scope.FEED,),
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
        reach="feed",
        scopes=(Scope.FEED,),
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
        reach="feed",
        scopes=(Scope.FEED,),
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
        reach="feed",
        scopes=(Scope.FEED,),
        summary="List the displays of a batch",
        text="Every display that this batch changes: its state, the reason, the proof, and when.",
        query=requests.DisplaysQuery,
        answers=(Answer(200, "One page of them.", Page[BatchDisplay]),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
)
