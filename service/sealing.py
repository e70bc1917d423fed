"""Secrets at rest: sealed with a key that is not in the database, so that a copy of the database holds none.

Fernet (AES-128-CBC and HMAC-SHA256) of the library cryptography. The key is SHELFCAST_SECRET_KEY, or else a file in the
data folder, made when it is first needed. Of several keys, separated by commas, each opens what it sealed, and the
first one seals.
"""

import contextlib
import os
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.errors import ConflictError
from service.settings import Settings

PREFIX = "sealed:"
KEY_FILE = "secret.key"


class Sealer:
    """One process's key; read when the first secret is sealed or opened."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def seal(self, secret: str) -> str:
        """What may be stored; sealing what is sealed already changes nothing."""
        return secret if secret.startswith(PREFIX) else PREFIX + self._fernet.encrypt(secret.encode()).decode()

    def opened(self, stored: str) -> str:
        """The secret; text from before secrets were sealed is itself. Raises ConflictError without its key."""
        if not stored.startswith(PREFIX):
            return stored
        try:
            return self._fernet.decrypt(stored.removeprefix(PREFIX)).decode()
        except InvalidToken:
            raise ConflictError(
                "A stored secret was sealed with another key; set SHELFCAST_SECRET_KEY to the key it was sealed with, "
                "or enter the secret anew."
            ) from None

    @cached_property
    def _fernet(self) -> MultiFernet:
        written = self._settings.secret_key or _kept(self._settings.data_dir / KEY_FILE)
        return MultiFernet([Fernet(key.strip()) for key in written.split(",")])


def _kept(file: Path) -> str:
    """The key in this file; made by whoever needs it first, whole before anybody can read it, for its owner alone."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_text(encoding="ascii").strip()
    mine = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(Fernet.generate_key().decode())
        new.flush()
        os.fsync(new.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(mine, file)
    mine.unlink()
    return file.read_text(encoding="ascii").strip()
