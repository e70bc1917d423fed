"""What a test can make go wrong (section 9), by name."""

import io
from collections.abc import Callable
from typing import Any

import msgspec
from PIL import Image

from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.tags import Tag
from display_drivers.openepaperlink.accesspoint.tagtypes import INKS, type_path
from display_drivers.openepaperlink.accesspoint.wording import mac_of


class UnknownFaultError(ValueError):
    """No such fault, or not with such a value; says which."""


class _Replacement(msgspec.Struct, rename="camel"):
    mac: str
    hw_type: int


class _ForeignUpload(msgspec.Struct):
    mac: str
    colour: str


class _Move(msgspec.Struct):
    mac: str
    apip: str


class Faults:
    """The faults that wait for a request, and the means to cause all others at once."""

    def __init__(self, point: AccessPoint) -> None:
        self._point = point
        self.reset_after_body = 0
        self.reset_before_answer = 0
        self.truncate = 0
        self.slow = 0.0
        self.max_uploads = point.options.max_uploads
        power = point.power
        self._kinds: dict[str, tuple[Any, Callable[[Any], object]]] = {
            "refuse": (float, power.refuse),
            "reset_after_body": (int, self._setter("reset_after_body")),
            "reset_before_answer": (int, self._setter("reset_before_answer")),
            "truncate": (int, self._setter("truncate")),
            "slow": (float, self._setter("slow")),
            "max_uploads": (int, self._setter("max_uploads")),
            "crash": (bool, lambda on: power.crash() if on else None),
            "reboot": (bool, lambda on: power.restart_now() if on else None),
            "drop_frames": (float, lambda percent: setattr(point.hub, "drop", percent)),
            "close_sockets": (bool, lambda on: point.hub.close_all() if on else None),
            "fs_free": (int | None, point.files.leave_free),
            "absent": (list[str], self._absent),
            "present": (list[str], self._present),
            "never_shows": (list[str], self._never_shows),
            "replace": (_Replacement, self._replace),
            "foreign_upload": (_ForeignUpload, self._foreign_upload),
            "moved": (_Move, self._moved),
            "missing_type": (str, self._missing_type),
            "clock": (int, point.forget_time),
            "apstate": (int, lambda state: setattr(point, "apstate", state)),
            "lose_db": (bool, lambda on: point.db.clear() if on else None),
        }

    def apply(self, wanted: dict[str, Any]) -> None:
        """All or none: every name and value is checked before the first has an effect."""
        calls = []
        for name, value in wanted.items():
            if name not in self._kinds:
                raise UnknownFaultError(f"There is no fault {name!r}; there are {', '.join(sorted(self._kinds))}.")
            kind, cause = self._kinds[name]
            try:
                calls.append((cause, msgspec.convert(value, kind)))
            except msgspec.ValidationError as error:
                raise UnknownFaultError(f"Fault {name!r}: {error}.") from error
        for cause, value in calls:
            cause(value)

    def use(self, name: str) -> bool:
        """Whether one of the faults that are counted is due now; uses it up."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def _setter(self, name: str) -> Callable[[Any], None]:
        return lambda value: setattr(self, name, value)

    def _tag(self, mac: str) -> Tag:
        tag = self._point.air.tags.get(mac_of(mac) or "")
        if tag is None:
            raise UnknownFaultError(f"There is no tag {mac} here.")
        return tag

    def _absent(self, macs: list[str]) -> None:
        for tag in [self._tag(mac) for mac in macs]:
            tag.absent = True

    def _present(self, macs: list[str]) -> None:
        """Here again, and whole."""
        for tag in [self._tag(mac) for mac in macs]:
            tag.absent = tag.never_shows = False
            self._point.air.wake_in(tag, self._point.random.uniform(0.0, tag.check_in))

    def _never_shows(self, macs: list[str]) -> None:
        for tag in [self._tag(mac) for mac in macs]:
            tag.never_shows = True

    def _replace(self, new: _Replacement) -> None:
        tag = self._tag(new.mac)
        tag.replace(new.hw_type)
        tag.next_long = 0.0
        self._point.air.wake_in(tag, self._point.random.uniform(0.0, tag.check_in))

    def _foreign_upload(self, upload: _ForeignUpload) -> None:
        """Somebody else's image, straight past HTTP."""
        tag, point = self._tag(upload.mac), self._point
        record = point.db.get(tag.mac)
        if upload.colour not in INKS or record is None or tag.type is None:
            raise UnknownFaultError(f"An upload in {upload.colour!r} to {upload.mac} cannot be: colours are K W R Y.")
        jpeg = io.BytesIO()
        Image.new("RGB", (tag.type.width, tag.type.height), INKS[upload.colour]).save(jpeg, "JPEG", quality=95)
        path = f"/temp/{tag.mac}_{point.unique_ms()}.jpg"
        point.files.write(path, jpeg.getvalue())
        point.take_upload(record, {"dither": "0"}, path)

    def _moved(self, move: _Move) -> None:
        record = self._point.db.get(self._tag(move.mac).mac)
        if record is None:
            raise UnknownFaultError(f"The access point does not know {move.mac}.")
        self._point.move_away(record, move.apip)

    def _missing_type(self, name: str) -> None:
        try:
            self._point.files.remove(type_path(int(name, 16)))
        except ValueError as error:
            raise UnknownFaultError(f"A tag type is named in hexadecimal, not {name!r}.") from error
