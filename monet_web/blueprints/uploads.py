"""A file that a form brings: its name without a folder, and its bytes within a limit."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _

from monet_web.blueprints.typed import plain
from monet_web.domain.errors import BrokenRule

LARGEST_FILE = 5 * 1024 * 1024


def uploaded(field: str = "file") -> tuple[str, bytes]:
    """Name and bytes. Raises BrokenRule when nothing was chosen, or too much."""
    file = request.files.get(field)
    if file is None or not file.filename:
        raise BrokenRule(_("No file was chosen."), fix=_("Choose a CSV or XLSX file."))
    data = file.stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise too_large()
    return plain(file.filename).replace("\\", "/").rpartition("/")[2][:200], data


def too_large() -> BrokenRule:
    """The refusal of a file that is too much for a page, with the way that takes it."""
    return BrokenRule(
        _("The file is too large for a page."),
        fix=_("Split it into several files, each with the header, or use the command line, which takes 32 MB."),
    )
