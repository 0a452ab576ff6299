"""Flask-Babel's functions with their types, under the names that extraction knows."""

from __future__ import annotations

from typing import Any

import flask_babel

from monet_web.blueprints.formats import number


def _(text: str, **values: Any) -> str:
    """The text in the person's language."""
    return str(flask_babel.gettext(text, **values))


def _l(text: str) -> Any:
    """The same, translated when it is shown."""
    return flask_babel.lazy_gettext(text)


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """The form of the number `num`, which the text names `%(num)s` and shows as numbers are written."""
    said = flask_babel.get_domain().get_translations().ngettext(one, many, num)
    return str(said) % {"num": number(num), **values}
