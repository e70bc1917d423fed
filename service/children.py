"""Child processes that do not outlive us, however we end."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


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
    return subprocess.Popen(  # noqa: S603 - our own commands
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
        preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 - there are no threads yet where this is called
    )


def die_with(parent: int) -> Callable[[], None]:
    def before_exec() -> None:
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
