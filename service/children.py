"""Child processes that do not outlive us, however we end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

_PR_SET_PDEATHSIG = 1
_STOPPING = {signal.SIGINT, signal.SIGTERM}
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def python(module: str, *arguments: str) -> list[str]:
    """Run one of our modules; `-P`, so that a folder `workers` in the current one is not taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def spawn(
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that the kernel kills when the calling thread ends, even by kill -9 (on Linux).

    It is a process group of its own: a Ctrl-C in the terminal reaches the parent alone, which ends its children in
    the right order. Call this from the main thread, since it is the thread's end that kills.
    """
    with _told_later() as before:
        return subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            process_group=0,
            preexec_fn=die_with(os.getpid(), before),  # noqa: PLW1509 - there are no threads yet where this is called
        )


@contextlib.contextmanager
def _told_later() -> Iterator[set[int]]:
    """Hold back what tells us to stop until the fork is over; gives the signals that were held back before.

    Python runs handlers also in the hooks of a fork, where it prints and drops what they raise: we would go on.
    """
    before = {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)}
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with(parent: int, held_back: set[int] | None = None) -> Callable[[], None]:
    """What a child of `parent` does before it becomes its command, which hears all signals but `held_back`."""

    def before_exec() -> None:
        if held_back is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it died before the kernel knew
                os._exit(1)

    return before_exec


def end(process: subprocess.Popen[bytes], within: float) -> None:
    """Ask a child to end and, `within` seconds later, end it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
