"""`shelfcast serve`: one API process, some workers and the embedded Valkey, kept running until we are told to stop.

It is a plain loop without threads or an event loop: little of it can fail, and children may be forked from it.
"""

import contextlib
import errno
import fcntl
import http.client
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

import structlog

from service import valkey
from service.children import end, python, spawn
from service.settings import Settings, SettingsError
from service.tenants import simulated

WAITS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a child is started again, by how often it has died lately."""
STEADY_AFTER = 30.0
"""A child that ran this long (seconds) has not died lately."""
_LOOK_EVERY = 1.0
_LOOK_EVERY_UNTIL_READY = 0.05
_PORT_FREE_WITHIN = 2.0

log = structlog.get_logger("shelfcast.supervisor")


@dataclass
class Child:
    """A process that is to run for as long as we do.

    Attributes:
        start: Makes it; None says that it runs already and is not ours, to be asked again in a second.
        ends_within: Seconds from SIGTERM to SIGKILL.
        needed: By the others, so it ends after them.
    """

    name: str
    start: Callable[[], subprocess.Popen[bytes] | None]
    ends_within: float
    needed: bool = False
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    due_at: float = 0.0

    def keep(self, now: float) -> None:
        """Start it if it does not run and its wait is over."""
        if self.process is not None and self.process.poll() is not None:
            if now - self.started_at > STEADY_AFTER:
                self.deaths = 0
            log.warning("child_died", child=self.name, code=self.process.returncode, again_in=self._put_off(now))
            self.process = None
        if self.process is None and now >= self.due_at:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self.process = self.start()
        except (OSError, valkey.ValkeyError) as error:
            log.warning("child_not_started", child=self.name, error=str(error), again_in=self._put_off(now))
        else:
            self.started_at = now
            self.due_at = now + _LOOK_EVERY
            if self.process is not None:
                log.info("child_started", child=self.name, pid=self.process.pid)

    def _put_off(self, now: float) -> float:
        """Seconds until it is tried again: at once the first time, then longer and longer."""
        wait = WAITS[min(self.deaths, len(WAITS) - 1)]
        self.deaths += 1
        self.due_at = now + wait
        return wait

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


@dataclass
class Supervisor:
    """The children, and the loop that keeps them.

    Attributes:
        ready: Asked until it says yes, once; then `announce` is called.
    """

    children: list[Child]
    ready: Callable[[], bool]
    announce: Callable[[], None]
    _stops: int = field(default=0, init=False)
    _announced: bool = field(default=False, init=False)

    def run(self) -> None:
        """Until SIGTERM, SIGINT or SIGHUP; a second one kills instead of asking."""
        with _woken_by(self._told_to_stop) as wake:
            while not self._stops:
                for child in self.children:
                    child.keep(time.monotonic())
                self._announce_once()
                if select.select([wake], [], [], self._pause())[0]:
                    wake.recv(4096)
            log.info("stopping")
            for needed in (False, True):
                _end([child for child in self.children if child.needed is needed])

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1
        if self._stops > 1:
            for child in self.children:
                child.signal(signal.SIGKILL)

    def _announce_once(self) -> None:
        if not self._announced and self.ready():
            self._announced = True
            self.announce()

    def _pause(self) -> float:
        """Seconds to the next start that is due; a child that dies wakes us by its signal."""
        now = time.monotonic()
        due = (child.due_at - now for child in self.children if child.process is None)
        return max(0.0, min([*due, _LOOK_EVERY if self._announced else _LOOK_EVERY_UNTIL_READY]))


def _end(children: list[Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    for child in children:
        if child.process is not None:
            end(child.process, child.ends_within)


@contextlib.contextmanager
def _woken_by(stop: Callable[[int, FrameType | None], None]) -> Iterator[socket.socket]:
    """A socket that becomes readable with every signal, so that none is lost between looking and sleeping."""
    reader, writer = socket.socketpair()
    handlers = dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), stop)
    handlers[signal.SIGCHLD] = lambda _number, _frame: None
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        woken_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(woken_before)
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the data folder; raises SettingsError if another `serve` has it."""
    with (settings.data_dir / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EAGAIN}:
                raise
            raise SettingsError(
                f"Another shelfcast serve runs on {settings.data_dir}; "
                "end it first, or set SHELFCAST_DATA_DIR (and SHELFCAST_PORT) to run a second one."
            ) from None
        yield


def check_port(settings: Settings) -> None:
    """Raise SettingsError if the API could not listen; patient with one that is just ending."""
    give_up = time.monotonic() + _PORT_FREE_WITHIN
    while (error := _listening_fails(settings)) is not None:
        if error.errno != errno.EADDRINUSE or time.monotonic() > give_up:
            raise SettingsError(
                f"The API cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
                "End what uses it, or set SHELFCAST_PORT and SHELFCAST_HOST."
            )
        time.sleep(0.05)


def _listening_fails(settings: Settings) -> OSError | None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        return error
    return None


def serve(settings: Settings, announce: Callable[[], None]) -> None:
    """Run everything until told to stop; the database has to be migrated and the data folder be ours alone."""
    ask_to_end = settings.shutdown_within + 2.0
    api = Child("api", lambda: spawn(python("service.cli", "api")), ask_to_end)
    workers = [
        Child(f"worker-{number}", lambda: spawn(python("workers.main")), ask_to_end)
        for number in range(1, settings.workers + 1)
    ]
    embedded = [] if settings.redis_url else [Child("valkey", lambda: valkey.start(settings), 5.0, needed=True)]
    sandbox = Child("simulator", lambda: simulated.start(settings), 5.0, needed=True)
    Supervisor([*embedded, sandbox, api, *workers], lambda: is_live(settings), announce).run()


def is_live(settings: Settings) -> bool:
    """Whether the API answers, asked as a neighbour would."""
    peer = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(peer, settings.port, timeout=0.5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
