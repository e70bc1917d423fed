"""Every setting of Shelfcast: read from the environment once, checked as a whole, then only values.

`SHELFCAST_<NAME>` sets a setting; `SHELFCAST_<NAME>_FILE` names a file that holds it, for secrets. A variable that is
set but empty counts as not set. Durations are in seconds.
"""

import base64
import difflib
import hashlib
import ipaddress
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from service.core.limits import PLANS, Plan, parse_plans

PREFIX = "SHELFCAST_"
ELSEWHERE = ("URL", "TOKEN", "FEEDS")
"""Variables that others read: `shelfcast push` and `status` the first two, the tests the last."""

_KEY_BYTES = 32
_SOCKET_LIMIT = 100
"""Bytes of a unix socket's path that every platform takes: macOS 104 and Linux 108, with the closing zero."""

Parse = Callable[[str], Any]


class SettingsError(Exception):
    """What cannot be right in the settings: one sentence for each fault, all of them at once."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    path = Path(os.path.abspath(Path(value).expanduser()))  # noqa: PTH100 - resolve() would follow links
    if "?" in str(path):
        raise ValueError("holds a ?, which a database URL cannot; name another folder")
    return path


def _whole(low: int, high: int) -> Parse:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise ValueError(f"is not a whole number from {low} to {high}")
        return int(value)

    return parse


def _seconds(low: float, high: float) -> Parse:
    def parse(value: str) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not low <= seconds <= high:
            raise ValueError(f"is not a number of seconds from {low:g} to {high:g}")
        return seconds

    return parse


def _one_of(*words: str) -> Parse:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return value.lower()

    return parse


def _yes_or_no(value: str) -> bool:
    meaning = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in meaning:
        raise ValueError("is neither yes nor no; write 1 or 0")
    return meaning[value.lower()]


def _networks(value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError:
            raise ValueError(
                f"holds {name!r}; write addresses or networks with commas, as 10.0.0.5,10.1.0.0/16"
            ) from None
    return names


def _database_url(value: str) -> str:
    """A PostgreSQL URL as SQLAlchemy and asyncpg take it, from the forms that hosters hand out."""
    parts = urlsplit(value)
    if parts.scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError(
            "is not a postgresql:// URL; for SQLite leave it unset: the file is in the folder of SHELFCAST_DATA_DIR"
        )
    query = [("ssl" if name == "sslmode" else name, text) for name, text in parse_qsl(parts.query)]
    # urlunsplit would drop the slashes of a URL without a host (postgresql:///db?host=/run/postgresql)
    url = urlunsplit(("", parts.netloc, parts.path, urlencode(query, safe="/"), ""))
    return "postgresql+asyncpg:" + (url if url.startswith("//") else f"//{url}")


def _fernet_keys(value: str) -> str:
    for key in value.split(","):
        try:
            whole = len(base64.urlsafe_b64decode(key.strip())) == _KEY_BYTES
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(f"is not {_KEY_BYTES} bytes in URL-safe base64, as shelfcast key writes one")
    return value


def _redis_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
    if not separator or not rest or scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("is not a redis://, rediss:// or unix:// URL; leave it unset to use the embedded Valkey")
    return f"{scheme}://{rest}"


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http:// or https:// URL")
    return value.rstrip("/")


def _home() -> Path:
    """One place for one user, so that every command finds the same database, wherever it is called."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "shelfcast"


