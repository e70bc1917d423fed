"""The API described: OpenAPI 3.1, from the table of operations and the very structs that are decoded and encoded.

Litestar's own generator drops limits (additionalProperties, minimum 0, items), so the schemas are msgspec's.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from service import errors
from service.api import health
from service.api.operations import OPERATIONS, PATH_PARAMETERS, Answer, Operation, Reach
from service.api.products import SCHEMAS
from service.errors import ServiceError
from service.messages import Accepted, Fault

Schema = dict[str, Any]

_PAGE = re.compile(rb"Page_([A-Za-z]+)_")
_REF = "#/components/schemas/{name}"
_ABOUT = """\
A point-of-sale system says what a product costs; Shelfcast makes every electronic shelf label that shows it say the
same, and answers honestly, for each label, whether it really does.

Every path of the feed answers at the root and under `/api/v1`, every other one where its own servers say. The bearer
token says which store; a chain's token names it by `?store=`, its slug or ULID. Bodies are JSON in UTF-8, plain or
gzip, of at most 16 MiB unless configured otherwise, both as sent and expanded; members that are not named here are
ignored. Prices are exact.

Every answer has an X-Request-ID, which every error repeats as `requestId`: the request's own, where it sent one of 1 to
128 letters, digits and `._:-`, else a new one.

