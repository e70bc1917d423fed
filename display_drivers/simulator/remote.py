"""The control API's client side: for tests, demonstrations and benchmarks, which judge by the glass."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec

from display_drivers.base import Panel
from display_drivers.gateway.wire import Screen
from display_drivers.simulator.messages import (
    Addresses,
    DisplayChange,
    NewDisplay,
    NewDisplays,
    NewGateway,
    Overview,
    Press,
    Seen,
    SeenGlass,
    Settled,
    Stats,
)

T = TypeVar("T")
_WAIT = 60.0  # the longest that `settled` can be told to wait


class Remote:
    """A simulated store from outside. Lets httpx's errors through: whoever uses this wants to see them."""

    def __init__(self, control_url: str, secret: str = "") -> None:
        self._url = control_url
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=_WAIT + 5, trust_env=False, verify=False)  # noqa: S501 - http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def overview(self) -> Overview:
        return await self._ask("GET", "", Overview)

    async def stats(self) -> Stats:
        return await self._ask("GET", "/stats", Stats)

    async def glass(
        self,
        addresses: Sequence[str] = (),
        *,
        gateways: Sequence[str] = (),
        content: bool = False,
        history: bool = False,
    ) -> dict[str, Seen]:
        """What displays show, by address; of all of them where neither addresses nor gateways are named."""
        extras = [word for word, wanted in (("content", content), ("history", history)) if wanted]
        query = {"address": list(addresses), "gateway": list(gateways), "with": ",".join(extras)}
        answer = await self._ask("GET", "/glass", SeenGlass, query=query)
        return {seen.address: seen for seen in answer.displays}

    async def settled(self, within: float = 10.0) -> bool:
        """Waits until nothing more happens by itself; whether that came within so many seconds, 60 at most."""
        return (await self._ask("GET", "/settled", Settled, query={"within": str(within)})).settled

    async def add_gateway(self, name: str, **behaviour: Any) -> None:
        await self._ask("POST", "/gateways", dict, NewGateway(name, _camel(behaviour)))

    async def change(self, gateway: str = "*", **behaviour: Any) -> None:
        """Settings of Behaviour, by their Python names; "*": on every gateway."""
        await self._ask("PATCH", f"/gateways/{gateway}", dict, _camel(behaviour))

    async def reboot(self, gateway: str = "*") -> None:
        await self._ask("POST", f"/gateways/{gateway}/reboot", dict)

    async def add_displays(self, gateway: str, count: int, panel: Panel | None = None) -> list[str]:
        """As many more; their addresses."""
        new = NewDisplays(gateway, count=count, panel=Screen.of(panel) if panel else None)
        return (await self._ask("POST", "/displays", Addresses, new)).addresses

    async def add_named_displays(self, gateway: str, displays: Iterable[tuple[str, Panel]]) -> None:
        named = tuple(NewDisplay(address, Screen.of(panel)) for address, panel in displays)
        await self._ask("POST", "/displays", Addresses, NewDisplays(gateway, named))

    async def change_displays(self, addresses: Sequence[str] | None = None, **change: Any) -> None:
        """Fields of DisplayChange, by their Python names; for every display where no addresses are given."""
        named = None if addresses is None else list(addresses)
        await self._ask("PATCH", "/displays", Addresses, DisplayChange(addresses=named, **change))

    async def press(
        self, addresses: Sequence[str], kind: Literal["button", "nfc"] = "button", button: int | None = None
    ) -> None:
        """Somebody presses a button of these displays, or holds a phone to them."""
        await self._ask("POST", "/displays/press", Addresses, Press(list(addresses), kind, button))

    async def remove_displays(self, addresses: Sequence[str]) -> None:
        await self._ask("POST", "/displays/remove", Addresses, Addresses(list(addresses)))

    async def _ask(
        self, method: str, path: str, answer: type[T], message: object = None, *, query: dict[str, Any] | None = None
    ) -> T:
        body = b"" if message is None else msgspec.json.encode(message)
        response = await self._client.request(method, self._url + path, content=body, params=query)
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=answer)


def _camel(settings: dict[str, Any]) -> dict[str, Any]:
    """check_in -> checkIn."""
    return {name[0] + name.title().replace("_", "")[1:]: value for name, value in settings.items()}
