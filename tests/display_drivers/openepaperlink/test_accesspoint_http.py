"""The access point's HTTP API over a real socket, in both profiles (G, U, B, D, C, T, L, A and O rules)."""

import asyncio
import contextlib
import hashlib
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from PIL import Image

from display_drivers.openepaperlink.accesspoint.process import Running, serving
from display_drivers.openepaperlink.accesspoint.records import Record
from display_drivers.openepaperlink.accesspoint.settings import Options
from display_drivers.openepaperlink.accesspoint.wording import NEVER, atoi, mac_of
from tests.display_drivers.openepaperlink.conftest import soon

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: no certificates to read
MAC = "0000021000000001"
NOON = 1_800_014_400.0
NOBODY = "00000210000000FF"
KNOWN = {"mac": MAC}


class Bench:
    def __init__(self, running: Running, client: httpx.AsyncClient) -> None:
        self.running, self.client, self.point = running, client, running.point

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)

    async def upload(self, data: bytes = b"any bytes", **fields: str) -> httpx.Response:
        return await self.client.post("/imgupload", data=KNOWN | fields, files={"file": ("x.jpg", data, "image/jpeg")})

    async def multipart(self, *parts: tuple[str, str]) -> httpx.Response:
        """Parts exactly as given: their headers and their content."""
        body = "".join(f"--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n" for head, data in parts)
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        return await self.client.post("/imgupload", content=f"{body}--B--\r\n", headers=headers)

    async def record(self, mac: str = MAC) -> dict:
        return (await self.get(f"/get_db?mac={mac}")).json()["tags"][0]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.client.base_url.host, self.client.base_url.port)

    async def renew(self) -> None:
        """Connections of before a restart are dead, as the client only finds out when it uses one."""
        with contextlib.suppress(httpx.TransportError):
            await self.client.get("/")

    def temp(self) -> list[str]:
        return [name for name in self.point.files.names if name.startswith("/temp/")]


@asynccontextmanager
async def started(**options: object) -> AsyncIterator[Bench]:
    settings = {"tags": 2, "start": NOON} | options
    async with (
        serving(Options(**settings)) as running,
        httpx.AsyncClient(base_url=running.url, timeout=5, verify=PLAIN) as client,
    ):
        yield Bench(running, client)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with started() as ready:
        yield ready


@pytest.fixture
async def legacy() -> AsyncIterator[Bench]:
    async with started(profile="legacy") as ready:
        yield ready


def jpeg(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (296, 128), colour).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


# -- uploads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"mac": NOBODY}, {"mac": "12345"}, {"mac": "0000"}])
async def test_an_upload_of_modern_firmware_is_answered_200_and_nothing_whatever_it_was(bench, fields):
    answer = await bench.upload(**fields)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_an_upload_to_modern_firmware_that_does_not_run_is_thrown_away_with_200(bench):
    bench.point.runstate = 3
    answer = await bench.upload()
    assert (answer.status_code, answer.content, bench.temp()) == (200, b"", [])
    assert (await bench.record())["contentMode"] == 0


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [({}, 200, "Ok, saved"), ({"mac": NOBODY}, 400, "mac not found"), ({"mac": "12345"}, 200, "")],
)
async def test_legacy_firmware_says_what_became_of_an_upload(legacy, fields, status, words):
    answer = await legacy.upload(**fields)
    assert (answer.status_code, answer.text) == (status, words)


async def test_legacy_firmware_that_does_not_run_says_409(legacy):
    legacy.point.runstate = 1
    answer = await legacy.upload()
    assert (answer.status_code, answer.text) == (409, "Come back later")


async def test_fields_behind_the_file_come_too_late(legacy):
    late = await legacy.multipart(('name="file"; filename="a"', "x"), ('name="mac"', MAC))
    assert (late.status_code, late.text) == (400, "parameters incomplete")
    half = await legacy.multipart(('name="mac"', MAC), ('name="file"; filename="a"', "x"), ('name="contentmode"', "25"))
    assert (half.text, (await legacy.record())["contentMode"]) == ("Ok, saved", 24)


