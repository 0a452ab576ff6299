"""Flask's extensions, made empty here and bound in `create_app`, so that every room finds the same ones."""

from typing import Any

from babel.numbers import format_decimal
from flask_babel import Babel, Domain, get_locale
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx

from monet_web.languages import catalog

# The database (`db`) stands in models/base.py, with the rules of its transactions.
migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
htmx = Htmx()
# Nothing is limited unless a view says so: pages that follow a run ask every second.
limiter = Limiter(key_func=get_remote_address, default_limits=[])


class _Words(Domain):
    """The messages of a language, read from its .po file and not from a compiled copy of it."""

    def get_translations(self) -> Any:
        return catalog.words(str(get_locale()))

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """The form of a number, which stands in it as the language writes it: 1,204 or 1 204."""
        written = format_decimal(num, locale=get_locale() or "en")
        return str(self.get_translations().ungettext(singular, plural, num) % {"num": written, **variables})


babel = Babel()
babel.domain_instance = _Words()
