"""What goes back over the wire: status, headers, body, and the pages that WordPress and its hosts answer with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from monet_web.demo.woocommerce.documents import encode

JSON: Final = "application/json; charset=UTF-8"
HTML: Final = "text/html; charset=UTF-8"

NO_CACHE: Final = (
    ("Expires", "Wed, 11 Jan 1984 05:00:00 GMT"),
    ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private"),
)

CRITICAL_ERROR: Final = (
    "<p>There has been a critical error on this website.</p><p><a "
    'href="https://wordpress.org/documentation/article/faq-troubleshooting/">Learn more about troubleshooting '
    "WordPress.</a></p>"
)
MAINTENANCE: Final = "Briefly unavailable for scheduled maintenance. Check back in a minute."
NO_DATABASE: Final = "<h1>Error establishing a database connection</h1>"


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are those of this answer alone; the server puts the usual ones around them."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    # Whether it came out of WordPress's REST server, which adds its own headers.
    is_rest: bool = True
    # Whether a key was accepted: WordPress then forbids every cache.
    signed_in: bool = False

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def with_headers(self, **headers: str) -> Answer:
        """Names with _ for -."""
        return replace(self, headers=self.headers | {name.replace("_", "-"): text for name, text in headers.items()})


def success(value: object) -> Answer:
    return Answer(200, encode(value))


def failure(status: int, code: str, message: str, **more: Any) -> Answer:
    """WordPress's error document."""
    return Answer(status, encode({"code": code, "message": message, "data": {"status": status, **more}}))


def no_route() -> Answer:
    return failure(404, "rest_no_route", "No route was found matching the URL and request method.")


def died(status: int, code: str, message: str, *, title: str, accepts_json: bool, is_rest: bool = False) -> Answer:
    """WordPress gave up early: JSON for who asks for it with Accept, an HTML page for everybody else."""
    if accepts_json:
        document = {"code": code, "message": message, "data": {"status": status}, "additional_errors": []}
        return Answer(status, encode(document), dict(NO_CACHE), is_rest=is_rest)
    return Answer(status, page(title, message), dict(NO_CACHE), HTML, is_rest=is_rest)


def page(title: str, body: str) -> bytes:
    """A page of the theme, much shortened: a client must only see that it is no JSON."""
    return (
        '<!doctype html>\n<html lang="en-US">\n<head>\n<meta charset="UTF-8">\n'
        f"<title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def html(status: int, title: str, body: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, page(title, body), named, HTML, is_rest=False)
