"""The access point itself: its state, and what happens to it. No sockets in here."""

from random import Random
from typing import Any

import msgspec

from display_drivers.openepaperlink.accesspoint.air import BLOCK, Air
from display_drivers.openepaperlink.accesspoint.clock import Clock
from display_drivers.openepaperlink.accesspoint.files import Files
from display_drivers.openepaperlink.accesspoint.hub import Hub
from display_drivers.openepaperlink.accesspoint.power import RUN, Power
from display_drivers.openepaperlink.accesspoint.records import NO_HASH, Database, Item, Queue, Record
from display_drivers.openepaperlink.accesspoint.rendering import DataType
from display_drivers.openepaperlink.accesspoint.scheduler import Scheduler
from display_drivers.openepaperlink.accesspoint.settings import Options, initial_config
from display_drivers.openepaperlink.accesspoint.tags import FIRST_BOOT, NewTag, Tag
from display_drivers.openepaperlink.accesspoint.tagtypes import TAG_TYPES
from display_drivers.openepaperlink.accesspoint.wording import NEVER, byte

ONE_OFF = {5, 17, 18}  # content modes after which the record goes back to what it was
_BATTERY_LOW = 2400
_RESETS = 0xE0  # wake-up reasons from here on mean that the tag has forgotten its image
_UPLOAD_FRAMES_SINCE = "2.90"


