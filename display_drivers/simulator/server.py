"""The gateway protocol in front of a simulated store; each gateway at `/gateways/{name}`."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import msgspec

from display_drivers.gateway import wire
from display_drivers.simulator.display import Display
from display_drivers.simulator.gateway import Gateway
from display_drivers.simulator.http import HangUp, Refusal, Reply, Request
from display_drivers.simulator.messages import Traffic
from display_drivers.simulator.store import VirtualStore

_HEARTBEAT = 10.0
Lines = asyncio.Queue[bytes | None]
"""What a listener is still to be sent; None ends its stream."""

_encode = msgspec.json.Encoder().encode


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


class Frontage:
    """Runs the store by the clock of the wall, one timer ahead, and answers for its gateways."""

    def __init__(self, store: VirtualStore, clock: Callable[[], int] = wall_clock) -> None:
        self.store = store
        self.traffic: dict[str, Traffic] = {}
        self._clock = clock
        self._latest = 0
        self._timer: asyncio.TimerHandle | None = None
        self._listeners: dict[str, set[Lines]] = {}
        self._on_air: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._stopping = asyncio.Event()

    def now(self) -> int:
        """Never goes back, whatever the machine's clock does."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def run_due(self) -> None:
        """Call after whatever may have given the store something to do."""
        now = self.now()
        reports = self.store.advance(now)
        for name, listeners in self._listeners.items():
            if lines := b"".join(_encode(report) + b"\n" for of, report in reports if of == name):
                for listener in listeners:
                    listener.put_nowait(lines)
        self._set_timer(self.store.timeline.next_due(), now)

    def _set_timer(self, due: int | None, now: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if due is None:
            self._timer = None
            self._idle.set()
        else:
            self._idle.clear()
            self._timer = asyncio.get_running_loop().call_later(max(0, due - now) / 1000, self.run_due)

    async def settled(self, seconds: float) -> bool:
        """Waits until nothing more happens by itself; whether that came within `seconds`."""
        self.run_due()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def stop(self) -> None:
        """Lets go of whoever is waiting here, so that the server can finish."""
        self._stopping.set()
        for name in self.store.gateways:
            self.disconnect(name)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.store.close()

    def disconnect(self, name: str) -> None:
        """Ends the gateway's event streams."""
        for listener in self._listeners.get(name, ()):
            listener.put_nowait(None)

    def traffic_of(self, name: str) -> Traffic:
        return self.traffic.setdefault(name, Traffic())

    async def answer(self, name: str, request: Request) -> Reply:  # noqa: PLR0911 - the route table
        """One request to a gateway, by the route table of the protocol."""
        gateway = self.store.gateways.get(name)
        if gateway is None:
            raise Refusal(404, "notFound", f"There is no gateway {name} here.")
        await self._reached(gateway, request)
        request.demand(self.store.options.secret)
        match request.method, request.parts[2:]:
            case "GET", ["info"]:
                return self._info(gateway)
            case "POST", ["updates"]:
                return await self._push(gateway, await request.decoded(wire.Push))
            case "POST", ["reports"]:
                return self._poll(gateway, await request.decoded(wire.Poll))
            case "GET", ["events"]:
                return self._events(gateway, request)
            case "POST", ["blink"]:
                return self._blink(gateway, await request.decoded(wire.Blink))
            case "GET", ["displays"]:
                return _displays(gateway)
            case "GET", ["displays", address, "glass"]:
                return _glass(gateway, address)
        raise Refusal(404, "notFound", f"The gateway protocol has no {request.method} here.")

    async def _reached(self, gateway: Gateway, request: Request) -> None:
        match gateway.behaviour.reach:
            case "closed":
                raise HangUp
            case "unavailable":
                raise Refusal(503, "unavailable", f"Gateway {gateway.name} is starting.", retry_after=1)
            case "silent":
                await self._gone_or_stopping(request)
                raise HangUp
        version = request.header(wire.VERSION_HEADER.encode()) or str(wire.VERSION)
        if version != str(wire.VERSION):
            raise Refusal(400, "unsupportedProtocol", f"This gateway speaks version {wire.VERSION}, not {version}.")

    async def _gone_or_stopping(self, request: Request) -> None:
        waits = [asyncio.ensure_future(wait) for wait in (request.gone(), self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _info(self, gateway: Gateway) -> wire.Info:
        own = gateway.behaviour
        return wire.Info(
            protocols=[wire.VERSION],
            name=gateway.name,
            takes=own.takes,
            proof=own.proof,
            max_batch=own.max_batch,
            max_in_flight=own.max_in_flight,
            send_timeout=own.send_timeout,
            reports_within=gateway.reports_within(),
            time=self.now(),
            max_displays=own.max_displays,
        )

    async def _push(self, gateway: Gateway, push: wire.Push) -> wire.PushAnswer:
        _within(gateway, len(push.updates), "updates")
        addresses = [item.address for item in push.updates]
        traffic = self.traffic_of(gateway.name)
        self._enter(traffic, addresses)
        try:
            if traffic.in_flight > gateway.behaviour.max_in_flight:
                raise Refusal(429, "busy", f"Gateway {gateway.name} takes no more pushes at once.", retry_after=1)
            if delay := self.store.timeline.milliseconds(gateway.behaviour.answer):
                await asyncio.sleep(delay / 1000)
            return self._applied(gateway, push, traffic)
        finally:
            traffic.in_flight -= 1
            self._on_air.subtract(addresses)
            self._on_air += Counter()  # drops the zeros

    def _enter(self, traffic: Traffic, addresses: list[str]) -> None:
        traffic.in_flight += 1
        traffic.max_in_flight = max(traffic.max_in_flight, traffic.in_flight)
        self._on_air.update(addresses)
        most = max((self._on_air[address] for address in addresses), default=0)
        traffic.max_in_flight_per_display = max(traffic.max_in_flight_per_display, most)

    def _applied(self, gateway: Gateway, push: wire.Push, traffic: Traffic) -> wire.PushAnswer:
        if gateway.behaviour.reach == "closed":
            raise HangUp  # it went away while the request was on its way
        self.run_due()
        outcomes = gateway.push(push.updates, self.now())
        self.run_due()
        if gateway.chance(gateway.behaviour.lost_answers):
            traffic.answers_lost += 1
            raise HangUp
        return wire.PushAnswer(outcomes)

    def _poll(self, gateway: Gateway, poll: wire.Poll) -> wire.PollAnswer:
        _within(gateway, len(poll.addresses), "addresses")
        self.run_due()
        return wire.PollAnswer(gateway.poll(poll.addresses, self.now()))

    async def _events(self, gateway: Gateway, request: Request) -> AsyncGenerator[bytes, None]:
        lines: Lines = asyncio.Queue()
        traffic = self.traffic_of(gateway.name)
        leaving = asyncio.ensure_future(request.gone())
        leaving.add_done_callback(lambda _: lines.put_nowait(None))
        self._listeners.setdefault(gateway.name, set()).add(lines)
        traffic.listeners += 1
        try:
            yield b"\n"
            async for line in _heard(lines):
                yield line
        finally:
            leaving.cancel()
            traffic.listeners -= 1
            self._listeners[gateway.name].discard(lines)

    def _blink(self, gateway: Gateway, blink: wire.Blink) -> wire.Message:
        _known(gateway, blink.address).blinks += 1
        return wire.Message()


async def _heard(lines: Lines) -> AsyncIterator[bytes]:
    """Lines as they come and an empty one when there are none, until the stream is ended."""
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT):
                line = await lines.get()
        except TimeoutError:
            line = b"\n"
        if line is None:
            return
        yield line


def _within(gateway: Gateway, count: int, what: str) -> None:
    limit = gateway.behaviour.max_batch
    if count > limit:
        raise Refusal(413, "tooLarge", f"Gateway {gateway.name} takes {limit} {what} in one request, not {count}.")


def _known(gateway: Gateway, address: str) -> Display:
    display = gateway.displays.get(address)
    if display is None:
        raise Refusal(404, "unknownDisplay", f"Gateway {gateway.name} knows no display {address}.")
    return display


def _displays(gateway: Gateway) -> wire.Displays:
    displays = gateway.displays.values()
    return wire.Displays([wire.KnownDisplay(display.address, wire.Screen.of(display.panel)) for display in displays])


def _glass(gateway: Gateway, address: str) -> wire.Glass:
    display = _known(gateway, address)
    screen, glass = wire.Screen.of(display.panel), display.glass
    if glass is None:
        return wire.Glass(screen)
    picture = glass.picture
    data = None if picture.data is None else msgspec.json.decode(picture.data, type=dict[str, Any])
    return wire.Glass(screen, glass.token, picture.frame, data)
