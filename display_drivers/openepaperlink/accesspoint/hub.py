"""The WebSocket's clients as the access point sees them: it writes into short queues and never looks back."""

import asyncio
from collections import deque
from random import Random

import msgspec

_MOST_CLIENTS = 8
_MOST_WAITING = 32  # frames; more are dropped without a word (W6)


class Client:
    """One open WebSocket. `waiting` holds what its connection has not taken yet."""

    def __init__(self) -> None:
        self.waiting: deque[str] = deque()
        self.ready = asyncio.Event()
        self.closing = False
        self.lags = False

    def offer(self, frame: str) -> None:
        if len(self.waiting) < _MOST_WAITING and not self.closing:
            self.waiting.append(frame)
            self.ready.set()

    def close(self) -> None:
        """After what is waiting has gone out."""
        self.closing = True
        self.ready.set()


class Hub:
    """Every client gets every frame, unless its queue is full or the `drop` fault says otherwise."""

    def __init__(self, random: Random) -> None:
        self.clients: list[Client] = []
        self.drop = 0.0  # percent of frames
        self._random = random

    def join(self) -> Client:
        if len(self.clients) >= _MOST_CLIENTS:
            self.leave(self.clients[0])
        client = Client()
        self.clients.append(client)
        return client

    def leave(self, client: Client) -> None:
        client.close()
        if client in self.clients:
            self.clients.remove(client)

    def close_all(self) -> None:
        for client in list(self.clients):
            self.leave(client)

    def send(self, **frame: object) -> None:
        if not self.clients:
            return
        text = msgspec.json.encode(frame).decode()
        for client in self.clients:
            if self._random.random() * 100 >= self.drop:
                client.offer(text)

    async def flush(self) -> None:
        """Until the connections have taken what waits. A client that reads too slowly is waited for only once."""
        for client in self.clients:
            for _ in range(50):
                if not client.waiting or client.lags:
                    break
                await asyncio.sleep(0 if _ < 40 else 0.002)  # noqa: PLR2004 - a few turns of the loop are mostly enough
            client.lags = bool(client.waiting)
