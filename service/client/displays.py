"""Displays of one store: named by their id or, where that is one display's alone, their address."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from service.client.transport import Transport
from service.messages import Page
from service.messages.displays import Blink, DisplayDetail, DisplayEvent, Evidence, HistoryEntry, Imported


class Displays:
    """Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_displays(self, **filters: str | int | bool | None) -> Iterator[DisplayDetail]:
        """Filters as `GET /displays` has them, such as wrong="true", lowBattery="true", gateway, barcode."""
        return self._transport.pages("/displays", Page[DisplayDetail], **filters)

    def get_display(self, display: str) -> DisplayDetail:
        return self._transport.get(_path(display), DisplayDetail)

    def register_display(self, new: Mapping[str, Any]) -> DisplayDetail:
        """`new`: address, gateway, panel and, if wanted, template."""
        return self._transport.send("POST", "/displays", new, DisplayDetail)

    def import_displays(self, rows: Sequence[Mapping[str, Any]], *, takeover: bool = False) -> Imported:
        message = {"displays": rows, "takeover": takeover}
        return self._transport.send("POST", "/displays/import", message, Imported)

    def change_display(self, display: str, changes: Mapping[str, Any]) -> DisplayDetail:
        return self._transport.send("PATCH", _path(display), changes, DisplayDetail)

    def bind_display(self, display: str, barcode: str, slot: int = 0, *, takeover: bool = False) -> DisplayDetail:
        """A slot that shows something else is a conflict, unless it is taken over."""
        message = {"barcode": barcode, "slot": slot, "takeover": takeover}
        return self._transport.send("POST", _path(display, "/bind"), message, DisplayDetail)

    def unbind_display(self, display: str, slot: int | None = None) -> DisplayDetail:
        return self._transport.send("POST", _path(display, "/unbind"), {"slot": slot}, DisplayDetail)

    def swap_display(self, display: str, replacement: str) -> DisplayDetail:
        """Let another display take the place of a broken one."""
        message = {"replacement": replacement}
        return self._transport.send("POST", _path(display, "/swap"), message, DisplayDetail, repeat=False)

    def retire_display(self, display: str) -> DisplayDetail:
        return self._transport.send("POST", _path(display, "/retire"), {}, DisplayDetail)

    def restore_display(self, display: str) -> DisplayDetail:
        return self._transport.send("POST", _path(display, "/restore"), {}, DisplayDetail)

    def resend_display(self, display: str) -> DisplayDetail:
        """Send its face again though it is proven, because people see something else."""
        return self._transport.send("POST", _path(display, "/resend"), {}, DisplayDetail, repeat=False)

    def blink_display(self, display: str, seconds: int = 10) -> Blink:
        return self._transport.send("POST", _path(display, "/blink"), {"seconds": seconds}, Blink, repeat=False)

    def get_blink(self, display: str, blink: str) -> Blink:
        return self._transport.get(_path(display, f"/blinks/{blink}"), Blink)

    def get_display_history(self, display: str, **which: str | int | None) -> Iterator[HistoryEntry]:
        """What it showed, reported and went through, the newest first; kind, from and to as the API has them."""
        return self._transport.pages(_path(display, "/history"), Page[HistoryEntry], **which)

    def list_display_events(self, kind: str | None = None) -> Iterator[DisplayEvent]:
        return self._transport.pages("/display-events", Page[DisplayEvent], kind=kind)

    def get_display_at(self, display: str, time: str | None = None) -> Evidence:
        """What it showed at a time (RFC 3339), proven by what, or why that is not known."""
        return self._transport.get(_path(display, "/at"), Evidence, time=time)

    def see_display_at(self, display: str, time: str | None = None) -> bytes:
        """The same as a PNG."""
        return self._transport.ask("GET", _path(display, "/at.png"), query={"time": time}).content

    def preview_display(self, display: str, face: str = "desired") -> bytes:
        """A PNG of its desired or its shown face."""
        return self._transport.ask("GET", _path(display, "/preview.png"), query={"face": face}).content


def _path(display: str, rest: str = "") -> str:
    return f"/displays/{quote(display, safe='')}{rest}"
