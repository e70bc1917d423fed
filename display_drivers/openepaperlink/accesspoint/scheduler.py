"""What the access point does every second: render what is due, and send tags to sleep (sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from display_drivers.openepaperlink.accesspoint.records import Item, Record
from display_drivers.openepaperlink.accesspoint.rendering import Look, Payload, decode, render
from display_drivers.openepaperlink.accesspoint.tagtypes import TypeFile, read_type, type_path
from display_drivers.openepaperlink.accesspoint.wording import NEVER, atoi

if TYPE_CHECKING:
    from display_drivers.openepaperlink.accesspoint.point import AccessPoint

RUN = 2
_LEAST_FREE = 31_000  # bytes; with less nothing is rendered, and nobody is told
_AHEAD = 300  # seconds before a check-in at which rendering may begin
_EXTERNAL = {0, 22, 23, 24, 25}
_SAVE_EVERY = 300
_NIGHTLY = (3, 56)
_LEAST_UPTIME = 7200
TAG_DB = "/current/tagDB.json"


class Scheduler:
    """One pass over all records a second. A render holds the pass up, so a second may take longer than one."""

    def __init__(self, point: AccessPoint) -> None:
        self._point = point
        self._boot = 0
        self._passing = False
        self._next_save = 0.0
        self.start()

    def start(self) -> None:
        self._boot += 1
        self._passing = False
        self._next_save = self._point.clock.now + _SAVE_EVERY
        self._later(1.0, self._second)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        boot = self._boot
        self._point.clock.after(seconds, lambda: action() if boot == self._boot else None)

    def _second(self) -> None:
        self._later(1.0, self._second)
        point = self._point
        if not point.loaded:
            return
        if point.clock.now >= self._next_save:
            self._next_save = point.clock.now + _SAVE_EVERY
            point.files.write(TAG_DB, point.db.to_file())
        if self._nightly():
            point.power.restart_at_night()
        elif point.apstate in {1, 7} and point.runstate != 0 and not self._passing:
            self._pass(0)

    def _nightly(self) -> bool:
        point = self._point
        if not point.config["nightlyreboot"] or point.runstate == 0 or point.uptime <= _LEAST_UPTIME:
            return False
        local = datetime.fromtimestamp(point.time, UTC)
        return (local.hour, local.minute) == _NIGHTLY

    def _pass(self, start: int) -> None:
        """Over all records from `start`. After a render it goes on where it was, when that is over."""
        now, night = self._point.time, self._night()
        watched = self._watched()
        may_render = self._point.runstate == RUN and not night and self._point.files.free > _LEAST_FREE
        records = self._point.db.records
        for index in range(start, len(records)):
            record = records[index]
            due = may_render and record.rssi != 0 and now >= record.nextupdate and record.version == 0
            if due and (record.nextcheckin < now + _AHEAD or watched):
                duration = self._begin(record, index + 1)
                if duration:
                    self._passing = True
                    return
            self._perhaps_sleep(record, now, night=night, watched=watched)
        self._passing = False

    def _watched(self) -> bool:
        return bool(self._point.hub.clients) and self._point.config["stopsleep"] == 1

    def _night(self) -> bool:
        first, last = int(self._point.config["sleeptime1"]), int(self._point.config["sleeptime2"])
        hour = datetime.fromtimestamp(self._point.time, UTC).hour
        return first <= hour < last if first <= last else hour >= first or hour < last

    def _perhaps_sleep(self, record: Record, now: int, *, night: bool, watched: bool) -> None:
        expected = now - 10 < record.nextcheckin < now + 30
        if not expected or record.pending_idle or record.pending or watched or record.version:
            return
        longest = int(self._point.config["maxsleep"])
        minutes = self._minutes_of_night() if night else min((record.nextupdate - now) // 60, longest)
        if minutes > 1:
            record.pending_idle = 60 * minutes
            record.nextcheckin = now + 60 * minutes
            self._point.air.put_to_sleep(record.mac, minutes, 10 + longest)

    def _minutes_of_night(self) -> int:
        local = datetime.fromtimestamp(self._point.time, UTC)
        end = int(self._point.config["sleeptime2"]) * 60
        return (end - local.hour * 60 - local.minute) % 1440 - 2

    # -- rendering --------------------------------------------------------------------------------------------------

    def _begin(self, record: Record, after: int) -> float:
        """Seconds that the render takes; 0: there was nothing to do."""
        point = self._point
        if record.content_mode not in _EXTERNAL:
            record.nextupdate = NEVER
            return 0.0
        data = point.files.read(type_path(record.hw_type))
        kind = None if data is None else read_type(data)
        if kind is None:
            record.nextupdate = point.time + 300
            return 0.0
        point.log(f"Updating {record.mac}")
        mode = _mode(record)
        path = mode.get("filename", "")
        if not path or path not in point.files:
            record.nextupdate = NEVER
            if path:
                point.error(f"Not found: {path}")
            return 0.0
        record.nextupdate = point.time + 60
        duration = 0.1 + 0.9 * min(1.0, kind.width * kind.height / 384_000)
        self._later(duration, lambda: self._end(record, kind, mode, after))
        return duration

    def _end(self, record: Record, kind: TypeFile, mode: dict[str, str], after: int) -> None:
        point = self._point
        payload = self._drawn(record, kind, mode)
        if payload is None:
            point.error("invalid jpg")
            point.error(f"File not found. /temp/{record.mac}.raw")
            point.error(f"Error accessing /temp/{record.mac}.raw")
        else:
            self._deliver(record, payload, mode)
            if mode.get("delete") == "1":
                point.files.remove(mode["filename"])
        # Nobody is told of this one: the frame for the queue went out before (P6, P7).
        record.nextupdate = NEVER
        stalled = point.air.stalled_until - point.clock.now
        if stalled > 0:
            self._later(stalled, lambda: self._pass(after))
        else:
            self._pass(after)

    def _drawn(self, record: Record, kind: TypeFile, mode: dict[str, str]) -> Payload | None:
        point = self._point
        image = decode(point.files.read(mode["filename"]) or b"", psram=point.options.psram)
        if image is None:
            return None
        stamp = point.time if point.config["showtimestamp"] == 1 else None
        dither = atoi(mode.get("dither", "1"))
        look = Look(record.rotate, record.invert, dither, record.ver, point.options.psram, stamp)
        return render(image, kind, look)

    def _deliver(self, record: Record, payload: Payload, mode: dict[str, str]) -> None:
        """Into the queue, behind what waits there; unless the tag has this image already (P6, P7)."""
        point = self._point
        if payload.data_ver == record.digest[:16]:
            point.log("new image is the same as current image. not updating tag.")
            point.tell(record)
            return
        longest = int(point.config["maxsleep"])
        minutes = 0 if self._watched() else min(atoi(mode.get("timetolive", "0")), longest)
        name = f"/current/{record.mac}_{point.unique_ms() % 1_000_000}.pending"
        point.files.write(name, payload.data)
        point.log(f"new image: {name}")
        record.pending_idle = minutes * 60 + 60
        point.enqueue(
            record,
            Item(
                mac=record.mac,
                data_type=payload.data_type,
                data_ver=payload.data_ver,
                size=len(payload.data),
                next_check_in=minutes * 60.0,
                filename=name,
                data=payload.data,
                argument=atoi(mode.get("preload", "0")),
            ),
        )


def _mode(record: Record) -> dict[str, str]:
    """`modecfgjson`, which anybody can have set to anything."""
    try:
        found = msgspec.json.decode(record.modecfgjson or "{}", type=dict[str, str | int | float | bool | None])
    except msgspec.DecodeError:
        return {}
    return {name: str(value) for name, value in found.items()}