async def test_a_text_field_with_a_content_type_is_taken_for_a_file(legacy):
    answer = await legacy.multipart(('name="mac"\r\nContent-Type: text/plain', MAC), ('name="file"; filename="a"', "x"))
    assert answer.text == "parameters incomplete"


async def test_an_upload_sets_the_record_and_looks_at_nothing(bench):
    await bench.upload(b"text", alias="milk", rotate="2", lut="1", ttl="5x", contentmode="25", dither="0")
    record, (path,) = await bench.record(), bench.temp()
    assert path.startswith(f"/temp/{MAC}_")
    assert (record["alias"], record["rotate"], record["lut"], record["invert"]) == ("milk", 2, 1, 0)
    assert (record["contentMode"], record["nextupdate"]) == (25, 0)
    assert list(msgspec.json.decode(record["modecfgjson"]).items()) == [
        ("filename", path),
        ("timetolive", "5"),
        ("dither", "0"),
        ("delete", "1"),
        ("preload", "0"),
        ("preload_lut", "0"),
        ("preload_type", "0"),
    ]


async def test_defaults_of_an_upload_are_dithering_mode_24_and_no_preload(bench):
    await bench.upload()
    assert (await bench.record())["contentMode"] == 24
    assert '"dither":"1"' in (await bench.record())["modecfgjson"]
    await bench.upload(preloadtype="3", preloadlut="1")
    mode = (await bench.record())["modecfgjson"]
    assert mode.endswith('"preload":"1","preload_lut":"1","preload_type":"3"}')


async def test_addresses_of_12_digits_in_either_case_are_the_same_tag_and_paths_are_as_sent(bench):
    await bench.upload(mac="021000000001")
    assert bench.temp()[0].startswith("/temp/021000000001_")
    assert (await bench.record())["contentMode"] == 24
    assert (await bench.get("/get_db?mac=0210000000ff")).json() == {"tags": []}
    assert [mac_of(text) for text in ("aabbccddeeff", "0000AABBCCDDEEFF", "AA", "G" * 12)] == [
        "0000AABBCCDDEEFF",
        "0000AABBCCDDEEFF",
        None,
        None,
    ]


async def test_two_uploads_in_the_same_instant_have_files_of_their_own(bench):
    await bench.upload()
    await bench.upload()
    assert len(bench.temp()) == 2


async def test_a_full_file_system_cuts_the_image_off_without_a_word(legacy):
    legacy.point.files.leave_free(4)
    assert (await legacy.upload()).text == "Ok, saved"
    assert legacy.point.files.read(legacy.temp()[0]) == b"any "


async def test_an_upload_without_a_file_is_answered_200_and_does_nothing(legacy):
    answer = await legacy.post("/imgupload", mac=MAC)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await legacy.record())["contentMode"] == 0


