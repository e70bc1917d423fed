"""What the service refuses, as the caller should hear it. The API turns each into problem+json (RFC 9457).

ServiceError(status, code)
├── ValidationError 400      ├── MethodNotAllowedError 405   ├── UnprocessableError 422
├── UnauthorizedError 401    ├── ConflictError 409           ├── RateLimitedError 429
├── ForbiddenError 403       ├── SessionExpiredError 410     └── UnavailableError 503
├── NotFoundError 404        ├── TooLargeError 413         └── DriverRefusedError 422
└────────────────────────────┴── UnsupportedMediaTypeError 415
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ServiceError(Exception):
    """A refusal with its HTTP status.

    Attributes:
        fields: Path in the caller's input -> what is wrong there.
        members: Further members of the problem, as the API writes them.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    title: ClassVar[str] = "Server error"

    def __init__(
        self,
        detail: str,
        fields: Mapping[str, str] | None = None,
        retry_after: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.members = members
        self.detail = detail
        self.fields = fields
        self.retry_after = retry_after


class ValidationError(ServiceError):
    status = 400
    code = "validation_error"
    title = "Invalid request"


class UnauthorizedError(ServiceError):
    status = 401
    code = "unauthorized"
    title = "Unauthorized"


class ForbiddenError(ServiceError):
    status = 403
    code = "forbidden"
    title = "Forbidden"


class NotFoundError(ServiceError):
    status = 404
    code = "not_found"
    title = "Not found"


class MethodNotAllowedError(ServiceError):
    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class ConflictError(ServiceError):
    status = 409
    code = "conflict"
    title = "Conflict"


class SessionExpiredError(ServiceError):
    status = 410
    code = "session_expired"
    title = "Session expired"


class TooLargeError(ServiceError):
    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedMediaTypeError(ServiceError):
    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class UnprocessableError(ServiceError):
    status = 422
    code = "unprocessable"
    title = "Unprocessable"


class RowsRefusedError(UnprocessableError):
    """Every row was refused; `members` says why, as the answer to rows does."""

    def __init__(self, detail: str, members: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.members = members


class DriverRefusedError(ServiceError):
    """A gateway's settings cannot be right, or nothing answers there: in the driver's own words."""

    status = 422
    code = "driver_refused"
    title = "Refused by the driver"


class RateLimitedError(ServiceError):
    status = 429
    code = "rate_limited"
    title = "Too many requests"


class UnavailableError(ServiceError):
    status = 503
    code = "unavailable"
    title = "Unavailable"
