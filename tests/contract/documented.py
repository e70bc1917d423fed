"""The API's own document as a judge: whatever a test asks, the answer has to be one that the document allows."""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema

from service.api.openapi import document

DOCUMENT = document()
PROBLEM = "application/problem+json"
OPTIONAL = {"Retry-After", "RateLimit", "RateLimit-Policy"}
"""Headers of some answers of those that are documented together."""


async def check(response: httpx.Response) -> None:
    """The answer is as the document says: status, media type, schema and request id; every refusal is a problem."""
    await response.aread()
    assert response.headers["x-request-id"]
    if response.status_code >= 400:
        check_problem(response)
    operation = described(response.request)
    if operation is None or response.request.method == "HEAD":
        return
    answer = resolved(operation["responses"][str(response.status_code)])
    for name in answer["headers"]:
        assert name in response.headers or name in OPTIONAL, f"{name} is documented"
    for name in OPTIONAL:
        assert name not in response.headers or name in answer["headers"], f"{name} is not documented"
    for media, content in answer.get("content", {}).items():
        assert response.headers["content-type"].startswith(media)
        if media.endswith(("/json", "+json")):
            conforms(response.json(), content["schema"])


def check_problem(response: httpx.Response) -> None:
    assert response.headers["content-type"] == PROBLEM
    assert response.status_code < 500 or response.status_code == 503
    if response.request.method == "HEAD":
        return
    problem = response.json()
    conforms(problem, {"$ref": "#/components/schemas/Fault"})
    assert problem["status"] == response.status_code
    assert problem["requestId"] == response.headers["x-request-id"]


def described(request: httpx.Request) -> dict[str, Any] | None:
    path = request.url.path.removeprefix("/api/v1") or request.url.path
    for template, methods in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            return methods.get(request.method.lower())
    return None


def resolved(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in response:
        return response
    return DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]


def conforms(value: Any, schema: dict[str, Any]) -> None:
    if schema.keys() == {"$ref"}:
        _named(schema["$ref"]).validate(value)
    else:
        jsonschema.Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(value)


@cache
def _named(reference: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": reference, "components": DOCUMENT["components"]})
