import stat
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from service.errors import ConflictError
from service.sealing import KEY_FILE, Sealer
from service.settings import Settings


def keyed(settings: Settings, *keys: str) -> Sealer:
    return Sealer(replace(settings, secret_key=",".join(keys)))


def test_what_is_sealed_says_nothing_and_opens_again(on_sqlite: Settings) -> None:
    sealed = Sealer(on_sqlite).seal("hunter2")
    assert "hunter2" not in sealed
    assert Sealer(on_sqlite).opened(sealed) == "hunter2"


def test_the_key_is_a_file_that_its_owner_alone_reads(on_sqlite: Settings) -> None:
    Sealer(on_sqlite).seal("hunter2")
    assert stat.S_IMODE((on_sqlite.data_dir / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in on_sqlite.data_dir.glob(f"{KEY_FILE}*")] == [KEY_FILE]


def test_sealing_twice_is_sealing_once_and_what_was_never_sealed_is_itself(on_sqlite: Settings) -> None:
    sealer = Sealer(on_sqlite)
    once = sealer.seal("hunter2")
    assert sealer.seal(once) == once
    assert sealer.opened("hunter2") == "hunter2"


def test_a_new_key_before_the_old_one_opens_what_the_old_one_sealed(on_sqlite: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = keyed(on_sqlite, old).seal("hunter2")
    assert keyed(on_sqlite, new, old).opened(sealed) == "hunter2"
    with pytest.raises(ConflictError, match="another key"):
        keyed(on_sqlite, new).opened(sealed)
