"""Foreign text made storable and showable: NFC, no control characters, no unpaired surrogates, single blanks."""

import re
from collections.abc import Sequence
from unicodedata import is_normalized, normalize

# What PostgreSQL cannot store (NUL, surrogates) and what no glass can show (C0, DEL, C1). Bidi marks are not among
# them: right-to-left names need them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_COMPOSING = re.compile("[^\x00-\u02ff]")
"""Below U+0300, where combining marks begin, nothing composes: Latin text is NFC whatever it says (UAX #15)."""
_BREAKS = "\t\n\v\f\r\x85"
_SHORT = 512
_BETWEEN = "`"
"""A letter that hardly any text has beside a blank, and with which nothing composes."""


def is_clean(text: str) -> bool:
    """Whether `clean` would return the text unchanged; cheap, and may say no to clean text."""
    return (
        text.isprintable()
        and (text.isascii() or (len(text) <= _SHORT and is_normalized("NFC", text)))
        and "  " not in text
        and text.strip() == text
    )


def tidied(texts: Sequence[str]) -> Sequence[str] | None:
    """These as `clean` would return each, where blanks are all that it changes; None where it may change more."""
    together = _BETWEEN.join(["", *texts, ""])
    if not together.isprintable():
        return None
    if _COMPOSING.search(together) and not _are_normal([text for text in texts if not text.isascii()]):
        return None
    if "  " in together or f"{_BETWEEN} " in together or f" {_BETWEEN}" in together:
        return [" ".join(text.split()) if "  " in text or text != text.strip() else text for text in texts]
    return texts


def _are_normal(texts: Sequence[str]) -> bool:
    return len(max(texts, key=len)) <= _SHORT and is_normalized("NFC", _BETWEEN.join(texts))


def clean(text: str) -> str:
    """The text as it is stored; blanks of any kind become one space, those at the ends go."""
    return _nfc(" ".join(without_control(text).split()))


def without_control(text: str) -> str:
    """The text without control characters and surrogates; a tab or line break becomes a space."""
    return _CONTROL.sub(lambda found: " " if found[0] in _BREAKS else "", text)


def has_control(text: str) -> bool:
    return _CONTROL.search(text) is not None


def _nfc(text: str) -> str:
    """NFC, word by word where the text is long; a longer word stays as it is.

    Normalising sorts a run of combining marks in quadratic time: 0.15 s for 16,000 of them, from one row.
    """
    if len(text) <= _SHORT:
        return normalize("NFC", text)
    return " ".join(normalize("NFC", word) if len(word) <= _SHORT else word for word in text.split(" "))
