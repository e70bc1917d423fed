"""The processes themselves, started as people start them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service import valkey
from service.settings import Settings, load
from service.supervisor import is_live

SHELFCAST = [sys.executable, "-m", "service.cli"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELFCAST_")}
    return {**clean, "SHELFCAST_DATA_DIR": str(tmp_path / "data"), "SHELFCAST_PORT": str(port)}


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    return load(environ)


@pytest.fixture
def serving(environ: dict[str, str], settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """`shelfcast serve`, ready; ended by SIGTERM, with nothing left of it."""
    with subprocess.Popen([*SHELFCAST, "serve"], env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: is_live(settings) and len(children(process)) == 3)
            yield process
        finally:
            left = children(process)
            process.terminate()
            assert process.wait(20) == 0
            until(lambda: not any(map(alive, left.values())))


def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def children(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """What runs under the supervisor: name -> process id."""
    names = {"valkey-server": "valkey", "service.cli": "api", "workers.main": "worker"}
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found = {}
    for pid in map(int, file.read_text().split() if file.exists() else ()):
        words = command(pid)
        found |= {name: pid for word, name in names.items() if word in words}
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for this signal."""
    caught = Path(f"/proc/{pid}/status").read_text().split("SigCgt:\t")[1].split()[0]
    return bool(int(caught, 16) & 1 << (number - 1))


def alive(pid: int) -> bool:
    return bool(command(pid))


@pytest.mark.parametrize("name", ["api", "worker", "valkey"])
def test_whatever_is_killed_is_started_again(serving: subprocess.Popen[bytes], settings: Settings, name: str):
    killed = children(serving)[name]
    os.kill(killed, signal.SIGKILL)
    until(lambda: children(serving).get(name, killed) != killed)
    until(lambda: is_live(settings) and valkey.answers(settings))


def test_nothing_outlives_a_supervisor_that_is_killed(environ: dict[str, str], settings: Settings):
    with subprocess.Popen([*SHELFCAST, "serve"], env=environ, stderr=subprocess.DEVNULL) as process:
        until(lambda: is_live(settings) and len(children(process)) == 3)
        left = children(process)
        process.kill()
    until(lambda: not any(map(alive, left.values())))


def test_a_second_one_on_the_same_folder_is_refused(serving: subprocess.Popen[bytes], environ: dict[str, str]):
    second = subprocess.run([*SHELFCAST, "serve"], env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert "Another shelfcast serve" in second.stderr


def test_a_worker_by_itself_works_on_the_valkey_of_a_serve(serving: subprocess.Popen[bytes], environ: dict[str, str]):
    with subprocess.Popen([*SHELFCAST, "worker"], env=environ, stderr=subprocess.DEVNULL) as worker:
        until(lambda: "workers.main" in command(worker.pid) and catches(worker.pid, signal.SIGTERM))
        worker.terminate()
        assert worker.wait(20) == 0


def test_a_simulated_store_says_where_its_gateways_are(environ: dict[str, str]):
    arguments = ["simulate", "--displays", "3", "--gateways", "2"]
    with subprocess.Popen([*SHELFCAST, *arguments], env=environ, stdout=subprocess.PIPE, text=True) as store:
        assert store.stdout
        assert '"g2":"http://127.0.0.1:' in store.stdout.readline()
        store.terminate()
        assert store.wait(20) == 0


def test_what_it_needs_is_only_asked_for_once_everything_else_is_right(environ: dict[str, str]):
    broken = {**environ, "SHELFCAST_PORT": "0", "SHELFCAST_LEASE": "x"}
    done = subprocess.run([*SHELFCAST, "serve"], env=broken, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "SHELFCAST_PORT" in done.stderr
    assert "SHELFCAST_LEASE" in done.stderr
    assert not Path(environ["SHELFCAST_DATA_DIR"]).exists()
