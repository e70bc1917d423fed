"""Public identifiers: ULIDs, so that they sort by the time they were made."""

import re

from ulid import ULID

_FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_id() -> str:
    return str(ULID())


def is_id(text: str) -> bool:
    return _FORM.fullmatch(text) is not None