async def test_more_uploads_at_once_than_it_bears_reset_the_newest(bench):
    bench.running.frontage.faults.max_uploads = 1
    reader, writer = await bench.connect()
    writer.write(b"POST /imgupload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    await soon(lambda: bool(bench.running.frontage.traffic.open_uploads))
    with pytest.raises(httpx.ReadError):
        await bench.upload()
    assert bench.running.frontage.traffic.overlapping == 1
    writer.write(b"halves")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


# -- listing ---------------------------------------------------------------------------------------------------------


async def test_a_listing_comes_in_pages_of_about_5000_bytes():
    async with started(tags=30) as bench:
        macs, pos, pages = [], 0, 0
        while pos is not None:
            answer = await bench.get(f"/get_db?pos={pos}")
            page = answer.json()
            macs += [tag["mac"] for tag in page["tags"]]
            whole = len(msgspec.json.encode({"tags": page["tags"]}))
            less = len(msgspec.json.encode({"tags": page["tags"][:-1]}))
            pos, pages = page.get("continu"), pages + 1
            assert less <= 5000 < whole or pos is None
        assert answer.headers["content-type"] == "application/json"
        assert macs == [f"{0x21000000001 + number:016X}" for number in range(30)]
        assert pages == 3


async def test_300_tags_wrap_at_256_for_ever():
    async with started(tags=300) as bench:
        pos, asked = 0, []
        while len(asked) < 40:
            asked.append(pos)
            pos = (await bench.get(f"/get_db?pos={pos}")).json()["continu"]
        assert (await bench.get("/get_db?pos=256")).json() == (await bench.get("/get_db")).json()
        assert max(asked) > 255
        last = f"{0x21000000001 + 299:016X}"
        assert (await bench.record(last))["mac"] == last


async def test_a_page_that_the_last_record_ends_is_followed_by_an_empty_one(bench):
    bench.point.db.get(f"{0x21000000002:016X}").alias = "x" * 5000
    page = (await bench.get("/get_db")).json()
    assert (len(page["tags"]), page["continu"]) == (2, 2)
    assert (await bench.get("/get_db?pos=2")).json() == {"tags": []}


async def test_one_tag_can_be_asked_for_by_any_spelling(bench):
    assert (await bench.record("021000000001"))["mac"] == MAC
    answer = await bench.get("/get_db?mac=12")
    assert (answer.status_code, answer.json()) == (200, {"error": "malformatted parameter"})


async def test_a_saved_copy_takes_a_place_in_the_listing_and_is_not_in_it(bench):
    await bench.post("/save_cfg", mac=MAC, contentmode="17")
    assert len(bench.point.db.records) == 3
    assert [tag["mac"] for tag in (await bench.get("/get_db")).json()["tags"]] == [MAC, f"{0x21000000002:016X}"]
    assert (await bench.get("/get_db?pos=2")).json() == {"tags": []}


async def test_a_record_has_the_names_of_the_api_in_order(bench):
    names = "mac hash lastseen nextupdate nextcheckin pending alias contentMode LQI RSSI temperature batteryMv hwType "
    names += "wakeupReason capabilities modecfgjson isexternal apip rotate lut invert updatecount updatelast ch ver"
    assert list(await bench.record()) == names.split()


async def test_what_waits_for_a_tag_can_be_fetched_by_its_version_written_backwards(bench):
    await bench.upload(jpeg(), dither="0")
    bench.point.clock.advance(2)
    (item,) = bench.point.queue.items
    backwards = bytes.fromhex(item.data_ver)[::-1].hex().upper()
    answer = await bench.get(f"/getdata?mac={MAC}&md5={backwards}")
    assert (answer.content, answer.headers["content-type"]) == (item.data, "application/octet-stream")
    for query, status in ((f"mac={MAC}&md5={item.data_ver}", 404), (f"mac={MAC}", 404), ("mac=1", 400)):
        assert (await bench.get(f"/getdata?{query}")).status_code == status


# -- configuration and commands --------------------------------------------------------------------------------------


async def test_modern_firmware_says_saved_to_a_configuration_of_anybody(bench):
    for mac in (MAC, NOBODY, "12"):
        assert (await bench.post("/save_cfg", mac=mac, alias="milk")).text == "Ok, saved"
    record = await bench.record()
    assert (record["alias"], record["nextupdate"]) == ("milk", 0)


async def test_legacy_firmware_says_that_it_did_not_find_the_tag(legacy):
    answer = await legacy.post("/save_cfg", mac=NOBODY)
    assert (answer.status_code, answer.text) == (200, "Error while saving: mac not found")


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"mac": MAC}, 500, "param error"),
        ({"cmd": "clear"}, 500, "param error"),
        ({"mac": NOBODY, "cmd": "clear"}, 400, "Error: mac not found"),
        ({"mac": MAC, "cmd": "dance"}, 200, "Ok, done"),
    ],
)
async def test_commands_are_answered_by_what_they_name(bench, fields, status, words):
    answer = await bench.post("/tag_cmd", **fields)
    assert (answer.status_code, answer.text) == (status, words)