def _setting(default: Any, parse: Parse, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"parse": parse})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings.

    Attributes:
        data_dir: Holds the SQLite database, the embedded Valkey's data and socket, and the lock of `serve`.
        host: Address that the API listens on.
        port: Port that the API listens on.
        database_url: PostgreSQL; None: SQLite in `data_dir`.
        redis_url: Redis or Valkey; None: the embedded Valkey.
        redis_server: Server binary to embed instead of the packaged Valkey.
        simulator_url: Simulated store that sandbox stores have their displays in; None: a child of `serve`.
        secret_key: Seals secrets of gateways and webhooks; of several, with commas, the first one seals. None: a key in
            a file of `data_dir`. Machines that share a database share the key.
        gateway_networks: Where gateways that are set through the API may be besides the ordinary: on this machine, as
            127.0.0.0/8, or link-local. At the shell they may be anywhere.
        log_level: debug, info, warning or error.
        workers: Worker processes that `serve` runs.
        trusted_proxies: Peers whose X-Forwarded-For and -Proto are believed.
        allow_plain_http: Take tokens over plain HTTP from anywhere, not only from loopback.
        plans: Requests that a token of each plan may make, in a day and in a minute.
        session_open_for: A batch that nobody completes expires after this.
        lease: A worker that dies holds its work back for this long; a driver's send time-out is well under it.
        poll_every: Displays with an unproven face are polled this often.
        verify_for: A batch is completed this long after its last push, proven or not.
        reconcile_every: Whatever is due and was not rung for is found this often; divides 60.
        unreachable_after: A gateway that does not answer this long no longer holds a batch's phase.
        retry_first: Wait before the first repetition of a failed update; it doubles each time.
        retry_most: The longest such wait.
        audit_every: Every display of a gateway is polled this often, to find drift.
        shutdown_within: Requests, streams and jobs have this long to end.
        max_body: Bytes of one request, compressed or expanded.
        history_for: Days for which it is kept what displays showed and reported, and what was imported; 0: for ever.
            Price history always is.
        webhook_networks: Networks that webhooks may be sent to though they are not public, also without TLS.
        webhook_timeout: A receiver has this long to answer a webhook.
        webhook_retry_first: Wait before the first repetition of a webhook; each further wait is four times as long.
        webhook_retry_most: The longest such wait.
        webhook_retry_for: A webhook is given up this long after its event.
        webhook_overlap: After a rotation the old secret signs too for this long.
        webhook_disable_after: An endpoint to which nothing was delivered for this long is disabled.
        webhook_keep_for: Events and their deliveries are kept for this long.
        overdue_after: A display that does not show its face this long after it was wanted is told of.
        max_import: Bytes of one file that is imported, as it is sent.
        import_open_for: An import that nobody finalizes expires this long after its last bytes began to come.
    """

    data_dir: Path = field(default_factory=_home, metadata={"parse": _folder})
    host: str = _setting("127.0.0.1", _text)
    port: int = _setting(8080, _whole(1, 65535))
    database_url: str | None = _setting(None, _database_url, secret=True)
    redis_url: str | None = _setting(None, _redis_url, secret=True)
    redis_server: Path | None = field(default=None, metadata={"parse": _folder})
    simulator_url: str | None = _setting(None, _http_url)
    secret_key: str | None = _setting(None, _fernet_keys, secret=True)
    gateway_networks: tuple[str, ...] = _setting((), _networks)
    log_level: str = _setting("info", _one_of("debug", "info", "warning", "error"))
    workers: int = _setting(1, _whole(1, 64))
    trusted_proxies: tuple[str, ...] = _setting((), _networks)
    allow_plain_http: bool = _setting(False, _yes_or_no)
    plans: tuple[Plan, ...] = _setting(PLANS, parse_plans)
    session_open_for: float = _setting(1800.0, _seconds(0.1, 86_400))
    lease: float = _setting(15.0, _seconds(0.1, 600))
    poll_every: float = _setting(30.0, _seconds(0.01, 3600))
    verify_for: float = _setting(360.0, _seconds(0.1, 86_400))
    reconcile_every: int = _setting(15, _whole(1, 60))
    unreachable_after: float = _setting(120.0, _seconds(0.1, 86_400))
    retry_first: float = _setting(5.0, _seconds(0.01, 3600))
    retry_most: float = _setting(900.0, _seconds(0.01, 86_400))
    audit_every: float = _setting(900.0, _seconds(0.1, 86_400))
    shutdown_within: float = _setting(5.0, _seconds(0.1, 600))
    max_body: int = _setting(16 * 1024 * 1024, _whole(1024, 1024**3))
    history_for: int = _setting(400, _whole(0, 36_500))
    webhook_networks: tuple[str, ...] = _setting((), _networks)
    webhook_timeout: float = _setting(15.0, _seconds(0.1, 60))
    webhook_retry_first: float = _setting(5.0, _seconds(0.01, 3600))
    webhook_retry_most: float = _setting(21_600.0, _seconds(0.01, 86_400))
    webhook_retry_for: float = _setting(86_400.0, _seconds(1, 7 * 86_400))
    webhook_overlap: float = _setting(86_400.0, _seconds(0, 30 * 86_400))
    webhook_disable_after: float = _setting(5 * 86_400.0, _seconds(1, 365 * 86_400))
    webhook_keep_for: float = _setting(30 * 86_400.0, _seconds(60, 3650 * 86_400))
    overdue_after: float = _setting(1800.0, _seconds(0.1, 7 * 86_400))
    max_import: int = _setting(256 * 1024 * 1024, _whole(1024, 4 * 1024**3))
    import_open_for: float = _setting(86_400.0, _seconds(1, 30 * 86_400))

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'shelfcast.db'}"

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Valkey listens.

        Every process of one installation has to come to the same path, whatever its TMPDIR; where `data_dir` is too
        long for a socket, a private folder named after it takes its place.
        """
        socket = self.data_dir / "redis.sock"
        if len(os.fsencode(socket)) <= _SOCKET_LIMIT:
            return socket
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(f"/tmp/shelfcast-{os.getuid()}-{digest}/redis.sock")  # noqa: S108 - valkey.py checks whose it is

    @property
    def redis_dsn(self) -> str:
        """What to connect to: the Redis of the settings, or the embedded Valkey."""
        return self.redis_url or f"unix://{self.redis_socket}"


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that this environment states; raises SettingsError with every fault in it."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        try:
            value = _given(environ, name)
            if value is not None:
                values[setting.name] = setting.metadata["parse"](value)
        except ValueError as error:
            faults.append(f"{name} {error}.")
    if not faults:
        settings = Settings(**values)
        faults = _clashes(settings)
    if faults:
        raise SettingsError(*faults)
    return settings


