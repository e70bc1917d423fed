"""Which column of a file is which field of the feed: formats are data, one TOML file each, in `bundled`."""

# ruff: noqa: RUF001 - letters that accents do not explain

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Literal

import msgspec

from service.core.fields import FIELDS
from service.core.problems import printable
from service.importing.outcomes import UnreadableError

Kind = Literal["csv", "ndjson", "xml"]
NAMES = frozenset({"barcode", *FIELDS})
"""What the feed calls its fields."""
_STORE = "{store}"
_ESSENTIAL = {"price"}
"""Of several stores, not to know whose price it is stops the file; other columns are left out then."""
_SHOWN_COLUMNS = 40
_LETTERS = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i", "’": "'"})
_SPACES = re.compile(r"[\s_\-\u00a0]+")
_IN_PARENTHESES = re.compile(r"\s*\([^()]*\)$")


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way of writing products.

    Attributes:
        title: For people.
        columns: Feed field -> headers that it goes by, the best first. Case, accents, blanks, hyphens and underscores
            do not count, nor does a currency in parentheses; `*` at the end stands for anything, and `{store}` for the
            name of one store in a file of several.
        roles: The same of what the `shape` has to know beside the fields.
        needs: What a file must have to be taken for this format, each as `this|or that`.
        rank: Of several that fit, the highest is taken.
        shape: What columns alone cannot say: see `shapes`.
        items: Tags of an XML file that hold one product.
    """

    title: str
    columns: dict[str, list[str]]
    roles: dict[str, list[str]] = {}
    needs: list[str] = []
    rank: int = 1
    kind: Literal["csv", "xml"] = "csv"
    shape: str = ""
    items: list[str] = []


class Layout(msgspec.Struct, frozen=True):
    """One file's columns, understood.

    Attributes:
        format: Name of the format; None where the caller says which column is which.
        places: Field or role -> its column, from 0.
        headers: Field -> header, as it is written in the file.
    """

    format: str | None
    shape: str
    places: dict[str, int]
    headers: dict[str, str]


@lru_cache(maxsize=1)
def bundled() -> Mapping[str, Format]:
    """Every format that comes with the program, by name."""
    folder = resources.files("service.importing") / "bundled"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): msgspec.toml.decode(file.read_bytes(), type=Format) for file in files}


def named(name: str) -> Format:
    """Raises UnreadableError for a format that there is not."""
    known = bundled()
    if name not in known:
        raise UnreadableError(f"There is no format {printable(name)}; there are {', '.join(known)}.")
    return known[name]


@lru_cache(maxsize=8192)
def plain(header: str) -> str:
    """A header without all that people write it differently by."""
    folded = unicodedata.normalize("NFKD", header.strip("\ufeff \t\r\n\"'")).casefold().translate(_LETTERS)
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return _SPACES.sub(" ", bare).strip()


def strangers(columns: Iterable[str]) -> list[str]:
    """Names among these that are no fields of the feed."""
    return sorted(set(columns) - NAMES)


def by_columns(header: Sequence[str], columns: Mapping[str, str]) -> Layout:
    """The caller's own words, to the letter. Raises UnreadableError for a column that the file does not have."""
    absent = [column for column in columns.values() if column not in header]
    if absent:
        raise UnreadableError(f"The file has no column {', '.join(map(printable, absent))}; it has {shown(header)}.")
    return Layout(None, "", {field: header.index(column) for field, column in columns.items()}, dict(columns))


def by_format(header: Sequence[str], name: str, store: Sequence[str] = ()) -> Layout:
    """This format's columns. `store`: names that the store goes by. Raises UnreadableError where one is missing."""
    form = named(name)
    places = _places(header, form, store)
    missing = [need for need in form.needs if not _has(places, need)]
    if missing:
        wanted = ", ".join(_told(form, need) for need in missing)
        raise UnreadableError(f"A file of the format {name} has {wanted}; this one has {shown(header)}.")
    return _layout(header, name, form, places)


