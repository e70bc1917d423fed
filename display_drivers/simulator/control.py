"""The control API, at `/control`: what a test or a demonstration does to the simulated store, and sees of it.

No part of the gateway protocol, and nothing that a driver uses: it looks at the glass itself.
"""

from typing import Any

import msgspec

from display_drivers.gateway.wire import Screen, Touched
from display_drivers.simulator.display import Display
from display_drivers.simulator.gateway import Gateway
from display_drivers.simulator.http import Refusal, Reply, Request
from display_drivers.simulator.messages import (
    Addresses,
    DisplayChange,
    GatewayState,
    GatewayStats,
    NewDisplays,
    NewGateway,
    Overview,
    Press,
    Seen,
    SeenGlass,
    Settled,
    Stats,
    Violation,
)
from display_drivers.simulator.server import Frontage
from display_drivers.simulator.settings import Behaviour, changed

_EVERY = "*"


class Control:
    """One request to the control API, by its route table."""

    def __init__(self, frontage: Frontage) -> None:
        self._frontage = frontage
        self._store = frontage.store

    async def answer(self, request: Request) -> Reply:
        request.demand(self._store.options.secret)
        self._frontage.run_due()
        try:
            return await self._answer(request)
        finally:
            self._frontage.run_due()

    async def _answer(self, request: Request) -> Reply:  # noqa: C901, PLR0911 - the route table
        match request.method, request.parts[1:]:
            case "GET", []:
                return self._overview()
            case "GET", ["stats"]:
                return self._stats()
            case "GET", ["glass"]:
                return self._glass(request.query())
            case "GET", ["settled"]:
                return Settled(await self._frontage.settled(_seconds(request.query())))
            case "POST", ["gateways"]:
                return self._add_gateway(await request.decoded(NewGateway))
            case "PATCH", ["gateways", name]:
                return self._change_gateways(name, await request.decoded(dict[str, Any]))
            case "POST", ["gateways", name, "reboot"]:
                return self._reboot(name)
            case "POST", ["displays"]:
                return self._add_displays(await request.decoded(NewDisplays))
            case "PATCH", ["displays"]:
                return self._change_displays(await request.decoded(DisplayChange))
            case "POST", ["displays", "press"]:
                return self._press(await request.decoded(Press))
            case "POST", ["displays", "remove"]:
                return self._remove_displays(await request.decoded(Addresses))
        raise Refusal(404, "notFound", f"The control API has no {request.method} here.")

    def _overview(self) -> Overview:
        options, gateways = self._store.options, self._store.gateways.values()
        states = [GatewayState(gateway.name, len(gateway.displays), gateway.behaviour) for gateway in gateways]
        return Overview(self._frontage.now(), options.seed, options.time_scale, states)

    def _stats(self) -> Stats:
        gateways = list(self._store.gateways.values())
        return Stats(
            settled=self._store.settled(),
            refreshes=sum(gateway.counts["refreshes"] for gateway in gateways),
            violations=[Violation(*violation) for gateway in gateways for violation in gateway.violations],
            gateways=[self._gateway_stats(gateway) for gateway in gateways],
        )

    def _gateway_stats(self, gateway: Gateway) -> GatewayStats:
        counts, traffic = dict(gateway.counts), self._frontage.traffic_of(gateway.name)
        return GatewayStats(gateway.name, len(gateway.held), counts, traffic)

    def _glass(self, query: dict[str, list[str]]) -> SeenGlass:
        asked = frozenset(query.get("with", [""])[0].split(","))
        return SeenGlass([_seen(gateway, display, asked) for gateway, display in self._chosen(query)])

    def _chosen(self, query: dict[str, list[str]]) -> list[tuple[Gateway, Display]]:
        if "address" in query:
            displays = [self._known(address) for address in query["address"]]
            return [(self._store.home[display.address], display) for display in displays]
        names = query.get("gateway", list(self._store.gateways))
        gateways = [self._gateway(name) for name in names]
        return [(gateway, display) for gateway in gateways for display in gateway.displays.values()]

    def _add_gateway(self, new: NewGateway) -> GatewayState:
        if new.name in self._store.gateways:
            raise Refusal(409, "conflict", f"There is a gateway {new.name} already.")
        behaviour = _changed(self._store.options.behaviour, new.behaviour)
        return GatewayState(self._store.add_gateway(new.name, behaviour).name, 0, behaviour)

    def _change_gateways(self, name: str, changes: dict[str, Any]) -> Overview:
        gateways = list(self._store.gateways.values()) if name == _EVERY else [self._gateway(name)]
        behaviours = [_changed(gateway.behaviour, changes) for gateway in gateways]
        for gateway, behaviour in zip(gateways, behaviours, strict=True):
            gateway.behaviour = behaviour
            if behaviour.reach != "up":
                self._frontage.disconnect(gateway.name)
        return self._overview()

    def _reboot(self, name: str) -> Overview:
        for gateway in list(self._store.gateways.values()) if name == _EVERY else [self._gateway(name)]:
            gateway.reboot()
            self._frontage.disconnect(gateway.name)
        return self._overview()

    def _add_displays(self, new: NewDisplays) -> Addresses:
        gateway, now = self._gateway(new.gateway), self._frontage.now()
        default = new.panel.panel if new.panel else self._store.options.panels[0]
        wanted = [(display.address, display.panel.panel if display.panel else default) for display in new.displays]
        wanted += [(address, default) for address in self._store.free_addresses(new.count)]
        for address, panel in wanted:
            self._store.add_display(gateway, address, panel, now)
        return Addresses([address for address, _ in wanted])

    def _change_displays(self, change: DisplayChange) -> Addresses:
        target = self._gateway(change.gateway) if change.gateway is not None else None
        addresses = list(self._store.home) if change.addresses is None else change.addresses
        displays = [self._known(address) for address in addresses]
        now = self._frontage.now()
        if target is not None:
            displays = [self._store.add_display(target, each.address, each.panel, now) for each in displays]
        for display in displays:
            _change(display, change, now)
            self._store.home[display.address].await_check_in(display, now)
        return Addresses(addresses)

    def _press(self, press: Press) -> Addresses:
        now = self._frontage.now()
        for display in [self._known(address) for address in press.addresses]:
            self._store.home[display.address].touched(display, Touched(press.kind, now, press.button))
        return Addresses(press.addresses)

    def _remove_displays(self, doomed: Addresses) -> Addresses:
        return Addresses([address for address in doomed.addresses if self._store.remove_display(address)])

    def _gateway(self, name: str) -> Gateway:
        gateway = self._store.gateways.get(name)
        if gateway is None:
            raise Refusal(404, "notFound", f"There is no gateway {name} here.")
        return gateway

    def _known(self, address: str) -> Display:
        display = self._store.display(address)
        if display is None:
            raise Refusal(404, "unknownDisplay", f"There is no display {address} here.")
        return display


