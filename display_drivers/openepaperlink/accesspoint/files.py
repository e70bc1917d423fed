"""The access point's file system, in memory."""


class Files:
    """Files by absolute path. A write that does not fit is cut off without a word, as on the real thing (U6)."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._reserved = 0
        self._contents: dict[str, bytes] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._contents

    @property
    def names(self) -> list[str]:
        return sorted(self._contents)

    @property
    def free(self) -> int:
        return max(0, self.total - self._reserved - sum(map(len, self._contents.values())))

    def leave_free(self, size: int | None) -> None:
        """Fills the file system up to that many bytes; None: takes the filling out again."""
        self._reserved = 0
        if size is not None:
            self._reserved = max(0, self.free - size)

    def read(self, path: str) -> bytes | None:
        return self._contents.get(path)

    def write(self, path: str, data: bytes) -> None:
        self.remove(path)
        self._contents[path] = data[: self.free]

    def rename(self, path: str, new: str) -> None:
        self._contents[new] = self._contents.pop(path)

    def remove(self, path: str) -> None:
        self._contents.pop(path, None)

    def sweep(self) -> None:
        """What a boot deletes (R3)."""
        for path in self.names:
            if path.startswith("/temp/") or path.endswith(".pending"):
                self.remove(path)
