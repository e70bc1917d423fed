"""The control API, on a port of its own: what a test does to the access point and its tags, and what it sees.

No part of OpenEPaperLink, and nothing that a driver uses: it looks at the glass itself.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from display_drivers.openepaperlink.accesspoint.faults import UnknownFaultError
from display_drivers.openepaperlink.accesspoint.frontage import Frontage
from display_drivers.openepaperlink.accesspoint.http import Reply, Request
from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.tags import NewTag, Tag
from display_drivers.openepaperlink.accesspoint.tagtypes import TAG_TYPES
from display_drivers.openepaperlink.accesspoint.wording import mac_of

_LONGEST_JUMP = 400 * 86_400

T = TypeVar("T")


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An answer other than 200, with a sentence."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class _Advance(msgspec.Struct):
    seconds: float


class _Press(msgspec.Struct):
    mac: str
    reason: int = 4


class Control:
    """One request to the control API."""

    def __init__(self, point: AccessPoint, frontage: Frontage) -> None:
        self._point, self._frontage = point, frontage

    async def answer(self, request: Request) -> Reply:
        self._point.clock.catch_up()
        try:
            return Reply.json(await self._answer(request))
        except Refusal as refusal:
            return Reply.json({"error": str(refusal)}, refusal.status)
        except UnknownFaultError as error:
            return Reply.json({"error": str(error)}, 400)

    async def _answer(self, request: Request) -> Any:  # noqa: PLR0911 - the route table
        body = await request.body()
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["state"]:
                return self._state()
            case "POST", ["advance"]:
                return await self._advance(_decoded(body, _Advance))
            case "GET", ["tags"]:
                return [_seen(tag) for tag in self._point.air.tags.values()]
            case "POST", ["tags"]:
                return self._put_up(_decoded(body, list[NewTag]))
            case "DELETE", ["tags", mac]:
                return {"removed": self._point.air.remove(self._tag(mac).mac)}
            case "GET", ["tags", mac, "glass"]:
                return _glass(self._tag(mac))
            case "GET", ["tags", mac, "history"]:
                return [{"at": seen.at, "md5": seen.md5, "colours": seen.colours} for seen in self._tag(mac).history]
            case "POST", ["faults"]:
                self._frontage.faults.apply(_decoded(body, dict[str, Any]))
                return await self._settled({})
            case "POST", ["press"]:
                return await self._press(_decoded(body, _Press))
        raise Refusal(404, f"The control API has no {request.method} {request.path}.")

    async def _settled(self, answer: Any) -> Any:
        """What the change sent, and what it made due at once, is out before we answer."""
        await self._point.clock.advance_gently(0.0, self._point.hub.flush)
        await self._point.hub.flush()
        return answer

    async def _advance(self, wanted: _Advance) -> dict[str, float]:
        if not 0 <= wanted.seconds <= _LONGEST_JUMP:
            raise Refusal(400, f"Time moves forward, by {_LONGEST_JUMP} seconds at most, not by {wanted.seconds}.")
        await self._point.clock.advance_gently(wanted.seconds, self._point.hub.flush)
        return {"now": self._point.clock.now}

    async def _press(self, press: _Press) -> dict[str, float]:
        self._point.air.press(self._tag(press.mac), press.reason)
        await self._settled(None)
        return {"now": self._point.clock.now}

    def _put_up(self, tags: list[NewTag]) -> list[dict[str, Any]]:
        macs = [_checked(tag.mac, mac_of) for tag in tags]
        for tag in tags:
            if tag.hw_type not in TAG_TYPES:
                raise Refusal(400, f"Of hwType {tag.hw_type} there are no simulated tags.")
        return [_seen(self._point.put_up(tag, mac)) for tag, mac in zip(tags, macs, strict=True)]

    def _tag(self, text: str) -> Tag:
        tag = self._point.air.tags.get(_checked(text, mac_of))
        if tag is None:
            raise Refusal(404, f"There is no tag {text} here.")
        return tag

    def _state(self) -> dict[str, Any]:
        point, traffic = self._point, self._frontage.traffic
        return {
            "now": point.clock.now,
            "requests": dict(traffic.requests),
            "overlappingUploads": traffic.overlapping,
            "uploadBytes": traffic.upload_bytes,
            "requestsPerSecondMost": traffic.most_per_second,
            "files": point.files.names,
            "queue": [
                {"mac": item.mac, "dataType": item.data_type, "dataVer": item.data_ver, "attempts": item.attempts}
                for item in point.queue.items
            ],
            "slots": [
                {
                    "mac": mac,
                    "dataType": slot.data_type,
                    "dataVer": slot.data_ver,
                    "size": slot.size,
                    "nextCheckIn": slot.next_check_in,
                    "attemptsLeft": slot.attempts_left,
                }
                for mac, slot in point.air.slots.items()
            ],
            "websockets": len(point.hub.clients),
            "runstate": point.runstate,
            "apstate": point.apstate,
            "reboots": point.power.reboots,
        }


def _seen(tag: Tag) -> dict[str, Any]:
    last = tag.history[-1] if tag.shown is not None and tag.history else None
    return {
        "mac": tag.mac,
        "hwType": tag.hw_type,
        "shown": last.md5 if last else None,
        "shownAt": last.at if last else None,
        "transfers": tag.transfers,
        "refreshes": tag.refreshes,
    }


def _glass(tag: Tag) -> dict[str, Any] | None:
    if tag.shown is None or not tag.history:
        return None
    last = tag.history[-1]
    return {"width": last.width, "height": last.height, "colours": last.colours, "at": last.at}


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refusal(400, str(error)) from error


def _checked(text: str, read: Callable[[str], str | None]) -> str:
    mac = read(text)
    if mac is None:
        raise Refusal(400, f"An address is 12 or 16 hexadecimal digits, not {text!r}.")
    return mac