def _changed(behaviour: Behaviour, changes: dict[str, Any]) -> Behaviour:
    try:
        return changed(behaviour, changes)
    except msgspec.ValidationError as error:
        raise Refusal(400, "badRequest", str(error)) from error


def _seconds(query: dict[str, list[str]]) -> float:
    """How long to wait, at most; a minute at most."""
    try:
        return min(60.0, max(0.0, float(query.get("within", ["10"])[0])))
    except ValueError as error:
        raise Refusal(400, "badRequest", "`within` is a number of seconds.") from error


def _change(display: Display, change: DisplayChange, now: int) -> None:
    if change.absent is not None:
        display.absent_since = (display.absent_since or now) if change.absent else None
    if change.check_in is not msgspec.UNSET:
        display.check_in = change.check_in
    if change.battery is not None:
        display.battery = change.battery


def _seen(gateway: Gateway, display: Display, asked: frozenset[str]) -> Seen:
    screen, glass = Screen.of(display.panel), display.glass
    history = display.history if "history" in asked else None
    seen = Seen(
        address=display.address,
        gateway=gateway.name,
        panel=screen,
        refreshes=len(display.history),
        blinks=display.blinks,
        battery=display.battery,
        history=history,
    )
    if glass is None:
        return seen
    content = {"frame": glass.picture.frame, "data": _raw(glass.picture.data)} if "content" in asked else {}
    return msgspec.structs.replace(
        seen,
        token=glass.token,
        revision=glass.revision,
        shown_at=display.history[-1].at,
        fingerprint=glass.picture.fingerprint,
        **content,
    )


def _raw(data: msgspec.Raw | None) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if data is None else data
