import os
import select
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service import valkey
from service.children import end
from service.settings import Settings, SettingsError, prepare


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data")
    prepare(settings)
    return settings


@pytest.fixture
def started(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = valkey.start(settings)
    assert process is not None
    yield process
    end(process, within=5.0)


@pytest.fixture
def client(settings: Settings, started: subprocess.Popen[bytes]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_dsn) as client:
        yield client


def test_it_answers_on_its_socket_alone_and_only_to_its_owner(settings: Settings, client: redis.Redis):
    assert client.config_get("port") == {"port": "0"}
    assert settings.redis_socket.stat().st_mode & 0o777 == 0o700
    assert valkey.check_redis(settings.redis_dsn) == []


def test_what_it_holds_outlives_a_kill(settings: Settings, started: subprocess.Popen[bytes], client: redis.Redis):
    client.set("ring", 1)
    started.kill()
    started.wait()
    assert not valkey.answers(settings)
    again = valkey.start(settings)
    assert again is not None
    assert client.get("ring") == b"1"
    end(again, within=5.0)


def test_one_that_runs_already_is_used_again(settings: Settings, started: subprocess.Popen[bytes]):
    assert valkey.start(settings) is None


def test_two_that_start_at_once_come_to_one_server(settings: Settings):
    code = (
        "import sys, time; from service import settings, valkey;"
        "process = valkey.start(settings.load({'SHELFCAST_DATA_DIR': sys.argv[1]}));"
        "print('attached' if process is None else 'started', flush=True); sys.stdin.read()"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(settings.data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = sorted(process.stdout.readline().strip() for process in both if process.stdout)
    for process in both:
        process.communicate()
    assert said == [b"attached", b"started"]


def test_it_ends_with_the_process_that_started_it(settings: Settings):
    code = (
        "import sys; from service import settings, valkey;"
        "process = valkey.start(settings.load({'SHELFCAST_DATA_DIR': sys.argv[1]}));"
        "print(process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    ready, _, _ = select.select([child], [], [], 5.0)
    os.close(child)
    assert ready


def test_a_long_data_folder_gets_a_private_socket_folder_elsewhere(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / ("deep" * 30))
    prepare(settings)
    process = valkey.start(settings)
    assert process is not None
    assert settings.redis_socket.parent.stat().st_mode & 0o777 == 0o700
    end(process, within=5.0)
    settings.redis_socket.parent.rmdir()


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / ("deep" * 30))
    prepare(settings)
    settings.redis_socket.parent.mkdir(mode=0o777)
    settings.redis_socket.parent.chmod(0o777)
    with pytest.raises(valkey.ValkeyError, match="remove it"):
        valkey.start(settings)
    settings.redis_socket.parent.rmdir()


def test_a_server_that_does_not_start_says_why_and_what_to_do(settings: Settings):
    (settings.data_dir / "valkey").mkdir(mode=0o700)
    (settings.data_dir / "valkey" / "appendonlydir").write_text("no folder")
    with pytest.raises(valkey.ValkeyError, match="remove the folder"):
        valkey.start(settings)


def test_the_server_of_the_setting_is_preferred(tmp_path: Path):
    own = tmp_path / "redis-server"
    with pytest.raises(valkey.ValkeyError, match="SHELFCAST_REDIS_SERVER"):
        valkey.binary(Settings(data_dir=tmp_path, redis_server=own))
    own.touch(mode=0o700)
    assert valkey.binary(Settings(data_dir=tmp_path, redis_server=own)) == own


def test_a_redis_that_may_lose_rings_is_warned_of(settings: Settings, client: redis.Redis):
    client.config_set("appendonly", "no")
    client.config_set("maxmemory-policy", "allkeys-lru")
    warnings = valkey.check_redis(settings.redis_dsn)
    assert [("append-only" in text, "evict" in text) for text in warnings] == [(True, False), (False, True)]


def test_a_redis_that_is_away_is_only_warned_of(settings: Settings):
    (warning,) = valkey.check_redis(settings.redis_dsn)
    assert "does not answer" in warning


class _Cluster(socketserver.BaseRequestHandler):
    """A peer that answers INFO as a cluster node does."""

    def handle(self) -> None:
        while command := self.request.recv(4096):
            info = b"cluster_enabled:1\r\n"
            self.request.sendall(b"$%d\r\n%s\r\n" % (len(info), info) if b"INFO" in command else b"+OK\r\n")


def test_a_redis_cluster_is_refused():
    with socketserver.TCPServer(("127.0.0.1", 0), _Cluster) as server:
        threading.Thread(target=server.handle_request).start()
        with pytest.raises(SettingsError, match="Cluster"):
            valkey.check_redis(f"redis://127.0.0.1:{server.server_address[1]}")
