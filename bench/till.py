"""A POS that pushes a batch over one kept connection and watches it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.http import Connection, request
from bench.products import Rows, pushes
from service.core.batches import TERMINAL

_LOOK_EVERY = 0.1

Status = dict[str, Any]


@dataclass(frozen=True)
class Till:
    connection: Connection
    token: str

    async def start(self) -> str:
        return str((await self.connection.told(request("POST", "/batch/start", self.token, {})))["sessionId"])

    async def hold(self, rows: Rows) -> str:
        """A batch with these rows, not completed yet; its id."""
        session_id = await self.start()
        for some in pushes(rows):
            await self.connection.told(self.push(session_id, some))
        return session_id

    def push(self, session_id: str, rows: Rows) -> bytes:
        return request("POST", "/batch/push", self.token, {"sessionId": session_id, "products": rows})

    async def complete(self, session_id: str) -> None:
        await self.connection.told(request("POST", "/batch/complete", self.token, {"sessionId": session_id}))

    async def until(self, session_id: str, holds: Callable[[Status], bool]) -> None:
        """Watch the batch; raises RuntimeError if it ends otherwise."""
        while not holds(told := await self.connection.told(status(session_id, self.token))):
            if told["status"] in TERMINAL:
                raise RuntimeError(f"The batch did not come to what it should: {told}.")
            await asyncio.sleep(_LOOK_EVERY)


def status(session_id: str, token: str) -> bytes:
    return request("GET", f"/batch/{session_id}/status", token)
