"""What the import API takes: bodies, headers and query parameters."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.api.requests import ListQuery
from service.errors import ValidationError
from service.importing.imports import Options, Part
from service.messages.imports import ImportStatus

_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")


class NewImport(msgspec.Struct, rename="camel"):
    """The body of `POST /imports`, which may be left out; what it does not say of the file is found out."""

    format: (
        Annotated[
            str,
            Meta(max_length=40, description="One of the known formats, such as shopify.", examples=["shopify"]),
        ]
        | None
    ) = None
    columns: (
        Annotated[
            dict[str, Annotated[str, Meta(max_length=255)]],
            Meta(
                max_length=64,
                description="Feed field -> header of its column, or key of NDJSON, to the letter. With a format, these"
                " count beside its own.",
            ),
        ]
        | None
    ) = None
    encoding: (
        Annotated[str, Meta(max_length=40, description="Such as utf-8 or windows-1250.", examples=["windows-1250"])]
        | None
    ) = None
    delimiter: Literal[",", ";", "\t", "|", ":", "^", "~"] | None = None
    decimal: Annotated[Literal[".", ","], Meta(description="The sign before a fraction, in every column.")] | None = (
        None
    )
    key_fallback: (
        Annotated[Literal["sku"], Meta(description="Rows without a barcode are keyed by their sku.")] | None
    ) = None
    location: (
        Annotated[
            str, Meta(max_length=100, description="The store as the file calls it, where it has columns of several.")
        ]
        | None
    ) = None
    mode: Annotated[
        Literal["merge", "full"],
        Meta(description="full: what the file does not name is archived at the end, under the store's guard."),
    ] = "merge"
    reference: (
        Annotated[
            str,
            Meta(
                max_length=200,
                pattern=r"^(?![\s\S]*[\u0000-\u001f\u007f])",
                description="The caller's own name for it, without control characters; its batch has it too.",
                examples=["nightly-2026-11-22"],
            ),
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Save nothing; say what would change.")] = False

    def options(self) -> Options:
        return Options(
            format=self.format,
            columns=self.columns,
            encoding=self.encoding,
            delimiter=self.delimiter,
            decimal=self.decimal,
            key_fallback=self.key_fallback,
            location=self.location,
        )


class Finalize(msgspec.Struct, rename="camel"):
    """The body of `POST /imports/{importId}/finalize`, which may be left out."""

    sha256: (
        Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", description="Of the file's bytes; others are refused.")] | None
    ) = None


class ImportsQuery(ListQuery):
    """Which imports."""

    status: Annotated[ImportStatus, Meta(description="Only imports in this state.")] | None = None


new_decoder = msgspec.json.Decoder(NewImport)
finalize_decoder = msgspec.json.Decoder(Finalize)


def part(content_range: str | None, content_length: str | None) -> Part:
    """Which bytes a request brings. Raises ValidationError for a Content-Range that none can have."""
    length = int(content_length) if content_length and content_length.isdecimal() else None
    if content_range is None:
        return Part(None, length, length)
    found = _RANGE.fullmatch(content_range.strip())
    first, last, total = (found[1], found[2], found[3]) if found else ("1", "0", "*")
    size = None if total == "*" else int(total)
    if int(last) < int(first) or (size is not None and int(last) >= size):
        reason = "is not bytes FIRST-LAST/TOTAL"
        detail = f"The Content-Range {reason}, such as bytes 1048576-2097151/5000000, or with * for the total."
        raise ValidationError(detail, {"Content-Range": reason})
    return Part(int(first), int(last) - int(first) + 1, size)
