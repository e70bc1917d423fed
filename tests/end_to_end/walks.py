"""What walks through the documents share: a stand-in for curl, and how to read what it printed."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end import curl

BETWEEN = "----- next block -----"


def stand_in_for_curl(within: Path) -> Path:
    """A folder with a `curl` that is ours, for machines that have none."""
    folder = within / "bin"
    folder.mkdir()
    script = folder / "curl"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(curl.__file__)} "$@"\n')
    script.chmod(0o755)
    return folder


def documents(text: str) -> list[Any]:
    """The JSON documents at the beginning of a text."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(text) and text[place] in "{[":
        document, end = decoder.raw_decode(text, place)
        found.append(document)
        place = end + len(text[end:]) - len(text[end:].lstrip())
    return found
