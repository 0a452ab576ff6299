"""docs/findings.md made from the code: `.venv/bin/python -m tests.findings_table` writes it anew."""

from __future__ import annotations

from monet_web.config import CHECKOUT
from monet_web.domain.findings import CODES
from monet_web.domain.findings_general import GENERAL
from monet_web.domain.sentences import Sentences

PAGE = CHECKOUT / "docs" / "findings.md"

HEAD = """\
# Findings

What can be wrong with an invoice: the closed list of codes, each with its sentences: what is wrong, why it matters,
what to do, and the cause that heads the invoices that wait for the same thing. A finding stops its invoice in a
journal or is a notice beside it. Words in braces are filled with the actual values; Lithuanian sentences stand beside
the English ones in `monet_web/domain/findings.py`. Where only counts are known, as after a dry run, a code is said *in
general* (`monet_web/domain/findings_general.py`): the phrase after the count, and what to do whatever the values.

This page is made from those files: `.venv/bin/python -m tests.findings_table` writes it anew, and a test fails while
they differ.

| code | what is wrong | why it matters | what to do | cause |
|---|---|---|---|---|
"""


GENERAL_HEAD = """
## In general

| code in general | after a count | what to do |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = "".join(_row(code, english) for code, (english, _) in CODES.items())
    return HEAD + rows + GENERAL_HEAD + "".join(_general_row(code) for code in GENERAL)


def _general_row(code: str) -> str:
    english, _ = GENERAL[code]
    return f"| {code} | {english.phrase} | {english.fix} |\n"


def _row(code: str, sentences: Sentences) -> str:
    cells = [f"`{code}`", sentences.wrong, sentences.why, sentences.fix, sentences.cause]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