class AccessPoint:
    """State and events of one access point. Times in records are its own clock's, which may be wrong (F15)."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options, self.clock = options, clock
        self.random = Random(options.seed)  # noqa: S311 - a simulation, which has to be repeatable
        self.config = initial_config(options)
        self.files = Files(options.fs_total)
        self.db, self.queue = Database(), Queue()
        self.hub = Hub(self.random)
        self.loaded = True
        self.runstate, self.apstate = RUN, 1
        self.booted_at = clock.now
        self.time_known = True
        self._offset = 0.0
        self._last_ms = 0
        self.air = Air(self, clock, self.random, options.radio_slots)
        self.scheduler = Scheduler(self)
        self.power = Power(self)
        for kind in TAG_TYPES.values():
            self.files.write(kind.path, kind.to_file())
        clock.after(5.0, self._every_five_seconds)
        self._sys_frames = 0
        self._counted = (0, 0)

    # -- time -------------------------------------------------------------------------------------------------------

    @property
    def time(self) -> int:
        """Unix seconds by the access point's own clock."""
        return int(self.clock.now + self._offset)

    @property
    def uptime(self) -> int:
        return int(self.clock.now - self.booted_at)

    def set_time(self, epoch: int) -> None:
        self._offset = epoch - self.clock.now
        self.power.time_set()

    def forget_time(self, epoch: int) -> None:
        """Fault: no time server is reachable, and the clock stands where it was never set (F15)."""
        self.time_known = False
        self._offset = epoch - self.clock.now

    def lose_time(self) -> None:
        """A boot: without a time server it is 1970 again."""
        self._offset = 0.0 if self.time_known else -self.clock.now

    def unique_ms(self) -> int:
        """Milliseconds since boot; never the same twice, even while virtual time stands still."""
        self._last_ms = max(self._last_ms + 1, int((self.clock.now - self.booted_at) * 1000))
        return self._last_ms

    # -- what it says on the WebSocket ------------------------------------------------------------------------------

    def log(self, words: str) -> None:
        self.hub.send(logMsg=words)

    def error(self, words: str) -> None:
        self.hub.send(errMsg=words)

    def tell(self, record: Record) -> None:
        if self.hub.clients:
            self.hub.send(tags=[record.public()])

    def _every_five_seconds(self) -> None:
        self.clock.after(5.0, self._every_five_seconds)
        if self.runstate == 0 or not self.loaded:
            return
        if self._sys_frames % 6 == 0:
            self._counted = (len(self.db.records), self.files.free)
        if self.hub.clients:
            self.hub.send(sys=self._sys())
        self._sys_frames += 1

    def _sys(self) -> dict[str, Any]:
        count, free = self._counted
        frame: dict[str, Any] = {
            "currtime": self.time,
            "heap": 150_000,
            "recordcount": count,
            "dbsize": count * 170,
            "littlefsfree": free,
            "apstate": self.apstate,
            "runstate": self.runstate,
            "rssi": -55,
            "wifistatus": 3,
            "wifissid": "simulated",
            "uptime": self.uptime,
        }
        if self.options.psram:
            frame["psfree"] = 7_000_000
        if self._sys_frames % 12 == 0:
            records = self.db.records
            frame["lowbattcount"] = sum(0 < record.battery_mv < _BATTERY_LOW for record in records)
            frame["timeoutcount"] = sum(record.nextcheckin + 600 < self.time for record in records)
        return frame

    # -- what its API does ------------------------------------------------------------------------------------------

    def take_upload(self, record: Record, fields: dict[str, str], path: str) -> None:
        """An uploaded image replaces whatever the record was to show; nothing is looked at yet (U3)."""
        self.change(record, fields)
        preload = "preloadtype" in fields
        mode = {
            "filename": path,
            "timetolive": str(byte(fields.get("ttl", "0"))),
            "dither": str(byte(fields.get("dither", "1"))),
            "delete": "1",
            "preload": "1" if preload else "0",
            "preload_lut": str(byte(fields.get("preloadlut", "0"))) if preload else "0",
            "preload_type": str(byte(fields["preloadtype"])) if preload else "0",
        }
        record.modecfgjson = msgspec.json.encode(mode).decode()
        record.content_mode = byte(fields.get("contentmode", "24"))
        record.nextupdate = 0
        self.tell(record)

    def change(self, record: Record, fields: dict[str, str]) -> None:
        record.alias = fields.get("alias", record.alias)
        record.rotate = byte(fields.get("rotate", str(record.rotate)))
        record.lut = byte(fields.get("lut", str(record.lut)))
        record.invert = byte(fields.get("invert", str(record.invert)))

    def save_config(self, record: Record, fields: dict[str, str]) -> None:
        """C1: one-off modes keep the record as it was for afterwards."""
        mode = byte(fields.get("contentmode", str(record.content_mode)))
        if mode != record.content_mode and mode in ONE_OFF:
            self.db.save_copy(record)
        self.change(record, fields)
        record.content_mode = mode
        record.modecfgjson = fields.get("modecfgjson", record.modecfgjson)
        record.nextupdate = 0
        self.tell(record)

    def enqueue(self, record: Record, item: Item) -> None:
        self.queue.items.append(item)
        record.pending = len(self.queue.of(record.mac))
        self.air.announce(record.mac)
        self.tell(record)

    def enqueue_command(self, record: Record, name: str, payload: bytes = b"") -> None:
        """A command has no file; its own bytes stand where an image's version would (T5)."""
        version = payload[:8].ljust(8, b"\0").hex()
        self.enqueue(
            record,
            Item(mac=record.mac, data_type=DataType.COMMAND, data_ver=version, filename=name, data=payload),
        )

    def clear(self, record: Record) -> None:
        """The radio's slot is not touched: the tag will ask for something that is gone (T3)."""
        self.queue.drop(record.mac)
        record.pending = 0
        self.tell(record)

    def refresh(self, record: Record) -> None:
        record.digest, record.nextupdate = NO_HASH, 0
        self.tell(record)

    # -- what the radio tells it ------------------------------------------------------------------------------------

    def radio_answers(self) -> bool:
        return self.loaded and self.apstate == 1

    def checked_in(self, tag: Tag, *, long: bool) -> None:
        """X1."""
        record = self.db.get(tag.mac) or self._adopt(tag, long=long)
        if record is None:
            return
        now = self.time
        record.lastseen = now
        if record.pending_idle == 0 or self.queue.of(tag.mac):
            record.nextcheckin = now + 60 if record.nextcheckin == NEVER else max(record.nextcheckin, now + 60)
        else:
            record.nextcheckin = now + record.pending_idle
        record.pending_idle = 0
        if long:
            self._telemetry(record, tag)
        self.air.announce_if_missing(tag.mac)
        self.tell(record)

    def _adopt(self, tag: Tag, *, long: bool) -> Record | None:
        first = long and tag.wakeup_reason == FIRST_BOOT
        if self.config["lock"] == 0 or (self.config["lock"] == 2 and first):  # noqa: PLR2004 - the API's number
            return self.db.add(Record(mac=tag.mac))
        return None

    def _telemetry(self, record: Record, tag: Tag) -> None:
        record.lqi, record.rssi = self.random.randint(60, 200), -self.random.randint(45, 90)
        record.temperature = self.random.randint(18, 24)
        record.battery_mv, record.hw_type, record.ver = tag.battery, tag.hw_type, tag.ver
        record.wakeup_reason = tag.wakeup_reason
        record.ch = int(self.config["channel"])
        if tag.wakeup_reason >= _RESETS and record.pending == 0:
            record.digest, record.nextupdate = NO_HASH, 0

    def block_sent(self, item: Item, block: int) -> None:
        part = item.data[block * BLOCK : (block + 1) * BLOCK]
        checksum = sum(part) & 0xFFFF
        words = f"{item.mac} block request {item.filename} block {block}, len {len(part)} checksum {checksum}"
        self.log(words)
        if self.options.buildversion >= _UPLOAD_FRAMES_SINCE:
            total = -(-item.size // BLOCK)
            self.hub.send(upload={"src": item.mac, "current": block + 1, "total": total})

    def completed(self, mac: str) -> None:
        """X5: whatever was first in the queue counts as what the tag took."""
        self.log(f"{mac} reports xfer complete\r\n")
        item = self.queue.pop(mac)
        record = self.db.get(mac)
        if item is not None and item.filename in self.files:
            self._keep(item)
        if record is None:
            return
        version = item.data_ver if item is not None else self.random.randbytes(8).hex()
        record.digest = version + "0" * 16
        record.updatecount += 1
        record.updatelast = self.time
        record.pending = len(self.queue.of(mac))
        record.wakeup_reason = 0
        if item is not None and item.filename == "deepsleep":
            record.nextcheckin = NEVER
        if record.content_mode in ONE_OFF:
            record = self._back_to_before(record)
        self.air.announce(mac)
        self.tell(record)

    def _keep(self, item: Item) -> None:
        """The last image that was transferred can be read back, if previews are on."""
        if self.config["preview"] == 1:
            self.files.rename(item.filename, f"/current/{item.mac}.raw")
        else:
            self.files.remove(item.filename)

    def _back_to_before(self, record: Record) -> Record:
        saved = self.db.restore_copy(record)
        if saved is None:
            return record
        saved.nextupdate = self.time
        return saved

    def timed_out(self, mac: str) -> None:
        """X10: `pending` stays as it is, which keeps the tag from ever being sent to sleep (S4)."""
        self.error(f"< {mac} xfer timeout\r\n")
        self.queue.drop(mac)
        record = self.db.get(mac)
        if record is not None:
            record.pending_idle = 60
            self.tell(record)

    # -- tags -------------------------------------------------------------------------------------------------------

    def put_up(self, new: NewTag, mac: str) -> Tag:
        """A tag in reach of the radio; with `adopted`, as if it had long been one of ours."""
        check_in = self.random.uniform(40.0, 60.0) if new.check_in is None else new.check_in
        refresh = self.random.uniform(2.0, 15.0) if new.refresh is None else new.refresh
        self.air.remove(mac)
        tag = Tag(new, mac, check_in, refresh)
        if new.adopted:
            tag.wakeup_reason = 0
            record = self.db.get(mac) or self.db.add(Record(mac=mac, nextupdate=NEVER))
            record.lastseen, record.nextcheckin = self.time, self.time + 60
            self._telemetry(record, tag)
            tag.next_long = self.clock.now + self.random.uniform(0.0, 300.0)
        self.air.add(tag)
        return tag

    def move_away(self, record: Record, apip: str) -> None:
        """Fault: the tag now belongs to another access point of the group (F12)."""
        record.isexternal, record.apip, record.content_mode = True, apip, 12
        tag = self.air.tags.get(record.mac)
        if tag is not None:
            tag.absent = True
        self.tell(record)
