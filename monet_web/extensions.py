"""Flask's extensions, made empty here and bound in `create_app`, so that every room finds the same ones."""

from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx

# The database (`db`) stands in models/base.py, with the rules of its transactions.
migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
htmx = Htmx()
# Nothing is limited unless a view says so: pages that follow a run ask every second.
limiter = Limiter(key_func=get_remote_address, default_limits=[])
babel = Babel()
