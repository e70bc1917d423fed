"""The driver of one OpenEPaperLink access point: uploads one at a time, and proof from what its tags were given.

An upload's answer proves nothing, so a push is accepted when the tag's record names it, and a face is delivered when
the access point's copy of the last transfer has its pixels and the record's hash is of that copy. That the panel
refreshed is never told: the proof is `delivered`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from display_drivers.base import Discovered, DriverInfo, Frame, Outcome, Proof, Report, Touch, Update
from display_drivers.errors import (
    BusyError,
    DriverError,
    FrameRefusedError,
    NotAllowedError,
    PermanentError,
    StaleError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.openepaperlink import payload
from display_drivers.openepaperlink.calls import EXTERNAL, AccessPoint, Record, Settings, checked_url
from display_drivers.openepaperlink.hints import hints
from display_drivers.openepaperlink.settings import SETTINGS
from display_drivers.openepaperlink.tagtypes import KNOWN, TagType, from_file

_KEYS = frozenset(setting.name for setting in SETTINGS)
_BATCH = 4
"""Uploads in one push: at a second each they are well within the time that a push has."""
_PACE = 1.0
"""Seconds from one upload to the next, which access points are known to bear."""
_SETTLE = 30.0
"""Seconds that a transfer under way may still take. An access point counts whatever a tag then has as the first that is
queued, so nothing is queued before that."""
_TRANSFER = 240
"""Seconds beyond the longest sleep that a tag may need: its check-in, its turn on the air, the transfer."""
_FRESH = 5.0
"""Seconds for which a listing is good enough for the next questions."""
_STALE = 25 * 60
"""Seconds after which an access point has given a transfer up; what it calls pending then keeps the tag awake."""
_FULL, _EMPTY, _VIRTUAL = 2600, 2200, 1337
"""Millivolts: 2600 is said of all that is higher, 1337 of tags without a battery."""
_CLOCK_SET = 1_600_000_000
_SIGNAL = range(-127, 0)
_FLASH = "f13c5405000000000000"
"""Mode and duration, then three groups of colour, count and speed, delay: its first 8 bytes become the tag's hash."""
_NO_HASH = "0" * 32
_WOKEN_BY_NFC = 3
_WOKEN_BY_BUTTONS = (4, 5)
WANTED = {"preview": 1, "showtimestamp": 0, "stopsleep": 0, "nightlyreboot": 0, "lock": 1}
"""Settings with which labels can be trusted; docs/drivers/openepaperlink.md says why."""
NEEDED = ("preview", "showtimestamp")
"""Without these nothing can be proven."""


class Uploaded(NamedTuple):
    """An upload that a record named: its file, how many transfers the tag had taken before, and the face's mark."""

    file: str
    before: int
    mark: str


class Given(NamedTuple):
    """What a tag was last given, for one state of its record: the face's mark, if it is known.

    Attributes:
        certain: Whether the record's hash is of what the access point keeps; else it must not decide what is new.
    """

    version: str
    certain: bool
    mark: str | None


