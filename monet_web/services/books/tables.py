"""Typed tables: CSV and XLSX files as people save them, read into rows whose mistakes are all named at once.

CSV is UTF-8 (with or without a mark at its beginning) or Windows' Baltic code page, with comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.typed import Wrong as Wrong
from monet_web.domain.typed import day_of as day_of
from monet_web.domain.typed import number_of as number_of
from monet_web.domain.typed import shown as shown
from monet_web.services.books import workbooks

MOST_BYTES = 32 * 1024 * 1024
_SHOWN_MISTAKES = 50
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_DELIMITERS = ",;\t"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` as a spreadsheet counts (the header is 1); cells by column, trimmed, "" where there is none."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


class WrongRows(BrokenRule):
    """Rows of a file that can't be used; nothing of it was. `rows`: (row number, what is wrong and what to type)."""

    def __init__(self, rows: Sequence[tuple[int, str]]) -> None:
        self.rows = sorted(rows)
        count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
        shown = [f"Row {number}: {sentence}" for number, sentence in self.rows[:_SHOWN_MISTAKES]]
        if len(rows) > _SHOWN_MISTAKES:
            shown.append(f"… and {len(rows) - _SHOWN_MISTAKES} more.")
        super().__init__(f"{count} of the file can't be used, so nothing was changed.", fix="\n" + "\n".join(shown))


@dataclass(slots=True)
class Mistakes:
    """Collects what is wrong, row by row, so that a person mends a file once and not row after row."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, sentence: str) -> None:
        """One sentence: what is wrong with the actual value, and what to type."""
        self.found.append((row, sentence))

    @contextmanager
    def of(self, row: int) -> Iterator[None]:
        """A `Wrong` raised inside is a mistake of that row."""
        try:
            yield
        except Wrong as wrong:
            self.add(row, str(wrong))

    def refuse(self) -> None:
        """Raises WrongRows when there is any."""
        if self.found:
            raise WrongRows(self.found)


def read(
    data: bytes,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    fields: Sequence[str] | None = None,
    mistakes: Mistakes | None = None,
) -> list[Row]:
    """The rows of a file with a header, without the empty ones. Raises BrokenRule for a file that can't be read.

    `fields`: what each column is, "" for one that is left out, whatever its heading says. `mistakes`: rows that can't
    be used are added to it, and are not among those given; without it they are refused together.
    """
    is_asked_to_refuse = mistakes is None
    mistakes = mistakes or Mistakes()
    records = _all_records(data, mistakes)
    position, header = _header(records, required)
    columns = [_column(cell) for cell in header] if fields is None else [*fields][: len(header)]
    _check_header(columns, required, optional)
    rows: list[Row] = []
    for number, cells in records:
        if number <= position or not any(cells):
            continue
        if any(cells[len(header) :]):
            mistakes.add(
                number,
                f"It has {len(cells)} cells, the header {len(header)}. Put a value with a comma into quotation marks.",
            )
            continue
        rows.append(Row(number, dict(zip(columns, cells, strict=False))))
    if is_asked_to_refuse:
        mistakes.refuse()
    unusable = {number for number, _ in mistakes.found}
    return [row for row in rows if row.number not in unusable]


def headings(data: bytes, samples: int = 3) -> list[tuple[str, list[str]]]:
    """Each column's heading as the file writes it, with the first few values below it. Raises BrokenRule."""
    records = _all_records(data, Mistakes())
    position, header = _header(records, ())
    below = [cells for number, cells in records if number > position and any(cells)]
    found: list[tuple[str, list[str]]] = []
    for place, heading in enumerate(header):
        values = (cells[place] for cells in below if place < len(cells) and cells[place])
        found.append((heading, list(islice(values, samples))))
    return found


def heading_key(heading: str) -> str:
    """A heading as headings are compared: without case, spaces and dashes as underscores."""
    return _column(heading)


def as_csv(data: bytes, mistakes: Mistakes | None = None) -> str:
    """The same table as plain CSV whose rows keep their numbers: what a page carries from a preview to its answer.

    Raises BrokenRule as `read` does; with `mistakes` rows that can't be used are added to it instead.
    """
    is_asked_to_refuse = mistakes is None
    mistakes = mistakes or Mistakes()
    records = dict(_all_records(data, mistakes))
    if is_asked_to_refuse:
        mistakes.refuse()
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    last = max((number for number, cells in records.items() if any(cells)), default=0)
    for number in range(1, last + 1):
        writer.writerow(records.get(number, ()))
    return written.getvalue()


