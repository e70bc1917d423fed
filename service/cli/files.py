"""Files read a piece at a time: a feed of any length never fills the memory."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from service.cli.console import USAGE, stop
from service.importing.tables import MAX_FIELD

CsvLine = tuple[int, dict[str, str]]
PIECE = 64 * 1024

csv.field_size_limit(MAX_FIELD)


def chunks(path: str) -> Iterator[bytes]:
    """The bytes of the file, or of standard input for `-`."""
    source = sys.stdin.fileno() if path == "-" else path
    try:
        with open(source, "rb", closefd=path != "-") as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        stop(f"{path} cannot be read: {error.strerror}.", USAGE)


@contextmanager
def opened(path: str, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """The file, or standard input for `-`; a byte order mark is skipped."""
    name = "utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding
    source = sys.stdin.fileno() if path == "-" else path
    try:
        with open(source, encoding=name, newline="", closefd=path != "-") as file:
            yield file
    except UnicodeDecodeError as error:
        stop(
            f"{path} is not {encoding}: {error.reason} at byte {error.start}. Name its encoding with --encoding.", USAGE
        )
    except LookupError:
        stop(f"There is no encoding {encoding}.", USAGE)
    except OSError as error:
        stop(f"{path} cannot be read: {error.strerror}.", USAGE)


def csv_lines(path: str, needed: Sequence[str], *, encoding: str = "utf-8", delimiter: str = ",") -> Iterator[CsvLine]:
    """(line number, column -> value) of each row; ends the command if a needed column is not in the header."""
    with opened(path, encoding) as file:
        reader = csv.DictReader(file, delimiter=delimiter, restkey="", restval="")
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
        absent = [name for name in needed if name not in reader.fieldnames]
        if absent:
            stop(f"{path} has no column {', '.join(absent)}; it has {', '.join(reader.fieldnames) or 'none'}.", USAGE)
        try:
            for row in reader:
                row.pop("", None)  # more values than columns
                yield reader.line_num, row
        except csv.Error as error:
            stop(f"{path} line {reader.line_num} is not CSV: {error}.", USAGE)
