"""Restarts: the orderly kind, the crash, and the boot after either (R1 to R4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from display_drivers.openepaperlink.accesspoint.scheduler import TAG_DB

if TYPE_CHECKING:
    from display_drivers.openepaperlink.accesspoint.point import AccessPoint

STOP, PAUSE, RUN, INIT = range(4)
ONLINE, COMING_ONLINE = 1, 6
_PAUSE_AFTER_CRASH = 30.0
_LONGEST_INIT = 30.0  # seconds that a boot waits for the time
_LOADING = 1.0  # seconds after HTTP is up until the database is (G9)


class Door:
    """Whether the HTTP port takes connections. The server that stands in it puts its own means here."""

    def __init__(self) -> None:
        self.shut: Callable[[bool], None] = lambda abrupt: None  # noqa: ARG005 - nobody stands in it yet
        self.open: Callable[[], None] = lambda: None


class Power:
    """The access point's off and on."""

    def __init__(self, point: AccessPoint) -> None:
        self._point = point
        self.door = Door()
        self.reboots = 0
        self._boot = 0
        self._shut_until = 0.0

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        boot = self._boot
        self._point.clock.after(seconds, lambda: action() if boot == self._boot else None)

    def refuse(self, seconds: float) -> None:
        """Fault: the port is shut, while everything behind it goes on."""
        self._shut_until = max(self._shut_until, self._point.clock.now + seconds)
        self.door.shut(True)
        self._point.clock.after(seconds, self._reopen)

    def _reopen(self) -> None:
        if self._point.clock.now >= self._shut_until:
            self.door.open()

    def restart_soon(self) -> None:
        """Asked for over HTTP: the answer gets out first."""
        self._point.error("REBOOTING")
        self._point.runstate = STOP
        self._later(1.0, self.restart)

    def restart_at_night(self) -> None:
        self._point.error("REBOOTING")
        self._point.runstate = STOP
        self._point.hub.close_all()
        self._later(5.0, self.restart)

    def restart_now(self) -> None:
        self._point.error("REBOOTING")
        self.restart()

    def restart(self) -> None:
        """Orderly: what is pending is to be rendered anew, which fails, since its JPEG is gone (R4)."""
        point = self._point
        for record in point.db.records:
            if record.pending > 0:
                record.nextupdate = 0
        point.files.write(TAG_DB, point.db.to_file())
        point.hub.close_all()
        self._down(crashed=False)

    def crash(self) -> None:
        """Nothing is saved; connections just end."""
        self._point.hub.close_all()
        self._down(crashed=True)

    def _down(self, *, crashed: bool) -> None:
        point = self._point
        self._boot += 1
        self.reboots += 1
        point.runstate, point.apstate, point.loaded = STOP, COMING_ONLINE, False
        point.db.clear()
        point.queue.items.clear()
        point.air.restart()
        self.door.shut(crashed)
        self._shut_until = max(self._shut_until, point.clock.now + point.options.boot_seconds)
        self._later(point.options.boot_seconds, lambda: self._up(crashed=crashed))

    def _up(self, *, crashed: bool) -> None:
        point = self._point
        point.runstate = INIT
        point.booted_at = point.clock.now
        point.lose_time()
        point.files.sweep()
        self._reopen()
        wait = point.options.init_seconds if point.time_known else _LONGEST_INIT
        self._later(_LOADING, self._load)
        self._later(max(wait, _LOADING), lambda: self._ready(crashed=crashed))

    def _load(self) -> None:
        point = self._point
        point.db.load(point.files.read(TAG_DB) or b"[]")
        for record in point.db.records:
            record.pending = 0
            if record.nextcheckin < point.time:
                record.nextcheckin = point.time + 60
        point.loaded, point.apstate = True, ONLINE
        point.scheduler.start()

    def _ready(self, *, crashed: bool) -> None:
        if self._point.runstate == INIT:
            self._point.runstate = PAUSE if crashed else RUN
        if crashed:
            self._later(_PAUSE_AFTER_CRASH, self._run)

    def _run(self) -> None:
        self._point.runstate = RUN

    def time_set(self) -> None:
        """A boot that waits for the time need not wait any longer."""
        if self._point.runstate == INIT and self._point.loaded:
            self._ready(crashed=False)
