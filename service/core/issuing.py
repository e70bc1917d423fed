"""What a token may hand on: never more than it has itself, in any respect.

Otherwise whoever may issue tokens could issue one that may do everything, and narrow tokens would be worth nothing.
"""

import msgspec

from service.core.limits import Plan
from service.core.scopes import implied


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """All that tells one token from another in what it is allowed.

    Attributes:
        store_id: None: every store of the organisation.
        plan: How often it may ask; None: as often as it likes.
        expires_at: Milliseconds since the epoch; None: never.
    """

    organisation_id: int
    store_id: int | None
    scopes: tuple[str, ...]
    plan: Plan | None
    expires_at: int | None


def excess(own: Rights, wanted: Rights) -> dict[str, str]:
    """Field -> why a token with `own` rights must not issue, or renew, one with the rights `wanted`."""
    beyond = {
        "store": (_reaches(own, wanted), "is not within this token's own reach"),
        "scopes": (_may(own, wanted), _missing(own, wanted)),
        "plan": (_asks(own, wanted), f"is more than this token's own, {own.plan.name if own.plan else 'unlimited'}"),
        "expiresAt": (_lives(own, wanted), "is later than this token's own expiry"),
    }
    return {field: reason for field, (within, reason) in beyond.items() if not within}


def _reaches(own: Rights, wanted: Rights) -> bool:
    return own.organisation_id == wanted.organisation_id and own.store_id in {None, wanted.store_id}


def _may(own: Rights, wanted: Rights) -> bool:
    return implied(wanted.scopes) <= implied(own.scopes)


def _missing(own: Rights, wanted: Rights) -> str:
    missing = sorted(implied(wanted.scopes) - implied(own.scopes))
    return f"includes what this token does not have itself: {', '.join(missing)}"


def _asks(own: Rights, wanted: Rights) -> bool:
    if own.plan is None or wanted.plan is None:
        return own.plan is None
    return wanted.plan.daily <= own.plan.daily and wanted.plan.burst <= own.plan.burst


def _lives(own: Rights, wanted: Rights) -> bool:
    if own.expires_at is None:
        return True
    return wanted.expires_at is not None and wanted.expires_at <= own.expires_at
