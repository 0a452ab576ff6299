"""Cells that a spreadsheet shows and never runs: what a store sends must not become a formula (H2)."""

from __future__ import annotations

import re

# Spreadsheets take these for the beginning of a formula, also after the space that they trim.
_FORMULA = re.compile(r"^[\s\x00]*[=+\-@＝＋－＠]|^[\t\r\n]")
# XML 1.0, which XLSX is made of, has no such characters.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
LONGEST_CELL = 32_767


def cell(text: str) -> str:
    """A text for a cell of a CSV file: an apostrophe before what would be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def sheet_cell(text: str) -> str:
    """A text for a cell of a workbook, where text is no formula, but has a greatest length and no control codes."""
    return _NOT_IN_XML.sub("\ufffd", text)[:LONGEST_CELL]
