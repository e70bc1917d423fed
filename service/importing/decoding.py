"""Which encoding a file is in, and its text: a stream of pieces from a stream of bytes.

A file is ASCII until its first other byte; only then is anything decided, on the 64 KiB that begin there. So a file
whose first foreign letter comes late is read as rightly as one that begins with it. Where UTF-8 does not fit, a Windows
code page is chosen by the languages that are written in it: the letters beyond ASCII of a text in French are nearly all
French ones in windows-1252, and those of half a dozen languages in windows-1250.
"""

# ruff: noqa: RUF001 - letters of every script

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from service.importing.outcomes import UnreadableError

WINDOW = 64 * 1024
BROKEN = "\udcff"
"""What stands for bytes that are none in the encoding: a surrogate, which no text can hold."""

_HANDLER = "shelfcast-broken"
codecs.register_error(_HANDLER, lambda error: (BROKEN, error.end))  # type: ignore[attr-defined, unused-ignore]  # a UnicodeDecodeError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")

# Letters beyond ASCII of the languages that shops are run in, by the code page that they are written in. German is
# the same in the first two; of equals the first is taken.
_LANGUAGES = {
    "cp1252": (
        "äöüß", "àâçèéêëîïôùûœ", "áéíñóúü", "àèéìòù", "ãáâàçéêíóõú", "åäöæøé", "áðéíóúýþæö", "éëïöü",
    ),
    "cp1250": ("čćžšđ", "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ"),
    "cp1255": ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",),
    "cp1251": ("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўјљњћџђ",),
    "cp1253": ("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",),
    "cp1254": ("çğıöşüâîû",),
    "cp1256": ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي",),
    "cp1257": ("āčēģīķļņšūž", "ąčęėįšųūž", "äöüõšž"),
}  # fmt: skip
_ALPHABETS = {
    page: [frozenset(letters + letters.upper()) for letters in alphabets] for page, alphabets in _LANGUAGES.items()
}
_COMMONEST = {
    "cp1255": frozenset("יוהלאמרתב"),
    "cp1251": frozenset("оаеинтОАЕИНТ"),
    "cp1253": frozenset("αοιετσνηάέήίόΑΟΙΕΤΣΝΗ"),
    "cp1256": frozenset("اليمنوتر"),
}
"""Of scripts that are not Latin: any of them can be read in the code page of another, as nonsense."""
_NEUTRAL = frozenset("¿¡€‚„…†‡‰‹›‘’“”•–—™\u00a0°±§©«»¬\u00ad®¶·µ´¨×÷½¼¾²")
_BY_LANGUAGE = {
    "hr": "cp1250", "sl": "cp1250", "bs": "cp1250", "pl": "cp1250", "cs": "cp1250", "sk": "cp1250", "hu": "cp1250",
    "ro": "cp1250", "he": "cp1255", "ru": "cp1251", "uk": "cp1251", "bg": "cp1251", "sr": "cp1250", "mk": "cp1251",
    "el": "cp1253", "tr": "cp1254", "ar": "cp1256", "et": "cp1257", "lv": "cp1257", "lt": "cp1257",
}  # fmt: skip
_NAMEABLE = frozenset({
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "cp437", "cp850", "cp852", "cp855", "cp857", "cp858", "cp862",
    "cp866", "koi8-r", "koi8-u", "mac-roman", "mac-latin2", "shift_jis", "cp932", "euc_jp", "gbk", "gb18030", "gb2312",
    "big5", "cp950", "euc_kr", "cp949", "tis-620",
    *(f"cp125{digit}" for digit in range(9)), *(f"iso8859-{part}" for part in range(1, 17)),
})  # fmt: skip


_FOREIGN_WORD = re.compile(r"[^\x00-\xbf\u2000-\u20cf\W]{2,}")


