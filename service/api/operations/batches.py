"""All batches of a store, and what holds one; the audit log."""

from service import errors
from service.api.operations.feed import BATCH_TAG, SESSION
from service.api.operations.operation import BODY, Answer, Operation
from service.api.requests import batches as requests
from service.core.scopes import Scope
from service.messages import Page
from service.messages.batches import Batch, BatchEntry, Guards, Retried
from service.messages.tenants import AuditEntry

GUARDS_TAG, AUDIT_TAG = "Guards", "Audit log"

_READ, _WRITE = (Scope.BATCHES_READ,), (Scope.BATCHES_WRITE,)
_BATCH = Answer(200, "The batch as it stands.", Batch)
_GUARDS = Answer(
    200,
    "The limits of the store.",
    Guards,
    example={
        "archivePercent": 30.0,
        "archiveAtLeast": 20,
        "pricePercent": 50.0,
        "priceChange": 50.0,
        "priceAtLeast": 20,
    },
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/batches",
        id="listBatches",
        tag=BATCH_TAG,
        scopes=_READ,
        summary="List batches",
        text="Of the store, the newest first, each with its counts.",
        query=requests.BatchesQuery,
        answers=(Answer(200, "One page of them.", Page[BatchEntry]),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="get",
        path="/batches/{sessionId}",
        id="getBatch",
        tag=BATCH_TAG,
        scopes=_READ,
        summary="See a batch with what went wrong",
        text=(
            "Its counts, what was refused of it by code, each with an example, and what holds it: the guard, its "
            "figures, and some of the products."
        ),
        answers=(_BATCH,),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/batches/{sessionId}/retry",
        id="retryBatch",
        tag=BATCH_TAG,
        scopes=_WRITE,
        summary="Drive what is not confirmed again",
        text=(
            "Every display of the batch that is pending or failed is driven again at once, its failures forgotten. "
            "What is proven is not touched; once more at once changes nothing."
        ),
        answers=(
            Answer(
                200,
                "They are on their way.",
                Retried,
                example={"sessionId": SESSION, "displays": 12, "retried": 10, "underWay": 2},
            ),
        ),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/batches/{sessionId}/release",
        id="releaseBatch",
        tag=BATCH_TAG,
        scopes=_WRITE,
        summary="Release a held batch",
        text="It is saved after all; who released it stays on record.",
        answers=(_BATCH,),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/batches/{sessionId}/cancel",
        id="cancelHeldBatch",
        tag=BATCH_TAG,
        scopes=_WRITE,
        summary="Cancel a held batch",
        text="Nothing of it is saved; who cancelled it stays on record. A batch's own feed cancels it at any time.",
        answers=(_BATCH,),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/guards",
        id="getGuards",
        tag=GUARDS_TAG,
        scopes=_READ,
        summary="See the store's guards",
        text="The limits beyond which a batch is held, before anything of it is saved.",
        answers=(_GUARDS,),
    ),
    Operation(
        method="patch",
        path="/guards",
        id="changeGuards",
        tag=GUARDS_TAG,
        scopes=_WRITE,
        summary="Change the store's guards",
        text="What is left out stays. 100 percent switches a guard off. Batches that are held stay so.",
        body=requests.ChangedGuards,
        example={"pricePercent": 20, "priceChange": 30},
        answers=(_GUARDS,),
        refusals=BODY,
    ),
    Operation(
        method="get",
        path="/audit",
        id="listChanges",
        tag=AUDIT_TAG,
        reach="chain",
        scopes=(Scope.AUDIT_READ,),
        summary="See who changed what",
        text=(
            "Every change through the management API or at a shell, the newest first: of the whole chain for a chain's "
            "token, of its store for a store's. What the feed changed is in price history and in its batches."
        ),
        query=requests.AuditQuery,
        answers=(Answer(200, "One page of them.", Page[AuditEntry]),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
)
