"""The access point's HTTP endpoints (section 4). What each does wrong, it does wrong on purpose."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from display_drivers.openepaperlink.accesspoint.http import Part, Reply, Request, Reset, Silence
from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.power import RUN
from display_drivers.openepaperlink.accesspoint.records import Record
from display_drivers.openepaperlink.accesspoint.wording import atoi, byte, mac_of

_COMMANDS = {"reboot", "scan", "reset", "deepsleep", "ledflash", "ledflash_long", "ledflash_stop"}
_PATTERN = 12  # bytes of a flash pattern
_LATEST_1970S = 1_600_000_000  # no clock that was set says less
_TEXTS = {"alias", "timezone", "repo", "env"}
_MAX_AGE = {"/current/": 604_800, "/tagtypes/": 300}

Handler = Callable[[Request], Awaitable[Reply]]


def _fields(parts: list[Part]) -> dict[str, str]:
    return {part.name: part.text for part in parts if not part.is_file}


class Endpoints:
    """One request, by its route table."""

    def __init__(self, point: AccessPoint) -> None:
        self._point = point
        self._modern = point.options.profile == "modern"
        self._routes: dict[tuple[str, str], Handler] = {
            ("POST", "/imgupload"): self._imgupload,
            ("GET", "/get_db"): self._get_db,
            ("GET", "/getdata"): self._getdata,
            ("POST", "/save_cfg"): self._save_cfg,
            ("POST", "/tag_cmd"): self._tag_cmd,
            ("GET", "/led_flash"): self._led_flash,
            ("GET", "/get_ap_config"): self._get_ap_config,
            ("POST", "/save_apcfg"): self._save_apcfg,
            ("GET", "/sysinfo"): self._sysinfo,
            ("POST", "/reboot"): self._reboot,
            ("POST", "/set_time"): self._set_time,
            ("GET", "/check_file"): self._check_file,
            ("POST", "/littlefs_put"): self._littlefs_put,
            ("GET", "/backup_db"): self._backup_db,
            ("POST", "/restore_db"): self._restore_db,
            ("GET", "/"): self._front,
        }

    async def answer(self, request: Request) -> Reply:
        handler = self._routes.get((request.method, request.path))
        if handler is not None:
            return await handler(request)
        if request.method in {"GET", "HEAD"}:
            return self._static(request)
        return Reply(status=404)

    def _no_answer(self) -> Reply:
        """A handler that ends without a word (G6)."""
        if self._modern:
            return Reply.text(501, "Handler did not handle the request")
        raise Silence

    # -- images -----------------------------------------------------------------------------------------------------

    async def _imgupload(self, request: Request) -> Reply:
        """Modern firmware answers 200 and nothing else, whatever became of the upload (U4)."""
        fields: dict[str, str] = {}
        verdict: Reply | None = None
        for part in await request.form():
            if part.is_file:
                found = self._take_file(fields, part.data)
                verdict = verdict or found
            else:
                fields[part.name] = part.text
        if self._modern or verdict is None:
            return Reply()
        return verdict

    def _take_file(self, fields: dict[str, str], data: bytes) -> Reply | None:
        """U1 and U2: only the fields before the file count, and the file is kept before its address is looked at."""
        point = self._point
        if point.runstate != RUN:
            return Reply.text(409, "Come back later")
        if "mac" not in fields:
            return Reply.text(400, "parameters incomplete")
        path = f"/temp/{fields['mac']}_{point.unique_ms()}.jpg"
        point.files.write(path, data)
        mac = mac_of(fields["mac"])
        if mac is None:
            return None
        record = point.db.get(mac)
        if record is None:
            return Reply.text(400, "mac not found")
        point.take_upload(record, fields, path)
        return Reply.text(200, "Ok, saved")

    async def _getdata(self, request: Request) -> Reply:
        """What waits in the queue; its version is written backwards here (D1)."""
        record = self._point.db.get(mac_of(request.query.get("mac", "")))
        version = request.query.get("md5")
        try:
            wanted = bytes.fromhex(version)[::-1].hex() if version is not None else ""
        except ValueError:
            wanted = "malformed"
        if record is None or len(wanted) not in {0, 16}:
            return Reply.text(400, "No data available")
        item = self._point.queue.find(record.mac, wanted)
        if item is None:
            return Reply.text(404, "File not found")
        return Reply(body=item.data, kind="application/octet-stream")

    # -- tags -------------------------------------------------------------------------------------------------------

    async def _get_db(self, request: Request) -> Reply:
        if "mac" not in request.query:
            return Reply.json(self._point.db.page(byte(request.query.get("pos", "0"))))
        mac = mac_of(request.query["mac"])
        if mac is None:
            return Reply.json({"error": "malformatted parameter"})
        record = self._point.db.get(mac)
        return Reply.json({"tags": [] if record is None else [record.public()]})

    async def _save_cfg(self, request: Request) -> Reply:
        """Modern firmware says that it saved, whatever it did (C2)."""
        fields = _fields(await request.form())
        record = self._point.db.get(mac_of(fields.get("mac", "")))
        if record is not None:
            self._point.save_config(record, fields)
        elif not self._modern:
            return Reply.text(200, "Error while saving: mac not found")
        return Reply.text(200, "Ok, saved")

    async def _tag_cmd(self, request: Request) -> Reply:
        fields = _fields(await request.form())
        if "mac" not in fields or "cmd" not in fields:
            return Reply.text(500, "param error")
        mac = mac_of(fields["mac"])
        if mac is None:
            return self._no_answer()
        record = self._point.db.get(mac)
        if record is None:
            return Reply.text(400, "Error: mac not found")
        self._command(record, fields["cmd"])
        return Reply.text(200, "Ok, done")

    def _command(self, record: Record, command: str) -> None:
        point = self._point
        if command in _COMMANDS:
            point.enqueue_command(record, command)
            return
        match command:
            case "del":
                point.db.remove(record)
            case "purge":
                point.db.purge(point.time)
            case "clear":
                point.clear(record)
            case "refresh":
                point.refresh(record)

    async def _led_flash(self, request: Request) -> Reply:
        record = self._point.db.get(mac_of(request.query.get("mac", "")))
        if record is None:
            return Reply.text(400, "parameters are missing")
        try:
            pattern = bytes.fromhex(request.query.get("pattern", "00" * _PATTERN))
        except ValueError:
            pattern = b""
        if len(pattern) < _PATTERN:
            return Reply.text(400, "Error: expects 12 hex bytes in pattern")
        self._point.enqueue_command(record, "ledflash", pattern)
        return Reply.text(200, "ok, request transmitted")

    # -- the access point itself ------------------------------------------------------------------------------------

    async def _get_ap_config(self, _: Request) -> Reply:
        point = self._point
        parts = {"C6": "1", "H2": "0", "TLSR": "0", "savespace": "0", "hasFlasher": "0", "hasBLE": "0"}
        config: dict[str, Any] = {**parts, "hasSubGhz": "0", "apstate": str(point.apstate), **point.config}
        ip = self._point.options.host
        about = {"ip": ip, "alias": point.config["alias"], "count": len(point.db.records)}
        point.hub.send(apitem={**about, "channel": point.config["channel"], "version": "0029"})
        return Reply.json(config)

    async def _save_apcfg(self, request: Request) -> Reply:
        fields, point = _fields(await request.form()), self._point
        if "sleeptime1" in fields and "sleeptime2" not in fields:
            point.power.crash()
            raise Reset
        for name in fields.keys() & point.config.keys():
            point.config[name] = fields[name][:31] if name in _TEXTS else byte(fields[name])
        return Reply.text(200, "Ok, saved")

    async def _sysinfo(self, _: Request) -> Reply:
        options = self._point.options
        info: dict[str, Any] = {
            "alias": self._point.config["alias"],
            "env": self._point.config["env"],
            "buildtime": "1780000000",
            "buildversion": options.buildversion,
            "sha": "0" * 40,
            "psramsize": 8_388_608 if options.psram else 0,
            "flashsize": 16_777_216,
            "rollback": True,
            "ap_version": 41,
            "hasC6": 1,
            "hasH2": 0,
            "hasTslr": 0,
            "hasFlasher": 0,
        }
        return Reply.json(info)

    async def _reboot(self, _: Request) -> Reply:
        self._point.power.restart_soon()
        return Reply.text(200, "OK Reboot")

    async def _set_time(self, request: Request) -> Reply:
        fields = _fields(await request.form())
        if "epoch" not in fields:
            return Reply.text(400, "missing 'epoch'")
        if atoi(fields["epoch"]) <= _LATEST_1970S:
            return Reply.text(400, "invalid epoch")
        self._point.set_time(atoi(fields["epoch"]))
        return Reply.text(200, "ok")

    async def _front(self, _: Request) -> Reply:
        words = b"<p>This access point is simulated. It has an API and no pages."
        return Reply(body=words, kind="text/html")

    # -- files ------------------------------------------------------------------------------------------------------

    async def _check_file(self, request: Request) -> Reply:
        if "path" not in request.query:
            return Reply.text(400, "missing path")
        data = self._point.files.read(request.query["path"])
        md5 = "" if data is None else hashlib.md5(data, usedforsecurity=False).hexdigest()
        return Reply.json({"filesize": len(data or b""), "md5": md5})

    async def _littlefs_put(self, request: Request) -> Reply:
        fields: dict[str, str] = {}
        for part in await request.form():
            if part.is_file and "path" in fields:
                self._point.files.write(fields["path"], part.data)
            elif not part.is_file:
                fields[part.name] = part.text
        return Reply()

    async def _backup_db(self, _: Request) -> Reply:
        attachment = {"Content-Disposition": 'attachment; filename="tagDB.json"'}
        return Reply(body=self._point.db.to_file(), kind="application/json", headers=attachment)

    async def _restore_db(self, request: Request) -> Reply:
        for part in await request.form():
            if part.is_file:
                self._point.db.load(part.data)
        return Reply()

    def _static(self, request: Request) -> Reply:
        age = next((age for place, age in _MAX_AGE.items() if request.path.startswith(place)), None)
        data = self._point.files.read(request.path)
        if data is None or age is None:
            return Reply(status=404)
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        headers = {"Cache-Control": f"max-age={age}", "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Reply(status=304, headers=headers)
        kind = "application/json" if request.path.endswith(".json") else "application/octet-stream"
        return Reply(body=data, kind=kind, headers=headers)
