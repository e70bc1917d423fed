"""One file on its way through the feed API: handed over in pushes, then watched until its batch is over."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice

from service.cli.mapping import Rejected
from service.cli.progress import Bars
from service.client import ROWS_A_PUSH, Feed, RefusedError
from service.core.batches import TERMINAL
from service.core.product import Problem
from service.importing.outcomes import Line
from service.messages import Status

OVER = {*TERMINAL, "held"}
"""A held batch waits for a person, not for us."""


class Sending:
    """A batch from its first row to its end.

    Attributes:
        session_id: Of the batch; empty until it is started.
        rejected: Every row that is not in the store, the file's own faults first.
        warnings: How many rows were taken with a warning.
        status: The last one that was asked for.
    """

    def __init__(self, feed: Feed, bars: Bars) -> None:
        self.session_id = ""
        self.rejected: list[Rejected] = []
        self.warnings = 0
        self.status: Status | None = None
        self._feed = feed
        self._bars = bars
        self._rows = 0

    def hand_over(self, lines: Iterable[Line | Rejected], reference: str | None, *, full: bool) -> None:
        """Push every row and complete the batch; if the file cannot be read to its end, the batch is cancelled."""
        self.session_id = self._feed.start_batch(reference, "full" if full else "merge").session_id
        try:
            for sequence, some in enumerate(_pushes(self._good(lines))):
                self._push(sequence, some)
            self._bars.sent(self._rows, last=True)
        except BaseException:
            self._abandon()
            raise
        self._feed.complete_batch(self.session_id)

    def _good(self, lines: Iterable[Line | Rejected]) -> Iterator[Line]:
        for line in lines:
            if isinstance(line, Rejected):
                self.rejected.append(line)
            else:
                yield line

    def _push(self, sequence: int, lines: list[Line]) -> None:
        answer = self._feed.push_batch(self.session_id, sequence, [line.product for line in lines])
        self.rejected += [_rejected(lines, problem) for problem in answer.errors]
        self.warnings += len({problem.index for problem in answer.warnings})
        self._rows += len(lines)
        self._bars.sent(self._rows)

    def _abandon(self) -> None:
        """Half a file must not be taken for a whole one; if this fails too, the session expires by itself."""
        try:
            self._feed.cancel_batch(self.session_id)
        except RefusedError:
            return

    def wait(self, interval: float) -> Status:
        """Watch the batch until it is over, asking every `interval` seconds."""
        while True:
            self.status = self._feed.get_batch_status(self.session_id)
            self._bars.show(self.status)
            if self.status.status in OVER:
                return self.status
            time.sleep(interval)


def _rejected(lines: list[Line], problem: Problem) -> Rejected:
    return Rejected(str(lines[problem.index].number), problem.barcode, problem.field, problem.code, problem.detail)


def _pushes(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while some := list(islice(lines, ROWS_A_PUSH)):
        yield some
