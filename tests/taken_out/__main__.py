"""Takes out, one after the other, the lines that keep the promises, and sees whether their tests fail.

`python -m tests.taken_out` works on a copy of the code and prints what failed without which line, as the table of
docs/promises.md. The exit code says whether every line was missed. Only some: `python -m tests.taken_out proof.py`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.taken_out.mechanisms import MECHANISMS, Mechanism

ROOT = Path(__file__).parents[2]
_PARTS = ("service", "workers", "display_drivers", "bench", "tests", "docs", "pyproject.toml", "README.md")
_FAILED = re.compile(r"^FAILED \S+::(\S+)", re.MULTILINE)


def missed(copy: Path, mechanism: Mechanism) -> list[str]:
    """The tests that fail without it; raises ValueError if the line is not there once."""
    file = copy / mechanism.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(mechanism.line) != 1:
        raise ValueError(f"{mechanism.file} has this {whole.count(mechanism.line)} times: {mechanism.line}")
    file.write_text(whole.replace(mechanism.line, mechanism.without), encoding="utf-8")
    try:
        environ = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not feeds", "-p", "no:cacheprovider"]
        with tempfile.TemporaryDirectory(prefix="shelfcast-taken-out-") as folder:
            asked = [*command, f"--basetemp={folder}/t", *shlex.split(mechanism.tests)]
            told = subprocess.run(asked, cwd=copy, env=environ, capture_output=True, text=True, check=False)
    finally:
        file.write_text(whole, encoding="utf-8")
    return _FAILED.findall(told.stdout)


def shown(mechanism: Mechanism) -> str:
    """The line as a cell of the table: where it is and, of several lines, the last."""
    line = mechanism.line.strip().splitlines()[-1].strip().replace("|", "\\|")
    return f"`{mechanism.file}`: `{line}`"


def _row(mechanism: Mechanism, failed: list[str]) -> str:
    said = " ".join(failed[0].partition("[")[0].split("_")[1:]) if failed else "**nothing failed**"
    return f"| {mechanism.promise[0]} | {shown(mechanism)} | {said} |\n"


def main(wanted: list[str]) -> int:
    chosen = [one for one in MECHANISMS if not wanted or any(word in one.file for word in wanted)]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="shelfcast-copy-") as folder:
        copy = Path(folder)
        for part in _PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        for mechanism in chosen:
            failed = missed(copy, mechanism)
            unnoticed += not failed
            sys.stdout.write(_row(mechanism, failed))
            sys.stdout.flush()
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
