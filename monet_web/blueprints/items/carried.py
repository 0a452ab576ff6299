"""A file between its preview and the answer, carried by the page itself, signed.

Nothing is kept on disk or in the database for a file that may never be confirmed, and any web process can take the
answer. The signature makes what is entered the file that was looked at, by the person who looked; choosing the file a
second time instead could bring one that was saved meanwhile, and a browser can't put it back into the form by itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer

from monet_web.blueprints import uploads
from monet_web.domain.errors import BrokenRule
from monet_web.services.books import tables

# Under Flask's own limit for a form without files (500 kB); some fifty thousand rows, since text packs well.
LARGEST_CARRIED = 400_000
_LASTS = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class Carried:
    """The file's name, its table as CSV (row numbers kept), and a token: sent twice, it is entered once.

    `wrong`: rows that were unusable already in the workbook, with the reasons.
    """

    name: str
    table: str
    token: str
    wrong: tuple[tuple[int, str], ...] = ()

    @property
    def data(self) -> bytes:
        """The table as services read it."""
        return self.table.encode()


def sign(purpose: str, *, name: str, data: bytes, with_wrong_rows: bool = False) -> str:
    """The text for a hidden field. Raises BrokenRule for a file that is too long to be carried.

    Rows that can't be used are refused, or carried along with their reasons.
    """
    mistakes = tables.Mistakes() if with_wrong_rows else None
    table = tables.as_csv(data, mistakes)
    said = [name[:200], table, secrets.token_urlsafe(12), mistakes.found if mistakes else []]
    text = _serializer(purpose).dumps(said)
    if len(text) > LARGEST_CARRIED:
        raise uploads.too_large()
    return str(text)


def opened(purpose: str, text: str) -> Carried:
    """What `sign` made for this person and purpose. Raises BrokenRule when it is old, foreign or changed."""
    try:
        name, table, token, wrong = _serializer(purpose).loads(text, max_age=_LASTS)
    except (BadData, ValueError):
        raise BrokenRule(_("This preview is too old to be entered."), fix=_("Choose the file once more.")) from None
    return Carried(name, table, token, tuple((number, reason) for number, reason in wrong))


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    # The key of sessions, set apart by purpose and person: nothing signed here opens anywhere else.
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"monet file {purpose} {current_user.id}")
