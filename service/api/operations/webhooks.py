"""Webhooks: endpoints, what happened, and what was posted to whom."""

from service import errors
from service.api import requests
from service.api.operations.operation import BODY, Answer, Operation, Schema
from service.api.requests import webhooks as webhook_requests
from service.core.scopes import Scope
from service.messages import Page
from service.messages.webhooks import (
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookDelivery,
    WebhookDeliveryDetail,
    WebhookEvent,
    WebhookSecret,
    WebhookTested,
)

WEBHOOK_TAG = "Webhooks"
WEBHOOK, DELIVERY = "01KAMW6A2B3C4D5E6F7G8H9J0K", "01KAMW7Z9Y8X7W6V5T4S3R2Q1P"
_EVENT = "01KAMW7Z9Y8X7W6V5T4S3R2Q1N"
_URL = "https://erp.example.com/shelfcast"
_TIME = "2026-11-22T03:04:12.480Z"
_READ, _WRITE = (Scope.WEBHOOKS_READ,), (Scope.WEBHOOKS_WRITE,)

_WEBHOOK: Schema = {
    "id": WEBHOOK, "url": _URL, "kinds": ["batch.completed", "batch.held"], "description": "The ERP", "store": None,
    "enabled": True, "disabledAt": None, "disabledReason": None, "failingSince": None, "oldSecretUntil": None,
    "createdAt": _TIME, "createdBy": "token ERP",
}  # fmt: skip
_SECRET = _WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
_DELIVERY: Schema = {
    "id": DELIVERY, "webhookId": WEBHOOK, "eventId": _EVENT, "kind": "batch.completed", "store": "zagreb-1",
    "state": "delivered", "attempts": 1, "createdAt": _TIME, "nextAttemptAt": None,
    "closedAt": "2026-11-22T03:04:13.002Z", "status": 204, "error": None,
}  # fmt: skip
_PAGE = {"page": 1, "perPage": 100, "count": 1, "total": 1, "next": None}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/webhooks",
        id="listWebhooks",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_READ,
        summary="List webhooks",
        text="The endpoints that the token reaches: of its store, or of all of its chain. The oldest first.",
        query=requests.ListQuery,
        answers=(Answer(200, "A page of them.", Page[Webhook], example={"data": [_WEBHOOK], "meta": _PAGE}),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="post",
        path="/webhooks",
        id="createWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Make a webhook",
        text=(
            "From now on what happens is posted to this URL, signed as Standard Webhooks has it with the secret in the "
            "answer, which is shown this once. A URL whose address is not public is refused. A store's token makes "
            "them for its own store."
        ),
        body=NewWebhook,
        example={"url": _URL, "kinds": ["batch.completed", "batch.held"], "description": "The ERP"},
        answers=(
            Answer(
                201,
                "It is made.",
                WebhookSecret,
                headers={"Location": "The webhook."},
                example=_SECRET,
            ),
        ),
        refusals=(*BODY, errors.UnprocessableError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/webhooks/{webhookId}",
        id="getWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_READ,
        summary="One webhook",
        text="How it is set, and whether it is delivered to.",
        answers=(Answer(200, "The webhook.", Webhook, example=_WEBHOOK),),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="patch",
        path="/webhooks/{webhookId}",
        id="changeWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Change a webhook",
        text=(
            "What is left out stays as it is. To enable it again also forgets that it failed, and what was pending is "
            "posted; what happens while it is disabled is not kept for it."
        ),
        body=WebhookChange,
        example={"kinds": None, "enabled": True},
        answers=(Answer(200, "The webhook as it is now.", Webhook, example=_WEBHOOK | {"kinds": None}),),
        refusals=(*BODY, errors.UnprocessableError, errors.NotFoundError),
    ),
    Operation(
        method="delete",
        path="/webhooks/{webhookId}",
        id="removeWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Remove a webhook",
        text="Nothing more is posted to it, not even what is pending.",
        answers=(Answer(204, "It is gone."),),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/webhooks/{webhookId}/rotate",
        id="rotateWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Rotate a webhook's secret",
        text=(
            "A new secret, shown this once. Until `oldSecretUntil`, for a day unless configured otherwise, the one "
            "before signs too, so that the receiver may change at its leisure."
        ),
        answers=(Answer(200, "Both secrets sign now.", WebhookSecret, example=_SECRET | {"oldSecretUntil": _TIME}),),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/webhooks/{webhookId}/test",
        id="testWebhook",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Test a webhook",
        text=(
            "Posts a `webhook.test` at once, whatever its kinds are and enabled or not, and says what came of it. A "
            "test is not repeated, and not in the log of deliveries."
        ),
        answers=(
            Answer(
                200,
                "What came of it.",
                WebhookTested,
                example={
                    "delivered": True,
                    "webhookId": WEBHOOK,
                    "eventId": _EVENT,
                    "status": 204,
                    "error": None,
                    "answer": "",
                    "milliseconds": 84,
                },
            ),
        ),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/webhooks/{webhookId}/deliveries",
        id="listDeliveries",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_READ,
        summary="List what was posted",
        text="Deliveries to one webhook, the newest first; kept for 30 days unless configured otherwise.",
        query=webhook_requests.DeliveriesQuery,
        answers=(Answer(200, "A page of them.", Page[WebhookDelivery], example={"data": [_DELIVERY], "meta": _PAGE}),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
    Operation(
        method="get",
        path="/deliveries/{deliveryId}",
        id="getDelivery",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_READ,
        summary="One delivery",
        text="With every attempt, what the receiver answered, and the body.",
        answers=(
            Answer(
                200,
                "The delivery.",
                WebhookDeliveryDetail,
                example=_DELIVERY
                | {
                    "log": [{"at": _TIME, "status": 204, "error": None, "answer": "", "milliseconds": 84}],
                    "body": '{"type":"batch.completed","timestamp":"2026-11-22T03:04:12.480Z","store":"zagreb-1",…}',
                },
            ),
        ),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/deliveries/{deliveryId}/redeliver",
        id="redeliver",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_WRITE,
        summary="Post it again",
        text=(
            "A new delivery of the same event to the same webhook, under the same webhook-id, tried for a day again. "
            "Refused while the old one is still tried, and for a webhook that is disabled."
        ),
        answers=(
            Answer(
                201,
                "It will be posted.",
                WebhookDelivery,
                headers={"Location": "The new delivery."},
                example=_DELIVERY
                | {"state": "pending", "attempts": 0, "nextAttemptAt": _TIME, "closedAt": None, "status": None},
            ),
        ),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/events",
        id="listEvents",
        tag=WEBHOOK_TAG,
        reach="chain",
        scopes=_READ,
        summary="List what happened",
        text=(
            "Events that a webhook wanted when they happened, the newest first; kept for 30 days unless configured "
            "otherwise. What nobody wanted to hear of is not kept."
        ),
        query=webhook_requests.EventsQuery,
        answers=(
            Answer(
                200,
                "A page of them.",
                Page[WebhookEvent],
                example={
                    "data": [
                        {
                            "id": _EVENT,
                            "kind": "gateway.offline",
                            "store": "zagreb-1",
                            "at": _TIME,
                            "data": {
                                "gatewayId": WEBHOOK,
                                "gateway": "aisle-1",
                                "driver": "gateway",
                                "since": _TIME,
                                "error": "Connection refused.",
                            },
                        }
                    ],
                    "meta": _PAGE | {"total": None},
                },
            ),
        ),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
)
