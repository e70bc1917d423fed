"""What can go wrong between us and a display, by what to do about it.

    DriverError
    ├── TransientError(retry_after)    try the same again, later
    │   ├── UnreachableError           the gateway does not answer: costs an update no attempt, delays its gateway only
    │   └── BusyError                  it answers, but cannot take this now
    └── PermanentError                 the same again will fail again, until somebody mends something
        ├── UnknownDisplayError        the gateway does not know this address
        ├── FrameRefusedError          wrong size, palette, or content
        ├── StaleError(revision)       the gateway holds or shows a newer face of this display
        └── NotAllowedError            credentials, licence, or a locked gateway

A driver lets no other exception out of its methods; it translates foreign errors in one function.
"""

from typing import ClassVar


class DriverError(Exception):
    """Base of every error a driver raises or returns.

    Attributes:
        code: Stable machine-readable word, kept with the update and shown by the API.
    """

    code: ClassVar[str] = "driver_error"

    @property
    def detail(self) -> str:
        """One sentence for store staff: what is wrong and, where known, what to do."""
        return str(self) or self.code


class TransientError(DriverError):
    """Worth trying again.

    Attributes:
        retry_after: Seconds the hardware asked us to wait, or None where it did not say.
    """

    code: ClassVar[str] = "transient"

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    code: ClassVar[str] = "gateway_unreachable"


class BusyError(TransientError):
    code: ClassVar[str] = "busy"


class PermanentError(DriverError):
    code: ClassVar[str] = "permanent"


class UnknownDisplayError(PermanentError):
    code: ClassVar[str] = "unknown_display"


class FrameRefusedError(PermanentError):
    code: ClassVar[str] = "frame_refused"


class StaleError(PermanentError):
    """An older face must not land after a newer one. Sent again with a revision above `revision`, it is a newer one.

    Attributes:
        revision: The one that the gateway holds or shows.
    """

    code: ClassVar[str] = "stale_revision"

    def __init__(self, detail: str = "", revision: int = 0) -> None:
        super().__init__(detail)
        self.revision = revision


class NotAllowedError(PermanentError):
    code: ClassVar[str] = "not_allowed"
