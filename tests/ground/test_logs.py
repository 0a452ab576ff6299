"""No secret and no e-mail address leaves through a log; every line is one JSON object."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from monet_web import logs

KEY = "ck_0123456789abcdef0123456789abcdef01234567"
SECRET = "cs_fedcba9876543210fedcba9876543210fedcba98"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go in this test; afterwards the root logger is as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    logs.configure("json", stream=written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object(stream: io.StringIO) -> None:
    structlog.get_logger("monet_web.jobs").info("run closed", run=12, fetched=43, store="Šilta\nlova")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run closed",
        "run": 12,
        "fetched": 43,
        "store": "Šilta\nlova",
        "level": "info",
        "logger": "monet_web.jobs",
    }


def test_a_librarys_line_goes_through_the_same_door(stream: io.StringIO) -> None:
    logging.getLogger("urllib3").warning("GET %s", f"/wc/v3/orders?consumer_key={KEY}&page=2")
    (line,) = lines(stream)
    assert line["event"] == "GET /wc/v3/orders?consumer_key=[removed]&page=2"
    assert line["logger"] == "urllib3"


@pytest.mark.parametrize(
    "name",
    [
        "consumer_key", "consumer_secret", "Authorization", "ws_key", "token", "access_token", "password",
        "api_key", "SECRET_KEY", "encryption_keys", "Cookie", "secrets", "client_secret",
    ],
)  # fmt: skip
def test_a_field_with_a_secrets_name_is_removed(name: str) -> None:
    event = {"event": "x", name: "hunter2", "nested": {"list": [{name: "hunter2"}]}}
    cleaned = logs.redact(None, "info", event)
    assert "hunter2" not in repr(cleaned)
    assert cleaned[name] == "[removed]"
    assert event[name] == "hunter2", "the caller's own record is not changed"


@pytest.mark.parametrize("name", ["number_key", "external_id", "currency", "integration", "has_password_form"])
def test_an_ordinary_field_stays(name: str) -> None:
    assert logs.redact(None, "info", {name: "LT-1"}) == {name: "LT-1"}


@pytest.mark.parametrize(
    ("text", "secret", "left"),
    [
        (f"key {KEY} was refused", KEY[3:], "key ck_[removed] was refused"),
        (f"({SECRET})", SECRET[3:], "(cs_[removed])"),
        (f"?consumer_key={KEY}&consumer_secret={SECRET}", SECRET, "?consumer_key=[removed]&"),
        ("/api/orders?ws_key=ABCDEF123&display=full", "ABCDEF123", "&display=full"),
        ("{'Authorization': 'Basic Y2s6Y3M='}", "Y2s6Y3M=", "'Authorization': 'Basic [removed]'"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi", "Authorization: Bearer [removed]"),
        ('{"access_token": "shpat_00ff00ff00ff"}', "00ff00ff00ff", '"access_token": "[removed]"'),
        ("X-Shopify-Access-Token: shpat_00ff00ff00ff", "00ff00ff00ff", "X-Shopify-Access-Token: [removed]"),
        ("password=hunter2 host=db", "hunter2", "host=db"),
        ("postgresql+psycopg://monet:hunter2@db:5432/monet", "hunter2", "postgresql+psycopg://[removed]@db:5432"),
        ("redis://:hunter2@cache:6379/0", "hunter2", "@cache:6379/0"),
        ("Set-Cookie: session=abcdef; Path=/", "abcdef", "Set-Cookie: [removed]"),
        ("buyer ona.petraitiene+shop@example.lt ordered", "ona.petraitiene", "buyer [e-mail] ordered"),
    ],
)  # fmt: skip
def test_a_secret_inside_text_is_removed(text: str, secret: str, left: str) -> None:
    cleaned = logs.redact_text(text)
    assert secret not in cleaned
    assert left in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Order 1234 of Shop LT: total 12.10 EUR",
        "https://shop.test:8443/wp-json/wc/v3/orders?page=2",
        "ck_ and cs_",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert logs.redact_text(text) == text


def test_a_traceback_is_cleaned_too(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"GET https://shop.test/orders?consumer_secret={SECRET} failed")
    except ValueError:
        logging.getLogger("x").exception("the store failed")
    (line,) = lines(stream)
    assert "ValueError: GET https://shop.test/orders?consumer_secret=[removed] failed" in line["exception"]
    assert SECRET not in stream.getvalue()


def test_an_object_is_written_as_clean_text(stream: io.StringIO) -> None:
    structlog.get_logger("x").warning("refused", error=ValueError(f"token={SECRET}"), ids=(1, 2))
    (line,) = lines(stream)
    assert line["error"] == "token=[removed]"
    assert line["ids"] == [1, 2]


def test_at_a_terminal_it_is_text_and_clean(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    structlog.get_logger("x").info("refused", password="hunter2", store="Shop LT")
    assert "Shop LT" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