def one_of(text: str, choices: Mapping[str, T], *, column: str) -> T:
    """The meaning of a cell that allows a few words, compared without case. Raises Wrong."""
    folded = fold(text)
    if folded not in choices:
        raise Wrong(f"{column} is “{shown(text)}”. Type one of: {', '.join(choices)}.")
    return choices[folded]


def short(text: str, limit: int, *, column: str) -> str:
    """A text of at most `limit` characters. Raises Wrong."""
    if len(text) > limit:
        raise Wrong(f"{column} has {len(text)} characters. Type at most {limit}.")
    return text


def _all_records(data: bytes, mistakes: Mistakes) -> list[workbooks.Record]:
    _refuse_large(data)
    if not workbooks.is_workbook(data):
        return _records(_decoded(data))
    records, wrong = workbooks.records(data)
    mistakes.found += wrong
    for _number, cells in records:
        _checked("".join(cells))
    return records


def _refuse_large(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise BrokenRule(
            f"The file has {len(data) // 1024 // 1024} MB; at most {MOST_BYTES // 1024 // 1024} are read at once.",
            fix="Split it into several files, each with the header.",
        )


def _decoded(data: bytes) -> str:
    if data.startswith(_OLD_WORKBOOK):
        raise BrokenRule(
            "The file is an old Excel workbook (.xls), or one that is locked with a password.",
            fix="Save it as “Excel workbook (.xlsx)” without a password, or as “CSV UTF-8”.",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _as_text(data, "utf-16")
    try:
        return _checked(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        # What Excel in Lithuania writes when one chooses plain "CSV".
        return _as_text(data, "cp1257")


def _as_text(data: bytes, encoding: str) -> str:
    try:
        return _checked(data.decode(encoding))
    except UnicodeDecodeError:
        raise BrokenRule("The file's letters can't be read.", fix="Save it as “CSV UTF-8” and import that.") from None


def _checked(text: str) -> str:
    # PostgreSQL keeps no NUL, and no table has one.
    if "\x00" in text:
        raise BrokenRule("The file is not a table of text.", fix="Save it as “CSV UTF-8” and import that.")
    return text


def _records(text: str) -> list[tuple[int, list[str]]]:
    """(row number, trimmed cells); a cell with a line break in it makes one row, as in a spreadsheet."""
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise BrokenRule(
            f"The file can't be read as a table: {error}.",
            fix="Look for a quotation mark that is opened and not closed, or save the table as CSV again.",
        ) from None


def _header(records: Sequence[workbooks.Record], required: Sequence[str]) -> workbooks.Record:
    """The first row that is not empty. Raises BrokenRule when there is none."""
    found = next(((number, cells) for number, cells in records if any(cells)), None)
    if found is None:
        says = f"Its first row must be the header: {','.join(required)}." if required else "Choose a file with rows."
        raise BrokenRule("The file is empty.", fix=says)
    return found


def _column(cell: str) -> str:
    return fold(cell).replace(" ", "_").replace("-", "_")


def _check_header(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = (*required, *optional)
    header = f"Its first row must be the header: {','.join(required)}" + (
        f", and may have {', '.join(optional)} too." if optional else "."
    )
    if missing := [name for name in required if name not in columns]:
        raise BrokenRule(f"The file has no column {' and no column '.join(missing)}.", fix=header)
    # An unknown column may be a mistyped one, whose values would be lost without a word.
    if unknown := [shown(name) for name in columns if name and name not in known]:
        raise BrokenRule(
            f"The file has a column that means nothing here: {', '.join(unknown)}.",
            fix=f"Take it out or rename it. {header}",
        )
    if twice := [name for name in known if columns.count(name) > 1]:
        raise BrokenRule(f"The file has the column {twice[0]} twice.", fix="Take one of them out.")


def in_parts(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The sequence in parts of `size`: so many values one statement takes on both databases."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
