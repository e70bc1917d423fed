"""Whole files: asked for, sent in parts from where they were broken off, and read by a worker."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from service.client.transport import Transport
from service.messages import Page
from service.messages.imports import Difference, Differences, Import

PART = 4 * 1024 * 1024
"""Bytes that are sent at once."""


class Imports:
    """Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start_import(self, new: Mapping[str, Any]) -> Import:
        """`new`: format, columns, mode, dryRun, …: as `POST /imports` has them; nothing at all finds out everything."""
        return self._transport.send("POST", "/imports", new, Import, repeat=False)

    def upload_import(self, import_id: str, file: BinaryIO) -> Import:
        """Send a file that can be sought in, from where the API has it already."""
        found = self.get_import(import_id)
        file.seek(found.received_bytes)
        while part := file.read(PART):
            first = found.received_bytes
            ranged = f"bytes {first}-{first + len(part) - 1}/*"
            headers = {"content-type": "application/octet-stream", "content-range": ranged}
            answer = self._transport.ask("PUT", f"/imports/{import_id}/file", body=part, headers=headers)
            found = msgspec.json.decode(answer.content, type=Import)
        return found

    def finalize_import(self, import_id: str, checks: Mapping[str, Any] | None = None) -> Import:
        return self._transport.send("POST", f"/imports/{import_id}/finalize", checks or {}, Import)

    def get_import(self, import_id: str) -> Import:
        return self._transport.get(f"/imports/{import_id}", Import)

    def list_imports(self, **filters: str | int | None) -> Iterator[Import]:
        return self._transport.pages("/imports", Page[Import], **filters)

    def cancel_import(self, import_id: str) -> Import:
        return self._transport.send("POST", f"/imports/{import_id}/cancel", {}, Import)

    def list_import_differences(self, import_id: str) -> Iterator[Difference]:
        """What a dry run would change, product by product."""
        cursor: str | None = None
        while True:
            page = self._transport.get(f"/imports/{import_id}/differences", Differences, cursor=cursor)
            yield from page.data
            cursor = page.meta.next
            if cursor is None:
                return
