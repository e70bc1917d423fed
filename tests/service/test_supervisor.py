import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from service import supervisor
from service.children import spawn
from service.settings import Settings, SettingsError
from service.supervisor import WAITS, Child, Supervisor

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ended(pid_fd: int, within: float = 5.0) -> bool:
    """Whether the process ends, of which this is a pidfd."""
    return bool(select.select([pid_fd], [], [], within)[0])


@contextlib.contextmanager
def once(condition: Callable[[], bool], act: Callable[[], None]) -> Iterator[None]:
    """Act from beside as soon as the condition holds."""

    def watch() -> None:
        give_up = time.monotonic() + 20
        while not condition() and time.monotonic() < give_up:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def tell_us_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def kept(child: Child) -> Supervisor:
    return Supervisor([child], lambda: True, lambda: None)


def test_a_child_that_dies_is_started_again_at_once():
    pids: list[int] = []

    def start() -> subprocess.Popen[bytes]:
        process = spawn(FOREVER)
        pids.append(process.pid)
        if len(pids) == 1:
            process.kill()
        return process

    began = time.monotonic()
    with once(lambda: len(pids) == 2, tell_us_to_stop):
        kept(Child("child", start, 5.0)).run()
    assert len(pids) == 2
    assert time.monotonic() - began < 5


def waits(child: Child, count: int, now: float = 100.0) -> list[float]:
    """Seconds until it is started again, each time it is found dead."""
    found = []
    for _ in range(count):
        child.keep(now)
        found.append(round(child.due_at - now, 1))
        now = child.due_at
    return found


def refuse() -> subprocess.Popen[bytes]:
    raise OSError("no such program")


def test_a_child_that_cannot_be_started_waits_longer_each_time():
    assert waits(Child("child", refuse, 1.0), len(WAITS) + 1) == [*WAITS, WAITS[-1]]


@pytest.mark.parametrize(("ran_for", "wait"), [(1.0, WAITS[3]), (supervisor.STEADY_AFTER + 1, WAITS[0])])
def test_a_child_that_was_steady_starts_again_as_if_it_had_never_died(ran_for: float, wait: float):
    dead = subprocess.Popen(["true"])
    dead.wait()
    child = Child("child", lambda: dead, 1.0, process=dead, deaths=3, started_at=100.0)
    child.keep(100.0 + ran_for)
    assert child.deaths == WAITS.index(wait) + 1


def test_one_that_is_not_ours_is_looked_after_every_second():
    asked: list[float] = []
    child = Child("valkey", lambda: asked.append(0.0), 1.0)
    for now in (100.0, 100.5, 101.0, 101.9, 102.0):
        child.keep(now)
    assert len(asked) == 3


def test_told_to_stop_it_ends_the_needed_ones_last(tmp_path: Path):
    def writes(name: str) -> subprocess.Popen[bytes]:
        code = (
            "import pathlib, signal, sys; file = pathlib.Path(sys.argv[1]); name = sys.argv[2];"
            "signal.signal(signal.SIGTERM, lambda *_: (file.open('a').write(name + ' '), sys.exit()));"
            "pathlib.Path(sys.argv[1] + name).touch(); signal.pause()"
        )
        return spawn([sys.executable, "-c", code, str(tmp_path / "ended"), name])

    children = [Child("valkey", lambda: writes("valkey"), 5.0, needed=True), Child("api", lambda: writes("api"), 5.0)]
    ready = [tmp_path / "endedvalkey", tmp_path / "endedapi"]
    with once(lambda: all(file.exists() for file in ready), tell_us_to_stop):
        Supervisor(children, lambda: True, lambda: None).run()
    assert (tmp_path / "ended").read_text().split() == ["api", "valkey"]


def test_a_child_that_does_not_end_is_killed(tmp_path: Path):
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path(sys.argv[1]).touch(); signal.pause()"
    )
    child = Child("deaf", lambda: spawn([sys.executable, "-c", code, str(ready)]), ends_within=0.2)
    with once(ready.exists, tell_us_to_stop):
        kept(child).run()
    assert child.process
    assert child.process.returncode == -signal.SIGKILL


def test_it_says_once_that_everything_is_ready():
    said: list[str] = []
    answers = iter([False, False, True])
    running = Supervisor([], lambda: next(answers), lambda: said.append("ready"))
    with once(lambda: bool(said), tell_us_to_stop):
        running.run()
    assert said == ["ready"]


def test_signals_are_handled_as_before_once_it_is_over():
    before = signal.getsignal(signal.SIGTERM)
    with once(lambda: True, lambda: None):
        running = Supervisor([], lambda: True, tell_us_to_stop)
        running.run()
    assert signal.getsignal(signal.SIGTERM) is before


def test_children_die_with_a_parent_that_is_killed():
    code = (
        "import sys; from service.children import spawn;"
        "print(spawn([sys.executable, '-c', 'import signal; signal.pause()']).pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert ended(child)
    os.close(child)


TOLD_WHILE_IT_FORKS = """
import os, signal, sys
from service.children import spawn

def told(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, told)
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
try:
    spawn([sys.executable, "-c", ""])
except KeyboardInterrupt:
    sys.exit(7)
"""


def test_to_be_told_to_stop_while_a_child_is_forked_is_not_forgotten():
    done = subprocess.run([sys.executable, "-c", TOLD_WHILE_IT_FORKS], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr


def test_a_child_hears_the_signals_that_its_parent_held_back_for_the_fork():
    child = spawn(FOREVER)
    child.terminate()
    assert child.wait(20) == -signal.SIGTERM


def test_one_data_folder_is_served_once(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    with (
        supervisor.only_one(settings),
        pytest.raises(SettingsError, match="Another shelfcast serve"),
        supervisor.only_one(settings),
    ):
        pass
    with supervisor.only_one(settings):
        pass


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "_PORT_FREE_WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(data_dir=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match="SHELFCAST_PORT"):
            supervisor.check_port(settings)
    supervisor.check_port(settings)


def test_an_address_that_this_machine_does_not_have_is_told_before_anything_starts(tmp_path: Path):
    with pytest.raises(SettingsError, match="SHELFCAST_HOST"):
        supervisor.check_port(Settings(data_dir=tmp_path, host="192.0.2.1"))


@pytest.mark.parametrize(("status", "live"), [(200, True), (503, False)])
def test_the_api_is_live_once_it_says_so(tmp_path: Path, status: int, live: bool):
    class Peer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Peer) as server:
        threading.Thread(target=server.handle_request).start()
        assert supervisor.is_live(Settings(data_dir=tmp_path, port=server.server_port)) is live


def test_an_api_that_is_not_there_is_not_live(tmp_path: Path):
    assert not supervisor.is_live(Settings(data_dir=tmp_path, port=free_port()))