def _given(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name, "").strip()
    file = environ.get(f"{name}_FILE", "").strip()
    if value and file:
        raise ValueError(f"and {name}_FILE are both set; keep one")
    if not file:
        return value or None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"cannot be read from the file that {name}_FILE names, {file}: {reason}") from None


def _clashes(settings: Settings) -> list[str]:
    """Faults that no value has by itself."""
    rules = (
        (60 % settings.reconcile_every == 0, "SHELFCAST_RECONCILE_EVERY does not divide 60; take 5, 10, 15, 20 or 30."),
        (
            settings.poll_every <= settings.verify_for,
            "SHELFCAST_POLL_EVERY is longer than SHELFCAST_VERIFY_FOR: no display would be polled in time; lower it.",
        ),
        (
            settings.retry_first <= settings.retry_most,
            "SHELFCAST_RETRY_FIRST is longer than SHELFCAST_RETRY_MOST; lower the first or raise the second.",
        ),
        (
            settings.webhook_retry_first <= settings.webhook_retry_most,
            "SHELFCAST_WEBHOOK_RETRY_FIRST is longer than SHELFCAST_WEBHOOK_RETRY_MOST; lower the first.",
        ),
    )
    return [fault for holds, fault in rules if not holds]


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A warning for each `SHELFCAST_*` variable that nothing reads, with the name that was probably meant."""
    names = [name for setting in fields(Settings) for name in _names(setting.name.upper())]
    names += [name for other in ELSEWHERE for name in _names(other)]
    strangers = sorted(name for name in environ if name.startswith(PREFIX) and name not in names)
    return [_warning(name, difflib.get_close_matches(name, names, n=1, cutoff=0.75)) for name in strangers]


def _names(setting: str) -> tuple[str, str]:
    return f"{PREFIX}{setting}", f"{PREFIX}{setting}_FILE"


def _warning(name: str, near: list[str]) -> str:
    meant = f"; is {near[0]} meant?" if near else "."
    return f"{name} is set, but there is no such setting{meant}"


def prepare(settings: Settings) -> None:
    """Make the data folder, for its owner alone; raises SettingsError if that cannot be."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be made ({error.strerror}); "
            "set SHELFCAST_DATA_DIR to a folder that this user may write."
        ) from None
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be written by this user; "
            "give it to this user or set SHELFCAST_DATA_DIR to another folder."
        )
