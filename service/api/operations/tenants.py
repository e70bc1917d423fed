"""Chains, their stores and tokens, and the way from a sandbox to production."""

from typing import Any

from service import errors
from service.api.operations.operation import BODY, Answer, Operation
from service.api.requests import tenants as requests
from service.core.scopes import Scope
from service.messages import Page
from service.messages.tenants import (
    IssuedToken,
    Organisation,
    Production,
    ProductionRequest,
    RotatedToken,
    Simulation,
    Store,
    Token,
)

STORES_TAG, TOKENS_TAG, PRODUCTION_TAG = "Stores", "Tokens", "Production"

_LOCATION = {"Location": "Where it is."}
_ID = "01KAMW5T9E8Z3Q4R5S6T7V8W9X"
_TIME = "2026-11-22T06:30:00.000Z"
_STORE: dict[str, Any] = {
    "id": _ID, "slug": "zagreb-0901", "name": "Zagreb, Ilica 1", "organisation": "corner", "environment": "live",
    "currency": "EUR", "timezone": "Europe/Zagreb", "locale": "hr", "createdAt": _TIME,
}  # fmt: skip
_TOKEN: dict[str, Any] = {
    "id": _ID, "name": "ERP", "prefix": "sc_live_4Jv8", "organisation": "corner", "store": "zagreb-0901",
    "scopes": ["feed"], "plan": "growth", "active": True, "createdAt": _TIME, "createdBy": "token chain",
    "expiresAt": None, "revokedAt": None, "lastUsedAt": None, "replaces": None,
}  # fmt: skip

_ISSUED = _TOKEN | {"token": "sc_live_" + "4Jv8" * 8}

_STORES = (
    Operation(
        method="get",
        path="/organisation",
        id="getOrganisation",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_READ, Scope.FEED),
        summary="Ask who you are",
        text="Whose the token is, what it may do, and until when.",
        answers=(Answer(200, "The organisation, and the token.", Organisation),),
    ),
    Operation(
        method="get",
        path="/stores",
        id="listStores",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_READ,),
        summary="List stores",
        text="Those that the token reaches, by slug; a store's token reaches its own.",
        query=requests.StoresQuery,
        answers=(Answer(200, "One page of them.", Page[Store]),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="post",
        path="/stores",
        id="createStore",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_WRITE,),
        summary="Make a store",
        text=(
            "A sandbox or a live store of the token's chain; only a chain's token makes stores. Its slug is unique in "
            "the installation."
        ),
        body=requests.CreateStore,
        example={"slug": "zagreb-lab", "environment": "sandbox", "timezone": "Europe/Zagreb", "locale": "hr"},
        answers=(Answer(201, "It is made.", Store, headers=_LOCATION, example=_STORE),),
        refusals=(*BODY, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/stores/{store}",
        id="getStore",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_READ,),
        summary="Look at a store",
        text="By its slug or its ULID.",
        answers=(Answer(200, "The store.", Store, example=_STORE),),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="patch",
        path="/stores/{store}",
        id="changeStore",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_WRITE,),
        summary="Change a store",
        text=(
            "Name, time zone, locale; the currency only while the store has had no product. Where labels depend on the "
            "change, they are planned anew."
        ),
        body=requests.ChangeStore,
        example={"name": "Zagreb, Ilica 1"},
        answers=(Answer(200, "The store as it is now.", Store, example=_STORE),),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/stores/{store}/simulator",
        id="simulateDisplays",
        tag=STORES_TAG,
        reach="chain",
        scopes=(Scope.STORES_WRITE,),
        summary="Give a sandbox store displays",
        text=(
            "Simulated ones, which check in, draw and report as real ones do, five times faster. Repeating it changes "
            "nothing. 503 where the installation runs no simulated store."
        ),
        body=requests.Simulate,
        body_needed=False,
        example={"displays": 4, "barcodes": ["4006381333931", "3800065711135"]},
        answers=(Answer(200, "The store's simulated displays.", Simulation),),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError),
    ),
)

