"""Between the socket and the endpoints: counts, and the faults that a connection shows."""

import contextlib
from collections.abc import Iterator

from display_drivers.openepaperlink.accesspoint.endpoints import Endpoints
from display_drivers.openepaperlink.accesspoint.faults import Faults
from display_drivers.openepaperlink.accesspoint.http import Line, Reply, Request, Reset
from display_drivers.openepaperlink.accesspoint.point import AccessPoint
from display_drivers.openepaperlink.accesspoint.traffic import Traffic
from display_drivers.openepaperlink.accesspoint.websocket import serve

_UPLOAD = "/imgupload"


class Frontage:
    """Every request to the access point's port."""

    def __init__(self, point: AccessPoint) -> None:
        self._point = point
        self.faults, self.traffic = Faults(point), Traffic(point.clock)
        self._endpoints = Endpoints(point)

    async def answer(self, request: Request) -> Reply:
        self._point.clock.catch_up()
        self.traffic.count(request.path)
        if request.path == _UPLOAD:
            with self._open_upload():
                return await self._upload(request)
        return await self._answered(request)

    async def upgrade(self, request: Request, line: Line) -> None:
        self._point.clock.catch_up()
        self.traffic.count(request.path)
        if self._point.runstate == 0:
            # It is about to restart and takes no more clients (S6).
            line.reset()
            return
        await serve(self._point.hub, request, line)

    @contextlib.contextmanager
    def _open_upload(self) -> Iterator[None]:
        self.traffic.upload_began()
        try:
            yield
        finally:
            self.traffic.upload_ended()

    async def _upload(self, request: Request) -> Reply:
        if self.traffic.open_uploads > self.faults.max_uploads:
            raise Reset
        self.traffic.upload_bytes += len(await request.body())
        reply = await self._answered(request)
        if self.faults.use("reset_after_body"):
            raise Reset
        return reply

    async def _answered(self, request: Request) -> Reply:
        reply = await self._endpoints.answer(request)
        if self.faults.slow:
            await self._point.clock.sleep(self.faults.slow)
        if self.faults.use("reset_before_answer"):
            raise Reset
        if reply.kind == "application/json" and self.faults.use("truncate"):
            reply.cut = True
        return reply