def detected(header: Sequence[str], store: Sequence[str] = ()) -> Layout:
    """The format that the header fits. Raises UnreadableError, with what was found, if it fits none."""
    found = [(form.rank, len(places), name) for name, form, places in _fitting(header, store)]
    if not found:
        raise UnreadableError(
            f"These columns fit no known format: {shown(header)}. Say which is which with columns, such as"
            ' {"barcode": "EAN", "name": "Artikel", "price": "Preis"}, or name the format'
            f" ({', '.join(bundled())})."
        )
    return by_format(header, max(found, key=lambda one: one[:2])[2], store)


def likeness(header: Sequence[str]) -> int:
    """How many columns of the best format this header has; tells a right delimiter from a wrong one."""
    return max((len(_places(header, form, (), guess=True)) for form in bundled().values()), default=0)


def shown(header: Sequence[str]) -> str:
    names = [printable(name) for name in header[:_SHOWN_COLUMNS] if name]
    more = len(header) - len(names)
    return (", ".join(names) or "none") + (f" and {more} more" if more > 0 and names else "")


def _fitting(header: Sequence[str], store: Sequence[str]) -> Iterable[tuple[str, Format, dict[str, int]]]:
    for name, form in bundled().items():
        places = _places(header, form, store, guess=True)
        if form.kind == "csv" and all(_has(places, need) for need in form.needs):
            yield name, form, places


def _has(places: Mapping[str, int], need: str) -> bool:
    return any(one in places for one in need.split("|"))


def _told(form: Format, need: str) -> str:
    return " or ".join((form.columns | form.roles)[one][0] for one in need.split("|"))


def _layout(header: Sequence[str], name: str, form: Format, places: dict[str, int]) -> Layout:
    headers = {field: header[place] for field, place in places.items() if field in form.columns}
    return Layout(name, form.shape, places, headers)


def _places(header: Sequence[str], form: Format, store: Sequence[str], *, guess: bool = False) -> dict[str, int]:
    columns = _Columns([plain(name) for name in header], [plain(name) for name in store], guess=guess)
    places: dict[str, int] = {}
    for field, aliases in (form.columns | form.roles).items():
        found = (columns.place(alias, required=field in _ESSENTIAL) for alias in aliases)
        place = next((place for place in found if place is not None), None)
        if place is not None:
            places[field] = place
    return places


class _Columns:
    """The header of one file, and whose columns count where there are those of several stores."""

    def __init__(self, columns: Sequence[str], store: Sequence[str], *, guess: bool) -> None:
        self._columns = columns
        self._bare = [_IN_PARENTHESES.sub("", name) for name in columns]
        self._store = store
        self._guess = guess

    def place(self, alias: str, *, required: bool) -> int | None:
        if _STORE in alias:
            return self._of_store(alias, required=required)
        wanted = plain(alias)
        if wanted.endswith("*"):
            return next((place for place, name in enumerate(self._columns) if name.startswith(wanted[:-1])), None)
        for names in (self._columns, self._bare):
            if wanted in names:
                return names.index(wanted)
        return None

    def _of_store(self, alias: str, *, required: bool) -> int | None:
        """The column of this store; the only one there is, whatever the store is called there."""
        before, _, after = (plain(part) for part in alias.partition(_STORE))
        found = {
            name.removeprefix(before).removesuffix(after).strip(): place
            for place, name in enumerate(self._columns)
            if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)
        }
        mine = [found[name] for name in self._store if name in found]
        if mine or len(found) == 1 or (found and self._guess):
            return next(iter(mine or found.values()))
        if found and required:
            stores = ", ".join(printable(name) for name in found)
            what = alias.partition(_STORE)[0].strip("[ ")
            raise UnreadableError(f"The file has {what} of several stores ({stores}); say with location which one.")
        return None
