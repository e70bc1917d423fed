"""What an access point tells by itself, over its WebSocket: a hint that a tag changed, and never more than that.

It drops frames for clients that are slow, sends no snapshot, and closes without a word when it restarts.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import websockets

from display_drivers.errors import UnreachableError
from display_drivers.openepaperlink.calls import Record
from display_drivers.openepaperlink.translate import translated

_REBOOTING = "REBOOTING"
_MOST = 64 * 1024


class _Frame(msgspec.Struct):
    """The kinds of frame that matter here."""

    tags: list[Record] = []
    err_msg: Any = msgspec.field(default=None, name="errMsg")


async def hints(url: str) -> AsyncIterator[Record]:
    """Records as they change; raises UnreachableError when the socket ends, or a restart is announced."""
    with translated(url):
        async with websockets.connect(
            url.replace("http", "ws", 1) + "/ws", max_size=_MOST, proxy=None, compression=None
        ) as socket:
            async for message in socket:
                try:
                    frame = msgspec.json.decode(message, type=_Frame, strict=False)
                except msgspec.MsgspecError:
                    continue  # other frames are none of ours, and half a frame says nothing
                if frame.err_msg == _REBOOTING:
                    raise UnreachableError(f"Access point {url} restarts.")
                for record in frame.tags:
                    yield record
    raise UnreachableError(f"Access point {url} closed its stream.")
