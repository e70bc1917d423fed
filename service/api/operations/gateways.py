"""Gateways: set up, looked at, worked on."""

from service import errors
from service.api.operations.operation import BODY, Answer, Operation
from service.api.requests import gateways as requests
from service.core.scopes import Scope
from service.messages import Page
from service.messages.gateways import Gateway, GatewayStatus

GATEWAY_TAG = "Gateways"
GATEWAY = "01KAMW6B2M4N5P6Q7R8S9T0V1W"

_GATEWAY = {
    "id": GATEWAY,
    "name": "ap-1",
    "driver": "gateway",
    "config": {"url": "http://192.168.1.20:8080/shelfcast", "secret": "…"},
    "state": "ok",
    "error": None,
    "unreachableSince": None,
    "reachedAt": "2026-11-22T06:30:00.000Z",
    "maintenance": None,
    "createdAt": "2026-11-02T09:12:44.118Z",
    "retiredAt": None,
}
_HARDWARE = {
    "takes": "frame", "proof": "displayed", "maxBatch": 100, "maxInFlight": 1, "sendTimeout": 10.0,
    "reportsWithin": 120.0, "carriesId": True, "maxDisplays": 4000,
}  # fmt: skip
_STATUS = _GATEWAY | {
    "displays": {"total": 3120, "wrong": 4, "unconfirmed": 3},
    "updates": {"waiting": 1, "inFlight": 0},
    "hardware": _HARDWARE,
    "capacity": {"displays": 3120, "maxDisplays": 4000, "percent": 78.0, "pushesPerMinute": 12.4},
}
_NOW = Answer(200, "The gateway as it is now.", GatewayStatus, example=_STATUS)
_READ, _WRITE = (Scope.GATEWAYS_READ,), (Scope.GATEWAYS_WRITE,)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/gateways",
        id="listGateways",
        tag=GATEWAY_TAG,
        scopes=_READ,
        summary="List gateways",
        text="By name, also those retired. The displays of one: `/displays?gateway=`.",
        query=requests.GatewaysQuery,
        answers=(Answer(200, "One page of them.", Page[Gateway]),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="post",
        path="/gateways",
        id="addGateway",
        tag=GATEWAY_TAG,
        scopes=_WRITE,
        summary="Add a gateway",
        text=(
            "It is opened once before it is saved, for at most 15 seconds: what is wrong is a 422 with the driver's "
            "own words. `check: false` saves it unopened. Secrets are sealed, and never answered."
        ),
        body=requests.NewGateway,
        example={"name": "ap-1", "driver": "gateway", "config": {"url": "http://192.168.1.20:8080", "secret": "…"}},
        answers=(Answer(201, "It is saved.", GatewayStatus, headers={"Location": "The gateway."}, example=_STATUS),),
        refusals=(*BODY, errors.ConflictError, errors.DriverRefusedError),
    ),
    Operation(
        method="get",
        path="/gateways/{gatewayId}",
        id="getGateway",
        tag=GATEWAY_TAG,
        scopes=_READ,
        summary="See how a gateway is",
        text="Since when it answers or not and why, what is on it, what its hardware can and how much of that is used.",
        answers=(_NOW,),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="patch",
        path="/gateways/{gatewayId}",
        id="changeGateway",
        tag=GATEWAY_TAG,
        scopes=_WRITE,
        summary="Change a gateway",
        text=(
            "Its name, or some of its settings: what is left out stays, also secrets, and null takes a setting away. "
            "With other settings it is opened once again before they are saved."
        ),
        body=requests.ChangedGateway,
        example={"config": {"url": "http://192.168.1.21:8080"}},
        answers=(_NOW,),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError, errors.DriverRefusedError),
    ),
    Operation(
        method="post",
        path="/gateways/{gatewayId}/retire",
        id="retireGateway",
        tag=GATEWAY_TAG,
        scopes=_WRITE,
        summary="Retire a gateway",
        text="For good; its name stays taken. While displays are on it, that is a conflict that says how many.",
        answers=(_NOW,),
        refusals=(errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/gateways/{gatewayId}/maintenance",
        id="beginMaintenance",
        tag=GATEWAY_TAG,
        scopes=_WRITE,
        summary="Begin maintenance of a gateway",
        text=(
            "From now on its updates wait, without spending attempts, and nobody is told that it does not answer. Its "
            "displays say so as their reason, and no batch waits for them. Once more: another reason."
        ),
        body=requests.MaintenanceWork,
        example={"reason": "New firmware"},
        answers=(_NOW,),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="delete",
        path="/gateways/{gatewayId}/maintenance",
        id="endMaintenance",
        tag=GATEWAY_TAG,
        scopes=_WRITE,
        summary="End maintenance of a gateway",
        text="Everything that waited goes on at once.",
        answers=(_NOW,),
        refusals=(errors.NotFoundError,),
    ),
)