async def test_a_command_to_a_malformed_address_is_501_on_modern_and_silence_on_legacy_firmware(bench, legacy):
    assert (await bench.post("/tag_cmd", mac="12", cmd="clear")).status_code == 501
    with pytest.raises(httpx.ReadTimeout):
        await legacy.client.post("/tag_cmd", data={"mac": "12", "cmd": "clear"}, timeout=0.05)


async def test_commands_in_the_query_of_a_post_are_not_read(bench):
    assert (await bench.client.post(f"/tag_cmd?mac={MAC}&cmd=del")).status_code == 500


async def test_deleting_removes_one_and_purging_removes_every_tag_that_is_late(bench):
    other = f"{0x21000000002:016X}"
    await bench.post("/tag_cmd", mac=MAC, cmd="del")
    assert (await bench.get(f"/get_db?mac={MAC}")).json() == {"tags": []}
    bench.point.db.add(Record(mac=MAC, lastseen=int(NOON), nextcheckin=NEVER))
    bench.point.db.add(Record(mac=NOBODY, lastseen=int(NOON), nextcheckin=int(NOON) - 601))
    await bench.post("/tag_cmd", mac=other, cmd="purge")
    assert [record.mac for record in bench.point.db.records] == [other]


async def test_clear_empties_the_queue_and_not_the_radio(bench):
    await bench.upload(jpeg(), dither="0")
    bench.point.clock.advance(2)
    assert (await bench.record())["pending"] == 1
    await bench.post("/tag_cmd", mac=MAC, cmd="clear")
    assert ((await bench.record())["pending"], bench.point.queue.items) == (0, [])
    assert MAC in bench.point.air.slots


async def test_refresh_forgets_the_hash(bench):
    bench.point.db.get(MAC).digest = "ab" * 16
    await bench.post("/tag_cmd", mac=MAC, cmd="refresh")
    assert ((await bench.record())["hash"], (await bench.record())["nextupdate"]) == ("0" * 32, 0)


@pytest.mark.parametrize("command", ["reboot", "scan", "reset", "deepsleep", "ledflash", "ledflash_stop"])
async def test_commands_for_the_tag_are_queued_like_images(bench, command):
    await bench.post("/tag_cmd", mac=MAC, cmd=command)
    (item,) = bench.point.queue.items
    assert (item.data_type, item.data_ver, item.attempts) == (0xAF, "0" * 16, 20)
    assert (await bench.record())["pending"] == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        (f"mac={MAC}&pattern={'11' * 12}", 200, "ok, request transmitted"),
        (f"mac={MAC}", 200, "ok, request transmitted"),
        (f"mac={MAC}&pattern=1122", 400, "Error: expects 12 hex bytes in pattern"),
        (f"mac={NOBODY}", 400, "parameters are missing"),
        ("", 400, "parameters are missing"),
    ],
)
async def test_a_flash_wants_a_known_tag_and_twelve_bytes(bench, query, status, words):
    answer = await bench.get(f"/led_flash?{query}")
    assert (answer.status_code, answer.text) == (status, words)
    assert len(bench.point.queue.items) == (status == 200)


# -- the access point itself -----------------------------------------------------------------------------------------


async def test_settings_are_read_and_written_in_eight_bits(bench):
    config = (await bench.get("/get_ap_config")).json()
    assert (config["apstate"], config["maxsleep"], config["stopsleep"]) == ("1", 10, 1)
    answer = await bench.post("/save_apcfg", stopsleep="0", maxsleep="261", alias="a" * 40, unknown="1")
    assert answer.text == "Ok, saved"
    config = (await bench.get("/get_ap_config")).json()
    assert (config["stopsleep"], config["maxsleep"], config["alias"]) == (0, 5, "a" * 31)