A token may have a plan that limits its requests, in a day that ends at midnight UTC and in a minute. Then every answer
has the fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11), and what is too much gets 429
with Retry-After. Reading how a batch stands counts against the minute alone.
"""
_FAULTS: tuple[type[ServiceError], ...] = (
    errors.ValidationError, errors.UnauthorizedError, errors.ForbiddenError, errors.NotFoundError,
    errors.MethodNotAllowedError, errors.ConflictError, errors.SessionExpiredError, errors.TooLargeError,
    errors.UnsupportedMediaTypeError, errors.UnprocessableError, errors.RateLimitedError, ServiceError,
    errors.UnavailableError, errors.DriverRefusedError,
)  # fmt: skip
FAULTS: dict[type[ServiceError], str] = dict(
    zip(
        _FAULTS,
        (
            "The request cannot be read, or a field of it is not as it should be; `fields` says which and why.",
            "The token is missing, unknown, expired or revoked.",
            "The token may not do this, or was sent in clear text over plain HTTP.",
            "There is no such path, or this store has no such thing.",
            "The path has other methods; Allow names them.",
            "What is asked for is not in a state for this, or the key was used for another body.",
            "The session was not completed in time; nothing of it was saved. Start another.",
            "The body is too large, compressed or expanded, or has more products than one request may.",
            "The body is not JSON in UTF-8, or is compressed with anything but gzip.",
            "Products were sent, and every one was refused; `errors` says why.",
            "Too many requests for the token's plan, or with wrong tokens from this address. Wait as Retry-After says.",
            "Something went wrong in Shelfcast. Quote the requestId.",
            "The database cannot be reached. Try again after Retry-After seconds.",
            "The gateway's settings cannot be right, or nothing answers there; `detail` has the driver's words.",
        ),
        strict=True,
    )
)
_TOKEN_FAULTS: tuple[type[ServiceError], ...] = (
    errors.UnauthorizedError,
    errors.ForbiddenError,
    errors.RateLimitedError,
    errors.UnavailableError,
)


@cache
def document() -> Schema:
    return _named_well(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Shelfcast",
                "version": version("shelfcast"),
                "summary": "Prices from a POS to every electronic shelf label, with proof, label by label.",
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [
                {"url": "/api/v1", "description": "The API, by version"},
                {"url": "/", "description": "The feed, at the root"},
            ],
            "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
            "paths": {path: dict(_methods(path)) for path in dict.fromkeys(operation.path for operation in OPERATIONS)},
            "components": {
                "schemas": _schemas(),
                "responses": {kind.code: _fault_response(kind) for kind in _FAULTS},
                "headers": {name: _header(text) for name, text in _HEADERS.items()},
                "securitySchemes": {
                    "token": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "A token of a store or of a chain; it is shown once, when it is made.",
                    }
                },
            },
        }
    )


def saved() -> str:
    """The document as docs/openapi.json has it: one line a value, so that a difference is read in review.

    Without the version of the service, which is no part of the contract.
    """
    kept = document() | {"info": {name: value for name, value in document()["info"].items() if name != "version"}}
    return msgspec.json.format(msgspec.json.encode(kept), indent=1).decode()


def _named_well(document: Schema) -> Schema:
    """Pages are generic structs, which msgspec calls `Page_RejectedRow_`."""
    named: Schema = msgspec.json.decode(_PAGE.sub(rb"\1Page", msgspec.json.encode(document)))
    return named


def _methods(path: str) -> Iterator[tuple[str, Schema]]:
    for operation in OPERATIONS:
        if operation.path == path:
            yield operation.method, _operation(operation)


_SERVERS: dict[Reach, str] = {"open": "/", "store": "/api/v1", "chain": "/api/v1"}
_STORE: Schema = {
    "in": "query",
    "name": "store",
    "description": "Slug or ULID of the store; a chain's token has to name it, a store's token is for its own.",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,63}$"},
}


def _operation(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _with_scopes(operation),
        "security": [{"token": []}] if operation.needs_token else [],
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    if operation.reach in _SERVERS:
        described["servers"] = [{"url": _SERVERS[operation.reach]}]
    if operation.body is not None:
        described["requestBody"] = _request_body(operation)
    return described


def _with_scopes(operation: Operation) -> str:
    if not operation.needs_token:
        return operation.text
    return f"{operation.text} Scope: {' or '.join(f'`{scope}`' for scope in operation.scopes)}."


def _parameters(operation: Operation) -> Iterator[Schema]:
    if operation.reach == "store":
        yield _STORE
    for name in re.findall(r"{(\w+)}", operation.path):
        yield _parameter("path", name, PATH_PARAMETERS[name]) | {"required": True}
    for name, schema in operation.headers.items():
        yield _parameter("header", name, schema)
    if operation.query is not None:
        _, schemas = msgspec.json.schema_components((operation.query,))
        described = schemas[operation.query.__name__]
        for name, schema in described["properties"].items():
            needed = {"required": True} if name in described.get("required", ()) else {}
            yield _parameter("query", name, schema) | needed


def _parameter(place: str, name: str, schema: Schema) -> Schema:
    schema = dict(schema)
    described = schema.pop("description", "")
    for choice in schema.get("anyOf", ()):
        described = described or choice.get("description", "")
    return {"in": place, "name": name, "description": described, "schema": schema}


def _request_body(operation: Operation) -> Schema:
    content = {"schema": _schema_of(operation.body)}
    if operation.example is not None:
        content["example"] = operation.example
    return {"required": operation.body_needed, "content": {operation.media: content}}


def _responses(operation: Operation) -> Schema:
    everywhere = _ALWAYS | _LIMITS if operation.needs_token else _ALWAYS
    responses = {str(answer.status): _response(answer, everywhere) for answer in operation.answers}
    kinds: set[type[ServiceError]] = {ServiceError, *operation.refusals}
    if operation.needs_token:
        kinds.update(_TOKEN_FAULTS)
    if operation.reach == "store":
        kinds.update((errors.ValidationError, errors.NotFoundError))
    for kind in sorted(kinds, key=lambda kind: kind.status):
        responses[str(kind.status)] = {"$ref": f"#/components/responses/{kind.code}"}
    if operation.reach != "feed" and errors.UnprocessableError in kinds:  # without the rows of a feed
        responses["422"] = _problem(FAULTS[errors.UnprocessableError], "Fault", (), everywhere)
    if operation.path == "/health/ready":
        responses["503"] = _problem(FAULTS[errors.UnavailableError], "NotReady", ("Retry-After",), everywhere)
    return responses


def _response(answer: Answer, everywhere: Schema) -> Schema:
    headers = {name: _header(text) for name, text in answer.headers.items()}
    described: Schema = {"description": answer.text, "headers": headers | everywhere}
    if answer.body is not None:
        content: Schema = {"schema": _schema_of(answer.body)}
        if answer.example is not None:
            content["example"] = answer.example
        described["content"] = {answer.media: content}
    return described


_HEADERS = {
    "X-Request-ID": "Names this exchange in every log; as sent, or a new one.",
    "RateLimit-Policy": 'What a token with a plan may ask for: `"daily";q=500;w=86400, "burst";q=20;w=60`.',
    "RateLimit": (
        'What is left of it, and in how many seconds all of it is back: `"daily";r=499;t=3600, "burst";r=19;t=42`. '
        "Absent while Redis is away, when nothing is limited."
    ),
}
_ALWAYS = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
_LIMITS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("RateLimit-Policy", "RateLimit")}
_FAULT_HEADERS = {
    "WWW-Authenticate": "Bearer",
    "Retry-After": "Seconds.",
    "Allow": "The methods of this path.",
}


def _fault_response(kind: type[ServiceError]) -> Schema:
    own = {
        errors.UnauthorizedError: ("WWW-Authenticate",),
        errors.RateLimitedError: ("Retry-After",),
        errors.UnavailableError: ("Retry-After",),
        errors.MethodNotAllowedError: ("Allow",),
    }
    schema = "Refused" if kind is errors.UnprocessableError else "Fault"
    # Of what is no token, nobody knows the plan.
    everywhere = _ALWAYS if kind is errors.UnauthorizedError else _ALWAYS | _LIMITS
    return _problem(FAULTS[kind], schema, own.get(kind, ()), everywhere)


def _problem(text: str, schema: str, headers: tuple[str, ...], everywhere: Schema) -> Schema:
    return {
        "description": text,
        "headers": {name: _header(_FAULT_HEADERS[name]) for name in headers} | everywhere,
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(name=schema)}}},
    }


def _header(text: str) -> Schema:
    return {"description": text, "schema": {"type": "string"}}


def _schema_of(body: Any) -> Schema:
    if isinstance(body, dict):
        return body
    (schema,), _ = msgspec.json.schema_components((body,), ref_template=_REF)
    return schema


def _schemas() -> Schema:
    """Every struct that an operation names, the products, and the refusals with members of their own."""
    named = [operation.body for operation in OPERATIONS]
    named += [answer.body for operation in OPERATIONS for answer in operation.answers]
    structs = [body for body in named if body is not None and not isinstance(body, dict)]
    _, schemas = msgspec.json.schema_components((*structs, Accepted, Fault, health.Checks), ref_template=_REF)
    checks = {"type": "object", "required": ["checks"], "properties": {"checks": {"$ref": _REF.format(name="Checks")}}}
    refusals = {
        "Refused": {"allOf": [{"$ref": _REF.format(name=name)} for name in ("Fault", "Accepted")]},
        "NotReady": {"allOf": [{"$ref": _REF.format(name="Fault")}, checks]},
    }
    return schemas | SCHEMAS | refusals


if __name__ == "__main__":
    print(saved())  # noqa: T201 - `make openapi`