_TOKENS = (
    Operation(
        method="get",
        path="/tokens",
        id="listTokens",
        tag=TOKENS_TAG,
        reach="chain",
        scopes=(Scope.TOKENS_READ,),
        summary="List tokens",
        text="Those within the token's reach, the newest first, also expired and revoked ones; never themselves.",
        query=requests.TokensQuery,
        answers=(Answer(200, "One page of them.", Page[Token]),),
        refusals=(errors.ValidationError, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/tokens",
        id="issueToken",
        tag=TOKENS_TAG,
        reach="chain",
        scopes=(Scope.TOKENS_WRITE,),
        summary="Issue a token",
        text=(
            "Never more than the token that asks is itself: its scopes, its store, its plan and its expiry are the "
            "most that it gives; else 403. The token is shown in this answer and nowhere else."
        ),
        body=requests.IssueToken,
        example={"name": "ERP", "store": "zagreb-0901", "scopes": ["feed"]},
        answers=(Answer(201, "It is issued.", IssuedToken, headers=_LOCATION, example=_ISSUED),),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/tokens/{tokenId}",
        id="getToken",
        tag=TOKENS_TAG,
        reach="chain",
        scopes=(Scope.TOKENS_READ,),
        summary="Look at a token",
        text="Everything but itself.",
        answers=(Answer(200, "The token.", Token, example=_TOKEN),),
        refusals=(errors.NotFoundError,),
    ),
    Operation(
        method="post",
        path="/tokens/{tokenId}/rotate",
        id="rotateToken",
        tag=TOKENS_TAG,
        reach="chain",
        scopes=(Scope.TOKENS_WRITE,),
        summary="Rotate a token",
        text=(
            "A successor of the same name, scopes, store and plan. The old token goes on for `overlap` seconds, a day "
            "unless said otherwise, and never longer than it would have: put the new one into use meanwhile. Only two "
            "are active at once; a third is a conflict. Of a token that may do more than the one that asks: 403."
        ),
        body=requests.RotateToken,
        body_needed=False,
        example={"overlap": 3600},
        answers=(Answer(201, "The successor.", RotatedToken, headers=_LOCATION),),
        refusals=(*BODY, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/tokens/{tokenId}/revoke",
        id="revokeToken",
        tag=TOKENS_TAG,
        reach="chain",
        scopes=(Scope.TOKENS_WRITE,),
        summary="Revoke a token",
        text="From the next request on, on every process. Any within reach, the one that asks too. Repeatable.",
        answers=(Answer(200, "The token as it is now.", Token),),
        refusals=(errors.NotFoundError,),
    ),
)

_PRODUCTION = (
    Operation(
        method="get",
        path="/production",
        id="getProduction",
        tag=PRODUCTION_TAG,
        scopes=(Scope.STORES_READ, Scope.FEED),
        summary="See what is missing for production",
        text=(
            "The checklist of a sandbox store: computed from what its integration really did, with how to do what is "
            "missing; and the newest request. A live store is a conflict."
        ),
        answers=(Answer(200, "The checklist, and the newest request.", Production),),
        refusals=(errors.ConflictError,),
    ),
    Operation(
        method="post",
        path="/production",
        id="askForProduction",
        tag=PRODUCTION_TAG,
        scopes=(Scope.STORES_WRITE, Scope.FEED),
        summary="Ask for the production token",
        text=(
            "Tells the operator, who decides. 409 while something is missing: `fields` says what, and how to do it; "
            "and while a request is open, or a token waits to be fetched."
        ),
        body=requests.AskProduction,
        example={"contact": "integration@pos.example", "note": "Two tills, one nightly file."},
        answers=(Answer(201, "The request.", ProductionRequest),),
        refusals=(*BODY, errors.ConflictError),
    ),
    Operation(
        method="post",
        path="/production/token",
        id="fetchProductionToken",
        tag=PRODUCTION_TAG,
        scopes=(Scope.STORES_WRITE, Scope.FEED),
        summary="Fetch the production token",
        text="Once: it is shown in this answer and gone. 409 while it is not granted, and once it was fetched.",
        answers=(Answer(200, "The token of the live store.", IssuedToken),),
        refusals=(errors.ConflictError,),
    ),
)

OPERATIONS: tuple[Operation, ...] = (*_STORES, *_TOKENS, *_PRODUCTION)
