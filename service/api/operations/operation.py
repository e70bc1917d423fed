"""What an operation is, and what many of them share."""

import re
from typing import Any, Literal

import msgspec

from service import errors
from service.core.scopes import Scope
from service.errors import ServiceError

Schema = dict[str, Any]
Reach = Literal["open", "feed", "store", "chain"]
"""Whom an operation is about: nobody, so that it needs no token; the token's own store, which also answers at the root;
one store, the token's or, of a chain's token, the one that `?store=` names; all that the token reaches."""

BODY = (errors.ValidationError, errors.TooLargeError, errors.UnsupportedMediaTypeError)
"""What is refused wherever a body is read."""
ROWS = (*BODY, errors.UnprocessableError)


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
        reach: Whom it is about, and so where it answers.
        scopes: Any of these is enough for it.
        counts: Whether it counts against a token's daily quota.
        body: A struct, or the schema itself; None where no body is read.
        body_needed: Whether the body may be left out.
        media: Media type of the body.
        headers: Request headers: name -> schema.
        query: The struct of its query parameters.
        refusals: What it refuses, beyond what every operation does.
    """

    method: Literal["get", "post", "put", "patch", "delete"]
    path: str
    id: str
    tag: str
    summary: str
    text: str
    answers: tuple[Answer, ...]
    reach: Reach = "store"
    scopes: tuple[Scope, ...] = ()
    counts: bool = True
    body: Any = None
    body_needed: bool = True
    media: str = "application/json"
    example: Any = None
    headers: dict[str, Schema] = {}
    query: type[msgspec.Struct] | None = None
    refusals: tuple[type[ServiceError], ...] = ()

    @property
    def needs_token(self) -> bool:
        return self.reach != "open"

    @property
    def route(self) -> tuple[str, str]:
        """Its method and its path without the names of parameters: what a request is told by."""
        return self.method.upper(), re.sub(r"{\w+}", "{}", self.path)
