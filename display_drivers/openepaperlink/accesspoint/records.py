"""What the access point knows of its tags: records in order, one queue for all, and the radio's slots."""

from typing import Any

import msgspec

from display_drivers.openepaperlink.accesspoint.wording import NEVER

_PAGE = 5000  # bytes of JSON after which a page ends (B2)
NO_HASH = "0" * 32


class Record(msgspec.Struct, kw_only=True):
    """One tag; the encoded names and their order are those of the API. `version` 1 is a saved copy (C1)."""

    mac: str
    digest: str = msgspec.field(default=NO_HASH, name="hash")
    lastseen: int = 0
    nextupdate: int = 0
    nextcheckin: int = 0
    pending: int = 0
    alias: str = ""
    content_mode: int = msgspec.field(default=0, name="contentMode")
    lqi: int = msgspec.field(default=0, name="LQI")
    rssi: int = msgspec.field(default=0, name="RSSI")
    temperature: int = 0
    battery_mv: int = msgspec.field(default=0, name="batteryMv")
    hw_type: int = msgspec.field(default=0, name="hwType")
    wakeup_reason: int = msgspec.field(default=0, name="wakeupReason")
    capabilities: int = 0
    modecfgjson: str = ""
    isexternal: bool = False
    apip: str = ""
    rotate: int = 0
    lut: int = 0
    invert: int = 0
    updatecount: int = 0
    updatelast: int = 0
    ch: int = 0
    ver: int = 0
    version: int = 0
    pending_idle: int = 0

    def public(self) -> dict[str, Any]:
        """As the API tells it."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        del fields["version"], fields["pending_idle"]
        return fields


class Database:
    """The records. The order of insertion is what pages are cut from."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._by_mac: dict[str, Record] = {}

    def get(self, mac: str | None) -> Record | None:
        return self._by_mac.get(mac) if mac else None

    def add(self, record: Record) -> Record:
        self.records.append(record)
        if record.version == 0:
            self._by_mac[record.mac] = record
        return record

    def remove(self, record: Record) -> None:
        self.records = [each for each in self.records if each is not record]
        if self._by_mac.get(record.mac) is record:
            del self._by_mac[record.mac]

    def clear(self) -> None:
        self.records.clear()
        self._by_mac.clear()

    def save_copy(self, record: Record) -> None:
        """Keeps the record as it is, for the time after a one-off mode."""
        copy = msgspec.structs.replace(record, version=1)
        self.records = [each for each in self.records if each.version == 0 or each.mac != record.mac]
        self.records.append(copy)

    def restore_copy(self, record: Record) -> Record | None:
        copies = [each for each in self.records if each.version == 1 and each.mac == record.mac]
        if not copies:
            return None
        self.remove(record)
        copies[0].version = 0
        self._by_mac[record.mac] = copies[0]
        return copies[0]

    def purge(self, now: int) -> None:
        """Every tag in deep sleep, unseen for a day or ten minutes overdue (T2)."""
        for record in list(self.records):
            overdue = now > record.nextcheckin + 600
            if record.nextcheckin == NEVER or record.lastseen < now - 86400 or overdue:
                self.remove(record)

    def page(self, start: int) -> dict[str, Any]:
        """One page of the listing; `continu` says from where the next one starts, even if that is the end (B2, B3)."""
        tags: list[dict[str, Any]] = []
        size = len('{"tags":[]}')
        for index, record in enumerate(self.records[start:], start):
            if record.version != 0:
                continue
            tags.append(record.public())
            size += len(msgspec.json.encode(tags[-1])) + (len(tags) > 1)
            if size > _PAGE:
                return {"tags": tags, "continu": index + 1}
        return {"tags": tags}

    def to_file(self) -> bytes:
        """As kept in the file system and given out as a backup (O4)."""
        return msgspec.json.encode([[record.public()] for record in self.records if record.version == 0])

    def load(self, data: bytes) -> bool:
        """Whether the file could be read; what could not leaves the database as it was."""
        try:
            rows = msgspec.json.decode(data, type=list[list[Record]])
        except msgspec.DecodeError:
            return False
        self.clear()
        for row in rows:
            self.add(row[0])
        return True


class Item(msgspec.Struct, kw_only=True):
    """Something queued for a tag; `data_ver` in hex."""

    mac: str
    data_type: int
    data_ver: str
    size: int = 0
    next_check_in: float = 0.0
    attempts: int = 20
    filename: str = ""
    data: bytes = b""
    argument: int = 0


class Slot(msgspec.Struct, kw_only=True):
    """What the radio tells a tag at its next check-in; `next_check_in` in seconds."""

    data_type: int
    data_ver: str
    size: int
    next_check_in: float
    attempts_left: int
    argument: int = 0


class Queue:
    """One list for all tags, first in first out for each."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def of(self, mac: str) -> list[Item]:
        return [item for item in self.items if item.mac == mac]

    def find(self, mac: str, data_ver: str) -> Item | None:
        return next((item for item in self.of(mac) if item.data_ver == data_ver), None)

    def pop(self, mac: str) -> Item | None:
        first = next(iter(self.of(mac)), None)
        if first is not None:
            self.items = [item for item in self.items if item is not first]
        return first

    def drop(self, mac: str) -> None:
        self.items = [item for item in self.items if item.mac != mac]
