"""The line to Redis: together in one round trip, patient with a busy process, silent about a dead server."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from service import valkey
from service.children import end
from service.counters import PATIENCE, SILENCE, Counters, Script
from service.settings import Settings, prepare
from tests.shop import until

COUNT = Script.of("return {redis.call('INCR', KEYS[1])}")


class Server:
    """A real Valkey that a test stops and starts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = valkey.start(self.settings)
        assert self.process is not None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """It takes connections, and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def told(self) -> redis.Redis:
        return redis.Redis.from_url(self.settings.redis_dsn)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    settings = Settings(data_dir=tmp_path / "data")
    prepare(settings)
    server = Server(settings)
    server.start()
    yield server
    assert server.process is not None
    with contextlib.suppress(ProcessLookupError):
        server.thaw()
    end(server.process, within=5.0)


@pytest.fixture
async def counters(server: Server) -> AsyncIterator[Counters]:
    counters = Counters(server.settings.redis_dsn)
    yield counters
    await counters.close()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


async def asked(counters: Counters, times: int) -> list[int | None]:
    answers = await asyncio.gather(*(counters.ask(COUNT, "n") for _ in range(times)))
    return [answer and answer[0] for answer in answers]


async def test_a_thousand_at_once_are_answered_in_order_over_one_connection(counters: Counters, server: Server):
    assert await asked(counters, 1000) == list(range(1, 1001))
    with server.told() as client:
        assert client.info("stats")["total_connections_received"] <= 3  # the fixture's look, ours, this one


@pytest.mark.parametrize("forget", ["script_flush", "flushall"])
async def test_a_script_that_redis_forgot_is_told_again_and_counts_once(
    counters: Counters, server: Server, forget: str
):
    assert await asked(counters, 3) == [1, 2, 3]
    with server.told() as client:
        getattr(client, forget)()
        client.script_flush()
    assert await asked(counters, 3) == ([4, 5, 6] if forget == "script_flush" else [1, 2, 3])


async def test_a_restart_between_two_questions_is_not_noticed(counters: Counters, server: Server, logged: list[Any]):
    assert await asked(counters, 1) == [1]
    server.kill()
    server.start()
    assert await asked(counters, 1) == [2]
    assert logged == []


async def test_a_redis_that_goes_and_comes_back_is_said_once_each(
    counters: Counters, server: Server, logged: list[Any]
):
    assert await asked(counters, 1) == [1]
    server.kill()
    for _ in range(5):
        assert await asked(counters, 20) == [None] * 20
        assert not await counters.answers()
    assert counters.away
    server.start()
    assert await counters.answers()
    assert (await asked(counters, 1))[0] is not None
    assert [(line["event"], line["log_level"]) for line in logged] == [
        ("rate_limits_off", "warning"),
        ("rate_limits_back", "info"),
    ]
    assert logged[1]["away_seconds"] >= 0


async def test_asking_is_enough_to_find_out_that_it_is_back(
    counters: Counters, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("service.counters.SILENCE", 0.01)
    looks: list[None] = []
    look = counters.answers

    async def noted() -> bool:
        looks.append(None)
        return await look()

    async def counted() -> bool:
        return await counters.ask(COUNT, "n") is not None

    async def looked_twice() -> bool:
        return await counted() or len(looks) > 1

    monkeypatch.setattr(counters, "answers", noted)
    server.kill()
    await until(looked_twice)
    assert counters.away
    server.start()
    await until(counted)


async def test_nobody_waits_twice_for_a_redis_that_does_not_answer(counters: Counters, server: Server):
    assert await asked(counters, 1) == [1]
    server.freeze()
    start = time.monotonic()
    assert await asked(counters, 500) == [None] * 500
    assert time.monotonic() - start < 4 * PATIENCE  # they are five times what goes out together
    start = time.monotonic()
    for _ in range(500):
        assert await counters.ask(COUNT, "n") is None
    assert time.monotonic() - start < PATIENCE


async def test_it_is_looked_after_once_a_second_and_beside(
    counters: Counters, server: Server, monkeypatch: pytest.MonkeyPatch
):
    server.freeze()
    assert await counters.ask(COUNT, "n") is None
    away, looks = time.monotonic(), []
    look = counters.answers

    async def noted() -> bool:
        looks.append(time.monotonic() - away)
        return await look()

    monkeypatch.setattr(counters, "answers", noted)
    while not looks:
        start = time.monotonic()
        assert await counters.ask(COUNT, "n") is None
        assert time.monotonic() - start < 1  # a look takes two
        await asyncio.sleep(0.005)
    assert looks[0] > 0.9 * SILENCE
    await asked(counters, 100)
    assert len(looks) == 1


async def test_a_busy_process_does_not_take_redis_for_slow(counters: Counters):
    """Each turn of the loop takes longer than a tenth of the patience: the flood of a caller must not free it."""
    busy = True

    async def work() -> None:
        while busy:
            time.sleep(0.06)  # noqa: ASYNC251 - what it is about
            await asyncio.sleep(0)

    worker = asyncio.create_task(work())
    assert await asked(counters, 50) == list(range(1, 51))
    busy = False
    await worker
    assert not counters.away


async def test_a_caller_that_leaves_takes_nobody_with_it(counters: Counters):
    questions = [asyncio.create_task(counters.ask(COUNT, "n")) for _ in range(3)]
    await asyncio.sleep(0)
    questions[0].cancel()
    assert await asyncio.gather(*questions[1:]) == [[2], [3]]


async def test_an_answer_that_is_late_is_never_taken_for_that_of_the_next_question(counters: Counters, server: Server):
    assert await asked(counters, 1) == [1]
    server.freeze()
    assert await counters.ask(COUNT, "n") is None
    server.thaw()
    assert await counters.answers()
    assert await counters.ask(COUNT, "another") == [1]


async def test_a_redis_that_refuses_to_write_is_one_that_is_away(counters: Counters, server: Server, logged: list[Any]):
    with server.told() as client:
        client.config_set("maxmemory", 1)
        assert await counters.ask(COUNT, "n") is None
        assert not await counters.answers()
        client.config_set("maxmemory", 0)
    assert "maxmemory" in logged[0]["error"]
    assert await counters.answers()
    assert await counters.ask(COUNT, "n") == [1]


async def test_closing_leaves_nobody_waiting(server: Server):
    counters = Counters(server.settings.redis_dsn)
    server.freeze()
    question = asyncio.create_task(counters.ask(COUNT, "n"))
    await asyncio.sleep(0)
    await counters.close()
    assert await question is None


async def test_a_server_that_never_was_costs_nothing_but_a_line(tmp_path: Path, logged: list[Any]):
    counters = Counters(f"unix://{tmp_path}/nobody.sock")
    assert await asked(counters, 10) == [None] * 10
    assert not await counters.answers()
    assert [line["event"] for line in logged] == ["rate_limits_off"]
    await counters.close()


async def test_a_peer_that_takes_the_connection_and_says_nothing_is_given_up(logged: list[Any]):
    with socket.create_server(("127.0.0.1", 0)) as peer:
        counters = Counters(f"redis://127.0.0.1:{peer.getsockname()[1]}")
        assert await counters.ask(COUNT, "n") is None
        await counters.close()
    assert "did not answer within 0.25 s" in logged[0]["error"]
