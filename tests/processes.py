"""Shelfcast as it really runs: each part a process of its own, to be killed and started again.

Everything is on free loopback ports and in one folder; nothing outlives the block that started it, nor, on Linux,
a test run that is killed.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from display_drivers.simulator.process import Ready
from service import valkey
from service.children import die_with
from service.context import Shelfcast, opened
from service.settings import Settings, load

SWIFT = {
    "poll_every": 0.3,
    "verify_for": 60,
    "reconcile_every": 1,
    "lease": 2,
    "unreachable_after": 2,
    "retry_first": 0.2,
    "retry_most": 2,
    "audit_every": 5,
    "shutdown_within": 2,
    "log_level": "warning",
}
"""Settings by which everything happens within seconds."""

NEEDED = ("valkey", "simulator")
"""What the others talk to."""
_STARTS_WITHIN = 30.0
_ENDS_WITHIN = 10.0
_LOOK_EVERY = 0.02
_MOST_DEATHS = 20


@dataclass(frozen=True)
class Ended:
    """A command that has run to its end."""

    code: int
    out: str
    err: str


@dataclass
class Site:
    """One data folder and the processes that run on it, by name.

    A process's name is its command, and what follows a hyphen tells two of the same apart: worker, worker-2.

    Attributes:
        deaths: Names of those that ended by themselves and were started again.
    """

    folder: Path
    environ: dict[str, str]
    port: int
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    deaths: list[str] = field(default_factory=list)
    _keepers: set[asyncio.Future[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return load(self.environ)

    def log(self, name: str) -> str:
        """What this process, and those of its name before it, wrote to standard error."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    async def start(self, *names: str) -> None:
        """Start these, and again whenever they end by themselves, as systemd would."""
        for name in names:
            await self._start(name)
            if name == "valkey":
                await until(lambda: valkey.answers(self.settings), self.running[name])

    async def _start(self, name: str) -> None:
        process = self.running[name] = await self._spawn(name, *self._command(name))
        keeper = asyncio.ensure_future(self._keep(name, process))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def _keep(self, name: str, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if self.running.get(name) is process and len(self.deaths) < _MOST_DEATHS:
            self.deaths.append(name)
            await self._start(name)

    def _command(self, name: str) -> list[str]:
        if name == "valkey":
            self.settings.redis_socket.unlink(missing_ok=True)
            folder = self.folder / "valkey"
            folder.mkdir(mode=0o700, exist_ok=True)
            return valkey.command(self.settings, folder)
        return [sys.executable, "-m", "service.cli", name.partition("-")[0]]

    async def shell(self, name: str, command: str) -> None:
        """One command as it would be typed into a terminal of its own, started once."""
        self.running[name] = await self._spawn(name, "sh", "-c", f"exec {command}")

    async def simulator(self, **options: Any) -> Ready:
        """A simulated store, started once; options by the names of its flags."""
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = (sys.executable, "-m", "display_drivers.simulator", *flags)
        name = f"simulator-{len(self.running)}"
        process = self.running[name] = await self._spawn(name, *command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        async with asyncio.timeout(_STARTS_WITHIN):
            line = await process.stdout.readline()
        assert line, f"The simulator did not start: {self.log(name)}"
        return msgspec.json.decode(line, type=Ready)

    async def ready(self, within: float = _STARTS_WITHIN) -> None:
        """Waits until the API says that everything it needs is there."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:

            async def asked() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await client.get("/health/ready")).is_success
                return False

            give_up = time.monotonic() + within
            while not await asked():
                assert time.monotonic() < give_up, f"not ready; logs: {[self.log(name) for name in self.running]}"
                await asyncio.sleep(_LOOK_EVERY)

    async def kill(self, *names: str) -> None:
        """kill -9, all at once."""
        doomed = [self.running.pop(name) for name in names]
        for process in doomed:
            process.kill()
        for process in doomed:
            await process.wait()

    def child(self, name: str) -> int:
        """The process that `serve` started last under this name; it may have died since."""
        started = [line for line in map(_event, self.log("serve").splitlines()) if line.get("event") == "child_started"]
        return next(int(line["pid"]) for line in reversed(started) if line["child"] == name)

    def kill_child(self, name: str) -> None:
        """kill -9 that process."""
        os.kill(self.child(name), signal.SIGKILL)

    async def stop(self, name: str) -> int:
        """Ask it to end; its exit code."""
        process = self.running.pop(name)
        process.terminate()
        try:
            async with asyncio.timeout(_ENDS_WITHIN):
                return await process.wait()
        except TimeoutError:
            process.kill()
            raise

    async def run(self, *command: str, within: float = 60.0, **environ: str) -> Ended:
        """A shelfcast command, to its end."""
        return await self.execute(sys.executable, "-m", "service.cli", *command, within=within, **environ)

    async def execute(self, *command: str, within: float = 60.0, **environ: str) -> Ended:
        """Any command, to its end."""
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self.environ | environ,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,
            preexec_fn=die_with(os.getpid()),
        )
        try:
            async with asyncio.timeout(within):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Shelfcast]:
        """The service's own context on this site's database, to set it up without a command for each step."""
        async with opened(self.settings) as ctx:
            yield ctx

    async def _spawn(self, name: str, *command: str, stdout: int = asyncio.subprocess.DEVNULL) -> Any:
        with (self.folder / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                env=self.environ,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=log,
                process_group=0,
                preexec_fn=die_with(os.getpid()),
            )

    async def end(self) -> None:
        """End whatever still runs: politely, what others need last, and for good if it does not."""
        while self.running or self._keepers:
            left, self.running = self.running, {}
            needed = {name: left.pop(name) for name in list(left) if name.startswith(NEEDED)}
            for processes in (left, needed):
                await _end(processes)
            await asyncio.gather(*self._keepers)


def _event(line: str) -> dict[str, Any]:
    """A line of a log; nothing if it is for people."""
    return msgspec.json.decode(line, type=dict[str, Any]) if line.startswith("{") else {}


async def _end(left: Mapping[str, asyncio.subprocess.Process]) -> None:
    for process in left.values():
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    ends = {name: asyncio.ensure_future(process.wait()) for name, process in left.items()}
    if ends:
        await asyncio.wait(ends.values(), timeout=_ENDS_WITHIN)
    late = [name for name, end in ends.items() if not end.done()]
    for name in late:
        left[name].kill()
    await asyncio.gather(*ends.values())
    assert not late, f"did not end when told to: {late}"


async def until(holds: Any, process: asyncio.subprocess.Process, within: float = _STARTS_WITHIN) -> None:
    """Wait for what a process says by no event of its own."""
    async with asyncio.timeout(within):
        while not holds():
            assert process.returncode is None, f"ended with {process.returncode}"
            await asyncio.sleep(_LOOK_EVERY)


@contextlib.asynccontextmanager
async def installed(
    folder: Path, *, database_url: str | None = None, settings: Mapping[str, Any] = SWIFT
) -> AsyncIterator[Site]:
    """An installation on this folder; nothing runs yet, and everything is ended at the end."""
    port = free_port()
    wanted = {**settings, "data_dir": folder, "port": port}
    if database_url is not None:
        wanted["database_url"] = database_url
    own = {f"SHELFCAST_{name.upper()}": str(value) for name, value in wanted.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHELFCAST_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    site = Site(folder, inherited | own | {"NO_COLOR": "1", "PATH": path}, port)
    try:
        yield site
    finally:
        await site.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
