"""What a simulated access point is started with."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Profile = Literal["modern", "legacy"]
"""modern: firmware 2.81 and later; legacy: 2.75 and earlier. They differ in how an upload is answered."""

Switch = Literal[0, 1]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The access point, its settings and the tags around it. Durations are virtual seconds unless the name says else.

    Attributes:
        types: hwTypes given to the tags in turn.
        speed: How many times faster than real time runs; 0: only the control API moves it.
        ver: Firmware version of the tags. The default is below every compression minimum: payloads are predictable.
        lock: 0 adopts every tag, 1 none, 2 only those that say they boot for the first time.
        start: Virtual time at the start, seconds since 1970; None: the real time.
        boot_seconds: How long a restart refuses connections.
        init_seconds: How long after that until uploads are taken.
        max_uploads: Most uploads open at once; the newest connection above that is reset.
        maxsleep: Most minutes that a tag is sent to sleep for.
        stopsleep: 1: no tag is sent to sleep while a WebSocket is open.
    """

    tags: Annotated[int, Meta(ge=0, le=5000)] = 0
    types: tuple[Annotated[int, Meta(ge=0, le=255)], ...] = (0x01,)
    first_mac: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{16}$")] = "0000021000000001"
    ver: int = 26
    speed: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    start: float | None = None
    seed: int = 1
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    control_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    profile: Profile = "modern"
    psram: bool = True
    fs_total: int = 10_000_000
    boot_seconds: Seconds = 8.0
    init_seconds: Seconds = 3.0
    radio_slots: int = 250
    max_uploads: int = 3
    maxsleep: int = 10
    stopsleep: Switch = 1
    preview: Switch = 1
    nightlyreboot: Switch = 1
    lock: Literal[0, 1, 2] = 0

    @property
    def buildversion(self) -> str:
        return "2.91" if self.profile == "modern" else "2.75"


Config = dict[str, int | str]


def initial_config(options: Options) -> Config:
    """The settings that the access point itself keeps, by the names its API gives them."""
    return {
        "channel": 11,
        "subghzchannel": 0,
        "alias": "Simulated AP",
        "led": 255,
        "tft": 255,
        "language": 0,
        "maxsleep": options.maxsleep,
        "stopsleep": options.stopsleep,
        "preview": options.preview,
        "nightlyreboot": options.nightlyreboot,
        "lock": options.lock,
        "wifipower": 34,
        "timezone": "UTC0",
        "sleeptime1": 0,
        "sleeptime2": 0,
        "ble": 0,
        "repo": "",
        "env": "simulated",
        "discovery": 0,
        "showtimestamp": 0,
    }
