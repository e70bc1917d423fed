"""The control API's client, for tests of whatever talks to the access point itself."""

import ssl
from types import TracebackType
from typing import Any, Self

import httpx


class Remote:
    """`async with Remote(control) as remote`; every call raises httpx.HTTPStatusError if it is refused."""

    def __init__(self, control: str) -> None:
        # Plain HTTP on this machine: reading certificates would take longer than most calls.
        none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(base_url=control, timeout=30.0, verify=none, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self._call("GET", "/state")
        return state

    async def advance(self, seconds: float) -> float:
        """Returns the new virtual time."""
        now: float = (await self._call("POST", "/advance", {"seconds": seconds}))["now"]
        return now

    async def tags(self) -> dict[str, dict[str, Any]]:
        """By address."""
        return {tag["mac"]: tag for tag in await self._call("GET", "/tags")}

    async def put_up(self, *tags: dict[str, Any]) -> None:
        await self._call("POST", "/tags", list(tags))

    async def take_down(self, mac: str) -> None:
        await self._call("DELETE", f"/tags/{mac}")

    async def glass(self, mac: str) -> dict[str, Any] | None:
        """What the shopper sees; None: nothing yet."""
        glass: dict[str, Any] | None = await self._call("GET", f"/tags/{mac}/glass")
        return glass

    async def history(self, mac: str) -> list[dict[str, Any]]:
        """Everything that was ever on the glass, oldest first."""
        history: list[dict[str, Any]] = await self._call("GET", f"/tags/{mac}/history")
        return history

    async def fault(self, **faults: Any) -> None:
        await self._call("POST", "/faults", faults)

    async def press(self, mac: str, reason: int = 4) -> None:
        await self._call("POST", "/press", {"mac": mac, "reason": reason})

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()