class OpenEPaperLinkDriver:
    """Implements Driver, Listens, Blinks and Discovers."""

    def __init__(self, config: Mapping[str, str]) -> None:
        """Settings: `url`; `manage`: yes to set the access point's own ones; the others are seconds, as above."""
        self._url = checked_url(config, _KEYS)
        self._manage = config.get("manage", "no").lower() in {"yes", "true", "1"}
        self._pace = _seconds(config, "pace", _PACE)
        self._settle = _seconds(config, "settle", _SETTLE)
        self._fresh = min(_FRESH, _FRESH * self._pace)
        self._patience = _seconds(config, "patience", 0.0)
        self._point = AccessPoint(self._url)
        self._settings = Settings()
        self._types: dict[int, TagType] = {}
        self._listing: dict[str, Record] = {}
        self._listed_at = -1e9
        self._given: dict[str, Given] = {}
        self._waiting: dict[str, tuple[str, int]] = {}
        self._cleared: dict[str, float] = {}
        self._revisions: dict[str, int] = {}
        self._spelled: dict[str, str] = {}
        self._uploads: dict[str, Uploaded] = {}
        self._uploaded_at = 0.0

    @property
    def info(self) -> DriverInfo:
        """`reports_within` follows from how long the access point lets its tags sleep."""
        return DriverInfo(
            name="openepaperlink",
            takes="frame",
            proof=Proof.DELIVERED,
            max_batch=_BATCH,
            max_in_flight=1,
            send_timeout=12.0,
            reports_within=self._patience or self._settings.maxsleep * 60 + _TRANSFER,
            carries_id=False,
        )

    async def open(self) -> None:
        """Asks what it is and how it is set; NotAllowedError where its settings make proof impossible."""
        await self._point.open()
        try:
            await self._point.system()
            await self._settle_settings()
        except BaseException:
            await self._point.close()
            raise

    async def _settle_settings(self) -> None:
        self._settings = await self._point.settings()
        if self._manage:
            await self._point.set_time(int(time.time()))
            if wrong := not_as_wanted(self._settings):
                await self._point.set(**wrong)
                self._settings = await self._point.settings()
        for name in NEEDED:
            if name in not_as_wanted(self._settings):
                raise NotAllowedError(
                    f"Access point {self._url} has {name}={getattr(self._settings, name)}, so that nothing it shows "
                    f"can be proven. Set it to {WANTED[name]} in its web page, or let manage=yes do it."
                )

    async def close(self) -> None:
        await self._point.close()

    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        """One upload after the other; what is wrong with one display is its own outcome."""
        outcomes: list[Outcome] = []
        for update in updates:
            try:
                outcomes.append(Outcome(update.token, mark=await self._upload(update)))
            except UnreachableError as error:
                if not outcomes:
                    raise
                return outcomes + [Outcome(late.token, error) for late in updates[len(outcomes) :]]
            except DriverError as error:
                outcomes.append(Outcome(update.token, error))
        return outcomes

    async def _upload(self, update: Update) -> str:
        """The mark by which the face is known once the tag has it."""
        mac = normal(update.address)
        if not isinstance(update.face, Frame):
            raise FrameRefusedError("An OpenEPaperLink tag takes pixels.")
        if update.revision < (newest := self._revisions.get(mac, 0)):
            raise StaleError("A newer face was given to this display.", revision=newest)
        record = await self._known(mac)
        kind = await self._type(record.hw_type)
        payload.check(update.face, kind)
        self._revisions[mac] = update.revision
        mark = payload.fingerprint(update.face, kind)
        if not update.again and await self._has_or_awaits(record, update.face, kind, mark):
            return mark
        await self._make_way(record)
        if update.again or not (await self._given_to(record, kind)).certain:
            await self._point.command(mac, "refresh")  # forgets a hash that may be wrong: it would drop this image
        await self._paced()
        await self._point.upload(mac, payload.jpeg(update.face))
        after = await self._known(mac)
        if after.content_mode != EXTERNAL or not after.file or after.file == record.file:
            raise TransientError("The access point answered, but did not take the image; it may be starting.")
        self._uploads[mac] = Uploaded(after.file, record.updatecount, mark)
        return mark

    async def _known(self, mac: str) -> Record:
        record = await self._point.record(mac)
        if record is None:
            raise UnknownDisplayError(f"Access point {self._url} knows no tag {mac}: press its button near it.")
        if record.isexternal:
            raise UnknownDisplayError(f"Tag {mac} moved to the access point at {record.apip}; bind it there.")
        return record

    async def _has_or_awaits(self, record: Record, frame: Frame, kind: TagType, mark: str) -> bool:
        """Whether this very image is on the tag with nothing after it, or is the one that waits for it."""
        if self._settles(record.mac):
            return False
        if record.pending:
            return record.pending == 1 and await self._point.is_queued(record.mac, payload.predicted(frame, kind))
        return record.is_rendered and (await self._given_to(record, kind)).mark == mark

    def _settles(self, mac: str) -> bool:
        return time.monotonic() - self._cleared.get(mac, -self._settle) < self._settle

    async def _make_way(self, record: Record) -> None:
        """Take back what waits for this tag, which would be shown before or after ours; raises BusyError then."""
        if record.pending:
            await self._take_back(record.mac)
        if self._settles(record.mac):
            raise BusyError("An older image was taken back; its transfer may be under way.", retry_after=self._settle)

    async def _take_back(self, mac: str) -> None:
        """Nothing waits for this tag any more, and its hash is forgotten.

        What was announced to it stays announced until something else is, and a tag that has that image in its memory
        shows it at its next call: so what it shows now is no proof, and has to be sent again even if it is right.
        """
        await self._point.command(mac, "clear")
        await self._point.command(mac, "refresh")
        self._cleared[mac] = time.monotonic()

    async def _paced(self) -> None:
        await asyncio.sleep(max(0.0, self._uploaded_at + self._pace - time.monotonic()))
        self._uploaded_at = time.monotonic()

    async def _type(self, number: int) -> TagType:
        """As the access point has it; it renders nothing for a model that it has no file of."""
        if number not in self._types:
            content = await self._point.tag_type(number)
            if content is None:
                raise PermanentError(
                    f"Access point {self._url} has no file /tagtypes/{number:02X}.json, without which it renders "
                    "nothing: open its web page once with internet access, or put the file there."
                )
            self._types[number] = _read(number, content)
        return self._types[number]

    async def _given_to(self, record: Record, kind: TagType) -> Given:
        """What the tag was last given.

        The hash is of the last transfer, and after a flash of ours of the flash, which leaves the image as it was.
        After a crash it may be of an earlier one: it is saved every five minutes only.
        """
        version = f"{record.hash}{record.updatecount}"
        known = self._given.get(record.mac)
        if known is None or known.version != version:
            content = await self._point.shown(record.mac)
            if content and record.hash[:16] in {payload.digest16(content), _FLASH[:16]}:
                known = Given(version, certain=True, mark=self._mark_of(content, record, kind))
            else:
                known = Given(version, certain=content is None and record.hash == _NO_HASH, mark=None)
            self._given[record.mac] = known
        return known

    def _mark_of(self, content: bytes, record: Record, kind: TagType) -> str | None:
        """By the pixels; where those cannot be read, by what this process uploaded and the tag has taken since."""
        mark = payload.fingerprint_of(content, kind)
        ours = self._uploads.get(record.mac)
        if mark is None and ours and ours.file == record.file and record.updatecount > ours.before:
            return ours.mark
        return mark

    async def poll(self, addresses: Sequence[str]) -> list[Report]:
        """What each was last given, as far as it is certain; transfers that were given up are cleared on the way."""
        await self._list(addresses)
        reports = []
        for address in addresses:
            if record := self._listing.get(normal(address)):
                reports.append(await self._report(address, record))
                await self._sweep(record)
        return reports

    async def _list(self, addresses: Sequence[str]) -> None:
        """Their records; a listing is shared by the questions of the next seconds, and what it lacks is asked for."""
        if time.monotonic() - self._listed_at > self._fresh:
            self._listing = {record.mac: record async for record in self._point.records()}
            self._listed_at = time.monotonic()
        self._spelled |= {normal(address): address for address in addresses}
        for mac in {normal(address) for address in addresses} - self._listing.keys():
            if record := await self._point.record(mac):
                self._listing[mac] = record

    async def _report(self, address: str, record: Record) -> Report:
        """Says nothing of the face while another one is on its way: what the tag has may change at any moment."""
        shows = None
        if not record.isexternal and not record.pending and record.is_rendered and not self._settles(record.mac):
            try:
                shows = (await self._given_to(record, await self._type(record.hw_type))).mark
            except PermanentError:
                shows = None  # its model cannot be read, which whoever pushes to it is told
        return Report(
            address=address,
            at=(record.lastseen if record.lastseen > _CLOCK_SET else int(time.time())) * 1000,
            shows=shows,
            proof=None if shows is None else Proof.DELIVERED,
            battery=_percent(record.battery),
            signal=record.rssi if record.rssi in _SIGNAL else None,
            temperature=record.temperature if record.rssi in _SIGNAL else None,
            touch=_touch(record),
        )

    async def _sweep(self, record: Record) -> None:
        """Clear what the access point gave up but still counts: it would keep the tag awake, and its battery low."""
        if not record.pending:
            self._waiting.pop(record.mac, None)
            return
        now = max(known.lastseen for known in self._listing.values())  # its own clock: some tag has just called
        file, since = self._waiting.get(record.mac, ("", 0))
        if file != record.file:
            self._waiting[record.mac] = record.file, now
        elif now - since > _STALE:
            await self._take_back(record.mac)
            del self._waiting[record.mac]

    async def listen(self) -> AsyncIterator[Report]:
        """What changes, as it changes; silent where an open socket would keep the tags awake (`stopsleep`)."""
        if self._settings.stopsleep:
            await asyncio.Event().wait()
        async for record in hints(self._url):
            if record.mac in self._listing:
                self._listing[record.mac] = record
            yield await self._report(self._spelled.get(record.mac, record.mac), record)

    async def blink(self, address: str, seconds: int) -> None:
        """At its next check-in; a flash is some two seconds."""
        await self._known(normal(address))
        repeats = min(255, max(1, seconds // 2))
        await self._point.flash(normal(address), f"{_FLASH}{repeats:02x}00")

    async def discover(self) -> list[Discovered]:
        found = []
        async for record in self._point.records():
            panel = None if record.isexternal else (await self._type_or_known(record.hw_type)).panel
            if panel is not None:
                found.append(Discovered(record.mac, panel))
        return found

    async def _type_or_known(self, number: int) -> TagType:
        try:
            return await self._type(number)
        except PermanentError:
            return KNOWN.get(number, TagType(0, 0, 0, ""))


def not_as_wanted(settings: Settings) -> dict[str, int]:
    """Setting -> its wanted value, where it has another one."""
    return {name: value for name, value in WANTED.items() if getattr(settings, name) != value}


def normal(address: str) -> str:
    """16 upper-case digits, as the access point names its tags and their files; raises UnknownDisplayError."""
    digits = address.strip().upper()
    if len(digits) not in {12, 16} or not set(digits) <= set("0123456789ABCDEF"):
        raise UnknownDisplayError(f"{address!r} is no tag's address: it has 12 or 16 hexadecimal digits.")
    return digits.rjust(16, "0")


def _read(number: int, content: bytes) -> TagType:
    try:
        return from_file(content)
    except (msgspec.MsgspecError, ValueError) as error:
        if number in KNOWN:
            return KNOWN[number]
        raise PermanentError(f"Tag type {number:02X} cannot be read: {error}.") from error


def _touch(record: Record) -> Touch | None:
    """Why the tag called last, if somebody made it call; the access point keeps that until its next call."""
    if record.lastseen <= _CLOCK_SET:
        return None
    if record.wakeup == _WOKEN_BY_NFC:
        return Touch("nfc", record.lastseen * 1000)
    if record.wakeup in _WOKEN_BY_BUTTONS:
        return Touch("button", record.lastseen * 1000, 1 + _WOKEN_BY_BUTTONS.index(record.wakeup))
    return None


def _percent(millivolts: int) -> int | None:
    if millivolts in {0, _VIRTUAL}:
        return None
    return max(0, min(100, round((millivolts - _EMPTY) * 100 / (_FULL - _EMPTY))))


def _seconds(config: Mapping[str, str], name: str, usual: float) -> float:
    try:
        return max(0.0, float(config.get(name, usual)))
    except ValueError:
        words = f"`{name}` of driver openepaperlink is seconds, such as {usual:g}, not {config[name]!r}."
        raise PermanentError(words) from None
