"""What displays report and go through besides what they show: written down in the transaction that learns of it."""

import enum
from collections.abc import Iterable
from typing import Any

import msgspec

from display_drivers.base import Report
from service.ids import derived, new_id
from service.store import display_events
from service.store.database import Connection, Record

_encode = msgspec.json.Encoder().encode
_PLAUSIBLE = 7 * 86_400_000
"""Milliseconds that a gateway's clock may be behind; an older touch is dated when it was heard of."""


class Kind(enum.StrEnum):
    """Stable words of the API."""

    REPORT = "report"  # the battery, signal and temperature that it reported, when the battery changed
    BUTTON = "button"  # somebody pressed one
    NFC = "nfc"  # somebody held a phone to it
    CHANGED = "changed"  # gateway, panel or template
    RETIRED = "retired"
    RESTORED = "restored"
    SWAPPED = "swapped"  # it took another one's place, or another one took its
    RESENT = "resent"  # people saw something else than what was proven
    BLINKED = "blinked"


def row(store_id: int, display_id: str, kind: Kind, now: int, **data: Any) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "id": new_id(),
        "display_id": display_id,
        "kind": kind,
        "at": now,
        "data": _encode(data).decode(),
    }


async def note(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    await display_events.append(connection, list(rows))


async def note_reports(connection: Connection, heard: Iterable[tuple[Record, Report]], now: int) -> None:
    """Of these displays, as they were before, and their reports: batteries that changed, and touches not noted yet.

    A battery that stays is no event: a display that is polled every 15 minutes would have 35,000 a year.
    """
    rows = []
    known: dict[str, int | None] = {}
    for display, report in heard:
        before = known.get(display["id"], display["battery"])
        if report.battery is not None and report.battery != before:
            known[display["id"]] = report.battery
            said = {"battery": report.battery, "signal": report.signal, "temperature": report.temperature}
            rows.append(row(display["store_id"], display["id"], Kind.REPORT, now, **said))
        if report.touch is not None:
            rows.append(_touched(display, report, now))
    await note(connection, rows)


def _touched(display: Record, report: Report, now: int) -> dict[str, Any]:
    """The same touch, told again, has the same id."""
    touch = report.touch
    assert touch is not None  # noqa: S101 - for the type checker
    data = {} if touch.button is None else {"button": touch.button}
    noted = row(display["store_id"], display["id"], Kind(touch.kind), now, **data)
    noted["id"] = derived(touch.at, display["id"], touch.kind, str(touch.button))
    noted["at"] = min(touch.at, now) if touch.at > now - _PLAUSIBLE else now
    return noted
