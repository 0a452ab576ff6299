"""create_app(config): the web application, put together from its parts. It reads no environment by itself."""

import os
from datetime import timedelta
from pathlib import Path
from wsgiref.headers import Headers

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response
from whitenoise import WhiteNoise

from monet_web import logs
from monet_web.blueprints import access, errors, formats, navigation
from monet_web.blueprints.auth import auth
from monet_web.blueprints.customers import customers
from monet_web.blueprints.health import health
from monet_web.blueprints.integrations import integrations
from monet_web.blueprints.invoices import invoices
from monet_web.blueprints.items import items
from monet_web.blueprints.journals import journals
from monet_web.blueprints.reports import reports
from monet_web.blueprints.runs import runs
from monet_web.blueprints.settings import settings
from monet_web.blueprints.today import today
from monet_web.config import CHECKOUT, Config
from monet_web.extensions import babel, csrf, htmx, limiter, login, migrate
from monet_web.models import db
from monet_web.models.base import sealer

BLUEPRINTS: tuple[Blueprint, ...] = (
    health, auth, today, runs, integrations, items, customers, invoices, journals, reports, settings,
)  # fmt: skip

STATIC = Path(__file__).parent / "static"
MEGABYTE = 1024 * 1024

SECURITY_HEADERS = {
    # No inline script and no third party's host; htmx needs neither.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    # A page's address may name a customer or an order; no other site is to learn it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def from_environment() -> Flask:
    """The application of a web process: configuration and logs from the environment. Raises ConfigError."""
    config = Config.from_environment(os.environ)
    logs.configure(config.log)
    return create_app(config)


def create_app(config: Config) -> Flask:
    """One application. Its `Config` is `app.config["MONET"]`."""
    app = Flask("monet_web", root_path=str(Path(__file__).parent))
    app.config.update(
        MONET=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SESSION_COOKIE_SECURE=config.has_secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=config.has_secure_cookies,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        PREFERRED_URL_SCHEME="https" if config.has_secure_cookies else "http",
        MAX_CONTENT_LENGTH=32 * MEGABYTE,  # a file of items or receipts; orders come by other doors
        # The session ends the form; a form left open overnight is no reason to lose what was typed.
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=_limiter_storage(config),
        # A Redis that is down neither locks everybody out nor opens the sign-in to guessing.
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_IN_MEMORY_FALLBACK=[],
        # What pages that follow a run may be behind: it is read once for all that ask within this time.
        MONET_SHARED_SECONDS=0.5,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE="Europe/Vilnius",
    )
    _serve_static_files(app)
    if config.proxies:
        hops = config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    sealer.bind(config.encryption_keys)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(CHECKOUT / "migrations"), render_as_batch=True)
    for extension in (csrf, login, htmx, limiter):
        extension.init_app(app)
    babel.init_app(app, locale_selector=navigation.language)
    login.login_view = "auth.sign_in"
    login.login_message = None
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    access.guard(app)
    navigation.surround(app)
    formats.put_into(app)
    errors.answer(app)
    app.after_request(_add_security_headers)
    return app


def _add_security_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _add_security_headers_to_file(headers: Headers, _path: str, _url: str) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value


def _serve_static_files(app: Flask) -> None:
    # Before Flask, so that a style sheet costs no request context; vendored files carry versions in their names.
    if not STATIC.is_dir():
        return
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=STATIC,
        prefix="static/",
        max_age=300,
        immutable_file_test=r"-\d+\.\d+\.\d+[.-]",
        allow_all_origins=False,
        add_headers_function=_add_security_headers_to_file,
    )


def _limiter_storage(config: Config) -> str:
    if config.redis_url is None:
        return "memory://"
    # The name by which the limiter's storage knows a unix socket.
    return config.redis_url.replace("unix://", "redis+unix://", 1)