async def test_half_of_the_sleeping_hours_crashes_it(bench):
    with pytest.raises(httpx.ReadError):
        await bench.post("/save_apcfg", sleeptime1="22")
    assert (bench.point.power.reboots, bench.point.runstate) == (1, 0)


@pytest.mark.parametrize(("profile", "version"), [("modern", "2.91"), ("legacy", "2.75")])
async def test_its_version_is_told(profile, version):
    async with started(profile=profile) as bench:
        assert (await bench.get("/sysinfo")).json()["buildversion"] == version


async def test_a_restart_over_http_is_answered_first_and_then_refuses_connections(bench):
    assert (await bench.post("/reboot")).text == "OK Reboot"
    bench.point.clock.advance(1)
    with pytest.raises(ConnectionRefusedError):
        await bench.connect()
    bench.point.clock.advance(8)
    await bench.renew()
    assert (await bench.get("/get_db")).json() == {"tags": []}
    bench.point.clock.advance(3)
    assert len((await bench.get("/get_db")).json()["tags"]) == 2


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"epoch": "1900000000"}, 200, "ok"),
        ({"epoch": "1600000000"}, 400, "invalid epoch"),
        ({}, 400, "missing 'epoch'"),
    ],
)
async def test_time_can_be_set_to_this_century(bench, fields, status, words):
    answer = await bench.post("/set_time", **fields)
    assert (answer.status_code, answer.text) == (status, words)
    assert bench.point.time == (1_900_000_000 if status == 200 else int(NOON))


async def test_files_can_be_put_checked_and_fetched(bench):
    files = {"file": ("7F.json", b'{"width":1}', "application/json")}
    await bench.client.post("/littlefs_put", data={"path": "/tagtypes/7F.json"}, files=files)
    checked = (await bench.get("/check_file?path=/tagtypes/7F.json")).json()
    md5 = hashlib.md5(b'{"width":1}', usedforsecurity=False).hexdigest()
    assert checked == {"filesize": 11, "md5": md5}
    assert (await bench.get("/check_file")).status_code == 400
    fetched = await bench.get("/tagtypes/7F.json")
    assert (fetched.json(), fetched.headers["cache-control"]) == ({"width": 1}, "max-age=300")


async def test_static_files_are_cached_for_long_and_their_names_are_case_sensitive(bench):
    bench.point.files.write(f"/current/{MAC}.raw", b"planes")
    path = f"/current/{MAC}.raw"
    first = await bench.get(path)
    assert (first.content, first.headers["cache-control"]) == (b"planes", "max-age=604800")
    again = await bench.get(path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await bench.get("/current/00000210000000ff.raw")).status_code == 404
    assert (await bench.get("/temp/nothing")).status_code == 404


async def test_a_backup_can_be_restored(bench):
    bench.point.db.get(MAC).alias = "milk"
    backup = await bench.get("/backup_db")
    assert [row[0]["mac"] for row in backup.json()] == [MAC, f"{0x21000000002:016X}"]
    assert "attachment" in backup.headers["content-disposition"]
    bench.point.db.clear()
    await bench.client.post("/restore_db", files={"file": ("db.json", backup.content, "application/json")})
    assert (await bench.record())["alias"] == "milk"


async def test_every_answer_may_be_read_by_any_page_and_unknown_paths_are_404(bench):
    for answer in (await bench.get("/nothing"), await bench.get("/sysinfo"), await bench.upload()):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "content-type"
    unknown = await bench.get("/nothing")
    assert (unknown.status_code, unknown.content) == (404, b"")
    assert (await bench.get("/")).headers["content-type"] == "text/html"


def test_numbers_are_read_as_far_as_they_go():
    assert [atoi(text) for text in ("12", "12abc", "abc", "", " 7", "-3")] == [12, 12, 0, 0, 7, -3]
