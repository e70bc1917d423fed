"""Why a display does not show what it should, in one word and one sentence: promise 7, the answer is explained."""

import msgspec


class Maintenance(msgspec.Struct, frozen=True):
    """That somebody works on a gateway: since when (RFC 3339), who said so, and why."""

    since: str
    by: str
    reason: str


class Circumstances(msgspec.Struct, frozen=True):
    """What is known of a display that is not right.

    Attributes:
        sent: Whether its face was handed to the gateway.
        gateway: Name of its gateway.
        unreachable_since: Since when (RFC 3339) the gateway has not answered; None if it does.
        gateway_error: What it said last, or how it failed.
        error: Code of the last thing that went wrong with its update.
        detail: The same as a sentence.
        maintenance: Of its gateway; None while there is none.
    """

    sent: bool
    gateway: str
    unreachable_since: str | None = None
    gateway_error: str | None = None
    error: str | None = None
    detail: str | None = None
    maintenance: Maintenance | None = None


def why(of: Circumstances) -> tuple[str, str]:
    """(code, sentence) for store staff."""
    if of.maintenance is not None:
        of_whom = f"since {of.maintenance.since} by {of.maintenance.by}: {of.maintenance.reason}."
        return "gateway_in_maintenance", f"Gateway {of.gateway} is in maintenance {of_whom} It goes on afterwards."
    if of.unreachable_since is not None:
        said = f" ({of.gateway_error})" if of.gateway_error else ""
        return (
            "gateway_unreachable",
            f"Gateway {of.gateway} has not answered since {of.unreachable_since}{said}. Check its power and network.",
        )
    if of.error is not None:
        return of.error, of.detail or of.error
    if of.sent:
        return "unproven", "Accepted by the gateway; the display has not reported the new face yet."
    return "waiting", f"Waiting for its turn at gateway {of.gateway}."