class Decoded:
    """The text of a stream. `encoding` is known once the text has been read to its first letter beyond ASCII."""

    def __init__(self, pieces: Iterable[bytes], named: str | None = None, locale: str = "en") -> None:
        self.encoding = "ascii"
        self._pieces = iter(pieces)
        self._named = None if named is None else known(named)
        self._locale = locale

    def __iter__(self) -> Iterator[str]:
        head, rest = _taken(self._pieces, WINDOW)
        mark = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), None)
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise UnreadableError("The file is UTF-32; save it as UTF-8.")
        if mark is not None:
            return self._from(mark[1], chain([head[len(mark[0]) :]], rest))
        stated = self._named or _sniffed(head)
        pieces = chain([head], rest)
        if stated is None:
            return self._lazily(pieces)
        return self._from("utf-16-le" if stated == "utf-16" else stated, pieces)

    def _lazily(self, pieces: Iterable[bytes]) -> Iterator[str]:
        pieces = iter(pieces)
        for piece in pieces:
            if piece.isascii():
                yield piece.decode("ascii")
                continue
            start = next(place for place, byte in enumerate(piece) if byte > 0x7F)  # noqa: PLR2004 - the last of ASCII
            yield piece[:start].decode("ascii")
            window, rest = _taken(chain([piece[start:]], pieces), WINDOW)
            yield from self._from(guessed(window, self._locale), chain([window], rest))
            return

    def _from(self, encoding: str, pieces: Iterable[bytes]) -> Iterator[str]:
        self.encoding = encoding
        decoder = codecs.getincrementaldecoder(encoding)(_HANDLER)
        for piece in pieces:
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)


def known(name: str) -> str:
    """Python's own name of an encoding. Raises UnreadableError for what is none, or none of text."""
    try:
        canonical = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        canonical = ""
    if canonical not in _NAMEABLE:
        raise UnreadableError(f"There is no encoding {name[:40]!r}; name one such as utf-8 or windows-1250.")
    return canonical


def public(encoding: str) -> str:
    """The name that people know it by: cp1250 -> windows-1250."""
    return encoding.replace("cp125", "windows-125").replace("ascii", "utf-8")


def guessed(window: bytes, locale: str = "en") -> str:
    """The encoding of a text from its first byte beyond ASCII on; in doubt that of the store's language."""
    if _is_utf8(window):
        return "utf-8"
    usual = _BY_LANGUAGE.get(locale.partition("_")[0].partition("-")[0], "cp1252")
    pages = sorted(_ALPHABETS, key=lambda page: page != usual)
    return max(pages, key=lambda page: _likeness(window, page) * (1.2 if page == usual else 1.0))


def _is_utf8(window: bytes) -> bool:
    """Whether all of it is, but for a letter cut at its end and a few names that were cut in the middle of one."""
    text = codecs.getincrementaldecoder("utf-8")(_HANDLER).decode(window)
    beyond = sum(letter > "\x7f" for letter in text)
    return text.count(BROKEN) * 20 <= beyond - text.count(BROKEN)


def _likeness(window: bytes, page: str) -> float:
    """The share of letters beyond ASCII that one language of this code page has.

    In a Latin text they stand among others, in another script they stand side by side.
    """
    text = codecs.getincrementaldecoder(page)(_HANDLER).decode(window)
    beyond = [letter for letter in text if letter > "\x7f" and letter not in _NEUTRAL]
    if not beyond:
        return 0.0
    share = max(sum(letter in alphabet for letter in beyond) for alphabet in _ALPHABETS[page]) / len(beyond)
    if page not in _COMMONEST:
        return share
    in_words = sum(len(word) for word in _FOREIGN_WORD.findall(text)) / len(beyond)
    return share * in_words * (0.5 + sum(letter in _COMMONEST[page] for letter in beyond) / len(beyond))


def _sniffed(head: bytes) -> str | None:
    """UTF-16 without a mark, by its zeros; or what an XML declaration says, where that can be."""
    some = head[:4096]
    if some.count(0) * 5 > len(some):
        odd, even = some[1::2].count(0), some[::2].count(0)
        return "utf-16-le" if odd >= even else "utf-16-be"
    declared = _DECLARED.match(some)
    if declared is None:
        return None
    try:
        name = known(declared[1].decode())
    except UnreadableError:
        return None
    return None if name.startswith("utf") or name == "ascii" else name


def _taken(pieces: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, as many wherever the pieces were cut, and the pieces that follow."""
    taken = bytearray()
    while len(taken) < size and (piece := next(pieces, None)) is not None:
        taken += piece
    return bytes(taken[:size]), chain([bytes(taken[size:])], pieces)
