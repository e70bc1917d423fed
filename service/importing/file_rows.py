"""Rows of a file as the feed takes them: some at a time, each with its place in the file in what is said of it."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from service.core.product import Problem, StoreFacts
from service.core.rows import Checked, check_rows
from service.importing.outcomes import Line, Refused

AT_ONCE = 1000
"""Rows of one push."""
_NOTHING = msgspec.Raw(b"null")

_encode = msgspec.json.Encoder().encode


class Some(NamedTuple):
    """Rows that go on together.

    Attributes:
        rows: As they were read.
        raws: The same as JSON, null where the reader refused one.
        checked: What the feed would say of them.
    """

    rows: list[Line | Refused]
    raws: list[msgspec.Raw]
    checked: Checked

    @property
    def digest(self) -> str:
        """Of what is pushed, and of what is said of it."""
        said = _encode([(row.number, row.code) for row in self.rows if isinstance(row, Refused)])
        return hashlib.sha256(b"\n".join([said, *self.raws])).hexdigest()

    @property
    def rejected(self) -> int:
        return len(self.rows) - len(self.checked.accepted)


def take(rows: Iterator[Line | Refused], store: StoreFacts, unit: str) -> Some | None:
    """The next rows; None at the end of the file. `unit`: what a row's number counts, such as Line."""
    some = list(islice(rows, AT_ONCE))
    if not some:
        return None
    raws = [msgspec.Raw(_encode(row.product)) if isinstance(row, Line) else _NOTHING for row in some]
    checked = check_rows(raws, "whole", store)
    refused = {index: row for index, row in enumerate(some) if isinstance(row, Refused)}
    errors = [problem for problem in checked.errors if problem.index not in refused]
    errors += [Problem(index, row.barcode, row.field, str(row.code), row.detail) for index, row in refused.items()]
    checked.errors = sorted((_placed(some, problem, unit) for problem in errors), key=lambda problem: problem.index)
    return Some(some, raws, checked)


def _placed(rows: list[Line | Refused], problem: Problem, unit: str) -> Problem:
    detail = f"{unit} {rows[problem.index].number}: {problem.detail}"
    return msgspec.structs.replace(problem, detail=detail)
