"""What a question named, kept in its form: when it has become something else meanwhile, it is asked again (H6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from flask import flash, request
from flask_babel import gettext as _

FIELD = "asked"


def proof(named: Iterable[object]) -> str:
    """A short text that is another one when anything of what was named is: ids, versions, sums."""
    return hashlib.blake2b("\n".join(str(each) for each in named).encode(), digest_size=12).hexdigest()


def has_changed(named: Iterable[object]) -> bool:
    """True, with a word to the person, when the form's question named something else than what is meant now.

    A form that came from no question (a button beside the one document that it names) proves nothing and needs not.
    """
    said = request.form.get(FIELD)
    if said is None or said == proof(named):
        return False
    flash(_("It has changed since you were asked. Look at it again."), "journal")
    return True
