"""Answers: messages as JSON, refusals as problem+json (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, MethodNotAllowedException

from service import errors
from service.core.batches import TERMINAL
from service.errors import ServiceError
from service.messages import Accepted, Fault, Status
from service.store.database import UNAVAILABLE

PROBLEM_JSON = "application/problem+json"
POLL_AFTER = 5
"""Seconds; what a batch that is not over advises its caller to wait before asking again."""
RETRY_AFTER = 5

Connection = ASGIConnection[Any, Any, Any, Any]

log = structlog.get_logger(__name__)


def answer(message: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(message),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def status_answer(status: Status) -> Response[bytes]:
    headers = {} if status.status in TERMINAL else {"Retry-After": str(POLL_AFTER)}
    return answer(status, headers=headers)


def rows_answer(connection: Connection, accepted: Accepted) -> Response[bytes]:
    """200, or 422 with the same members if rows were sent and every one was refused."""
    if accepted.accepted or not accepted.received:
        return answer(accepted)
    refused = errors.UnprocessableError("Every product was refused; `errors` says why, row by row.")
    return problem(connection, refused, msgspec.to_builtins(accepted))


def problem(connection: Connection, error: ServiceError, members: Mapping[str, Any] | None = None) -> Response[bytes]:
    """The refusal as RFC 9457 writes it, with further `members` of its own where it has some."""
    body = msgspec.to_builtins(fault(error, request_id(connection)))
    return Response(
        msgspec.json.encode(body | dict(error.members or {}) | dict(members or {})),
        status_code=error.status,
        media_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store", **_headers(error)},
    )


def fault(error: ServiceError, request_id: str) -> Fault:
    return Fault(
        type=f"/docs#{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        fields=dict(error.fields) if error.fields else msgspec.UNSET,
    )


def request_id(connection: Connection) -> str:
    return str(connection.scope["state"]["request_id"])


def _headers(error: ServiceError) -> dict[str, str]:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.UnauthorizedError) else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers


def refuse(connection: Connection, error: Exception) -> Response[bytes]:
    """Litestar's handler for every exception."""
    members = error.members if isinstance(error, errors.RowsRefusedError) else None
    response = problem(connection, _translated(error), members)
    if isinstance(error, MethodNotAllowedException) and error.headers:
        response.headers.update(error.headers)
    return response


def _translated(error: Exception) -> ServiceError:
    match error:
        case ServiceError():
            return error
        case HTTPException():
            return _http(error)
        case _ if isinstance(error, UNAVAILABLE):
            log.error("database_unavailable", error=type(error).__name__, exc_info=error)
            return errors.UnavailableError("The database cannot be reached. Try again soon.", retry_after=RETRY_AFTER)
    log.error("unforeseen", error=type(error).__name__, exc_info=error)
    return ServiceError("Something went wrong here. Nothing was lost; quote the requestId when you report it.")


_OF_STATUS: Mapping[int, tuple[type[ServiceError], str]] = {
    HTTPStatus.NOT_FOUND: (errors.NotFoundError, "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (errors.MethodNotAllowedError, "The Allow header names the methods of this path."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (errors.TooLargeError, "The body is too large; send fewer products at once."),
}


def _http(error: HTTPException) -> ServiceError:
    """What Litestar itself refuses: routes, methods, sizes, and requests that it cannot read."""
    kind, detail = _OF_STATUS.get(error.status_code, (errors.ValidationError, error.detail))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("unforeseen", error=type(error).__name__, exc_info=error)
        kind, detail = ServiceError, "Something went wrong here; quote the requestId when you report it."
    return kind(detail)
