"""Where a line may be broken: at blanks, before a letter after a hyphen or a slash, and around ideographs and kana."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_EAST = "\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CLOSING = (
    "\u3001\u3002\uff0c\uff0e\u30fb\uff1a\uff1b\uff1f\uff01\uff09\uff3d\uff5d\u300d\u300f\u3011\u3009\u300b\u30fc"
    "ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
"""Never at the start of a line: closing signs, the long mark and small kana (JIS X 4051)."""
_MARKS = "\u0300-\u036f\ufe00-\ufe0f"
_IDEOGRAPH = f"[{_EAST}][{re.escape(_CLOSING)}{_MARKS}]*"
_WORD = rf"[^{_EAST}]+?(?:(?<=\w)[-/\u2010](?=[^\W\d])|(?=[{_EAST}])|$)"
_PIECE = re.compile(f"{_IDEOGRAPH}|{_WORD}", re.DOTALL)


class Piece(NamedTuple):
    """What is not broken: a word, a part of one up to a hyphen, an ideograph; with the blank before it, if any."""

    text: str
    after_blank: bool


@lru_cache(maxsize=4096)
def pieces_of(paragraph: str) -> tuple[Piece, ...]:
    found = []
    for number, word in enumerate(paragraph.split(" ")):
        parts = [word] if word.isascii() and word.isalnum() else _PIECE.findall(word)
        found += [Piece(part, after_blank=number > 0 and index == 0) for index, part in enumerate(parts)]
    return tuple(found)


def joined(line: Sequence[Piece]) -> str:
    first, *rest = line
    return first.text + "".join(f" {piece.text}" if piece.after_blank else piece.text for piece in rest)
