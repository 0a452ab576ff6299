"""StoreClient against small real servers: limits, retries, redirects, and no secret ever said."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from requests.auth import HTTPBasicAuth
from werkzeug.wrappers import Request, Response

from monet_web.connectors.address_guard import AddressGuard, parse
from monet_web.connectors.answers import NotJson, decode
from monet_web.connectors.base import Surroundings
from monet_web.connectors.http import Limits, Moved, Stopped, StoreClient, TimedOut, TooLarge, Unusable
from monet_web.connectors.oauth1 import OAuth1, signature
from monet_web.domain.errors import NeedsOwner, RetryLater
from tests.connectors.shop import Shop, running, says

SECRET = "cs_a+b/c=d&e-veryhidden"


class Sleep:
    """A sleep that only remembers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client(shop: Shop, *, limits: Limits | None = None, sleep: Sleep | None = None, **more: Any) -> StoreClient:
    return StoreClient(
        parse(shop.address), shop.surroundings(**more), secrets=(SECRET,), limits=limits, sleep=sleep or Sleep()
    )


def test_numbers_with_a_point_are_decimals_and_never_floats() -> None:
    with running(lambda request: Response('[{"price": 43.275229333333336, "n": 1}]')) as shop:
        rows = client(shop).get_json("/x")
    assert rows == [{"price": Decimal("43.275229333333336"), "n": 1}]
    assert type(rows[0]["price"]) is Decimal


def test_who_asks_is_said_and_json_is_asked_for() -> None:
    with running(lambda request: says([])) as shop:
        client(shop).get_json("/x", [("a", "ž 1")])
        asked = shop.asked[0]
    assert asked.headers["User-Agent"].startswith("Monet-Web/")
    assert asked.headers["Accept"] == "application/json"
    assert asked.args["a"] == "ž 1"


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf[{"id":574}]',
        b'<br />\n<b>Deprecated</b>:  Type of X::y() in <b>/home/x.php</b> on line <b>12</b><br />\n[{"id":574}]',
        b'\n\nNotice: Undefined index [a] in x\n[{"id":574}]',
        b'[{"id":574}]<br />\n<b>Warning</b>: shutdown',
    ],
)
def test_dirt_around_the_json_is_cut_off(body: bytes) -> None:
    assert decode(body) == [{"id": 574}]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"null-ish", b"<html><body>[1] hello</body></html>", b'[{"a":{"id":1}', b'[{"id":1},{"id":2}',
        b'[{"id": NaN}]', b"[" * 100_000, b'{"a": 1e99999999999999999999}', b"\xff\xfe[1]", b'[{"id":1}] , {"id":2}',
        b'<br>\n[{"a":{"id":1}',
    ],
)  # fmt: skip
def test_a_cut_off_or_foreign_answer_never_passes_for_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"null", "the value null alone"),
        (b'"x"', 'the text "x" alone'),
        (b"-12.5", "the value -12.5 alone"),
        (b'"' + b"y" * 99 + b'"', f'the text "{"y" * 38}… alone'),
        (b"null-ish", "text that is not JSON"),
        (b"hello", "text that is not JSON"),
    ],
)
def test_json_that_is_neither_a_list_nor_an_object_is_said_as_it_was_given(body: bytes, said: str) -> None:
    with pytest.raises(NotJson) as caught:
        decode(body)
    assert str(caught.value) == said


@pytest.mark.parametrize("target", ["http://10.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]:8000/"])
def test_nobody_is_told_to_type_a_private_address_that_a_store_leads_to(target: str) -> None:
    with running(lambda request: Response("", 302, headers={"Location": target})) as shop:
        with pytest.raises(NeedsOwner, match="in a private network") as caught:
            client(shop).ask("/x")
        assert "type" not in caught.value.fix.lower()


def test_a_wrong_charset_in_the_header_does_no_harm_and_a_true_one_is_used() -> None:
    assert decode('["Sūris"]'.encode(), "application/json; charset=ISO-8859-1") == ["Sūris"]
    assert decode('["Sūris"]'.encode("cp1257"), "application/json; charset=windows-1257") == ["Sūris"]


def test_when_no_retry_is_left_an_error_of_the_store_still_comes_back_for_the_caller_to_narrow() -> None:
    with running(lambda request: Response("", 500)) as shop:
        asking = client(shop, limits=Limits(retries_per_run=1))
        assert [asking.ask("/x").status for _ in range(3)] == [500, 500, 500]
        assert len(shop.asked) == 4


def test_a_web_page_for_json_needs_the_owner_and_an_empty_answer_is_tried_later() -> None:
    with running(
        lambda request: Response("<!doctype html><title>x</title><p>Sveiki", content_type="text/html")
    ) as shop:
        with pytest.raises(NeedsOwner) as caught:
            client(shop).get_json("/x")
        assert "web page" in caught.value.message
        assert "Sveiki" in caught.value.message
    with running(lambda request: Response("")) as shop, pytest.raises(Unusable) as empty:
        client(shop).get_json("/x")
    assert "empty answer" in empty.value.message


def test_retry_after_in_seconds_is_waited_for_and_then_the_answer_comes() -> None:
    answers = iter([says({}, 429, Retry_After="7"), says({}, 503, Retry_After="3"), says([1])])
    sleep = Sleep()
    with running(lambda request: next(answers)) as shop:
        assert client(shop, sleep=sleep).get_json("/x") == [1]
    assert sum(sleep.seconds) == 10


def test_retry_after_as_a_date_is_counted_from_the_servers_own_clock() -> None:
    # The answer's own date is long past for us: only the difference of the two counts.
    head = (
        b"HTTP/1.1 503 No\r\nConnection: close\r\nDate: Tue, 24 Nov 2026 06:00:00 GMT\r\n"
        b"Retry-After: Tue, 24 Nov 2026 06:00:20 GMT\r\n"
    )
    sleep = Sleep()
    for at in raw(head + b"Content-Length: 2\r\n\r\n{}"):
        asking = raw_client(at, Limits(tries=2), sleep)
        with pytest.raises(RetryLater) as caught:
            asking.get_json("/x")
    assert sum(sleep.seconds) == 20
    assert caught.value.after_seconds == 20


def test_a_long_retry_after_ends_the_run_and_says_when_to_come_again() -> None:
    sleep = Sleep()
    with running(lambda request: says({}, 503, Retry_After="600")) as shop, pytest.raises(RetryLater) as caught:
        client(shop, sleep=sleep).get_json("/x")
    assert caught.value.after_seconds == 600
    assert sleep.seconds == []
    assert caught.value.fix


def test_a_store_that_stays_busy_is_given_up_after_four_tries() -> None:
    with running(lambda request: says({}, 502)) as shop:
        with pytest.raises(RetryLater):
            client(shop).get_json("/x")
        assert len(shop.asked) == 4


def test_all_waits_of_a_run_have_a_budget() -> None:
    with running(lambda request: says({}, 429, Retry_After="30")) as shop:
        asking = client(shop, limits=Limits(waits_per_run=70))
        with pytest.raises(RetryLater):
            asking.get_json("/x")
        assert asking.waited == 60
        with pytest.raises(RetryLater):
            asking.get_json("/x")
        assert asking.waited == 60


def test_a_wait_is_broken_off_when_the_run_should_stop() -> None:
    asked = [0]

    def should_stop() -> bool:
        asked[0] += 1
        return asked[0] > 4

    sleep = Sleep()
    with running(lambda request: says({}, 503, Retry_After="50")) as shop, pytest.raises(Stopped):
        client(shop, sleep=sleep, should_stop=should_stop).get_json("/x")
    assert sum(sleep.seconds) < 3


def raw(*pieces: bytes, pause: float = 0.0) -> Iterator[tuple[str, int]]:
    """A server that says exactly these bytes, slowly, to everybody."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            with closing(connected):
                try:
                    connected.recv(65536)
                    for piece in pieces:
                        connected.sendall(piece)
                        time.sleep(pause)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()
    listening.close()


def raw_client(at: tuple[str, int], limits: Limits | None = None, sleep: Sleep | None = None) -> StoreClient:
    surroundings = Surroundings(allowed_addresses=(f"127.0.0.1:{at[1]}",))
    return StoreClient(parse(f"http://127.0.0.1:{at[1]}"), surroundings, limits=limits, sleep=sleep or Sleep())


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("pieces", [[b"x"] * 100, [HEAD, b"Content-Length: 100\r\n\r\n", *([b" "] * 100)]])
def test_an_answer_that_trickles_is_cut_off_when_its_time_is_up(pieces: list[bytes]) -> None:
    for at in raw(*pieces, pause=0.1):
        started = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            raw_client(at, Limits(answer_seconds=0.4)).get_json("/x")
        assert time.monotonic() - started < 3
        assert "within 0.4 seconds" in caught.value.message


def test_a_silent_server_runs_into_the_read_time_limit() -> None:
    for at in raw(b"", pause=2):
        with pytest.raises(TimedOut):
            raw_client(at, Limits(read_seconds=0.2)).get_json("/x")


def test_an_answer_broken_off_in_the_middle_is_never_taken_for_whole() -> None:
    for at in raw(HEAD, b'Content-Length: 500\r\n\r\n[{"id": 1}]'):
        with pytest.raises(Unusable) as caught:
            raw_client(at).get_json("/x")
        assert "in the middle" in caught.value.message


def test_a_connection_refused_is_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(RetryLater) as caught:
        raw_client(("127.0.0.1", port)).get_json("/x")
    assert "refused the connection" in caught.value.message


def test_an_answer_larger_than_allowed_is_not_read_to_its_end_also_when_packed() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    with running(lambda request: Response(packed, headers={"Content-Encoding": "gzip"})) as shop:
        with pytest.raises(TooLarge) as caught:
            client(shop, limits=Limits(answer_bytes=1_000_000)).get_json("/x")
        assert caught.value.fix


def test_hurry_bounds_everything_together() -> None:
    with running(lambda request: says({}, 503)) as shop:
        hurried = client(shop)
        hurried.hurry(0.5)
        with pytest.raises(RetryLater):
            hurried.get_json("/x")
        assert len(shop.asked) == 1


def test_a_redirect_to_another_host_is_not_followed_and_its_address_is_named() -> None:
    with running(lambda request: says([])) as elsewhere:

        def moved(request: Request) -> Response:
            return Response("", 301, headers={"Location": f"{elsewhere.address}/wp-json/x?consumer_secret={SECRET}"})

        with running(moved) as shop, pytest.raises(Moved) as caught:
            client(shop).ask("/wp-json/x", auth=HTTPBasicAuth("k", SECRET))
        assert elsewhere.asked == []
    assert f"type {elsewhere.address} as its address" in caught.value.fix
    assert "consumer_secret" not in caught.value.sentence()


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest/", "http://10.0.0.1/", "file:///etc/passwd", "ftp://a.example/"]
)
def test_a_redirect_to_a_private_address_is_not_followed(location: str) -> None:
    with running(lambda request: Response("", 302, headers={"Location": location})) as shop:
        with pytest.raises(NeedsOwner) as caught:
            client(shop).ask("/x")
        assert caught.value.fix
        assert len(shop.asked) == 1


def test_a_redirect_of_the_path_alone_is_followed_with_the_question_kept() -> None:
    def slash(request: Request) -> Response:
        if request.path == "/x":
            return Response("", 301, headers={"Location": "/x/?a=1"})
        return says([request.args["a"]])

    with running(slash) as shop:
        assert client(shop).get_json("/x", [("a", "1")]) == ["1"]


def test_a_circle_of_redirects_ends() -> None:
    with running(lambda request: Response("", 302, headers={"Location": "/x"})) as shop, pytest.raises(NeedsOwner):
        client(shop).ask("/x")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_tls_is_checked_against_the_name_while_connecting_to_the_checked_address(
    authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    looked_up: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    with running(lambda request: says([request.host]), context) as shop:
        port = shop.host_port.rsplit(":", 1)[1]
        for name, good in (("shop.example", True), ("other.example", False)):
            asking = StoreClient(
                parse(f"https://{name}:{port}"),
                Surroundings(verify_tls=str(ca)),
                guard=AddressGuard(allow_private=True, resolver=resolver),
                sleep=Sleep(),
            )
            if good:
                assert asking.get_json("/x") == [f"shop.example:{port}"]
            else:
                with pytest.raises(NeedsOwner) as caught:
                    asking.get_json("/x")
                assert "is for another name" in caught.value.message
    assert looked_up == ["shop.example", "other.example"]


def test_a_certificate_of_nobody_needs_the_owner(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with running(lambda request: says([]), context) as shop, pytest.raises(NeedsOwner) as caught:
        client(shop).get_json("/x")
    assert "certificate of 127.0.0.1" in caught.value.message


def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    """DNS rebinding: the first answer is public, the second is 127.0.0.1; only the first is ever asked for."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    with running(lambda request: says("inside")) as shop:
        asking = StoreClient(
            parse(shop.address.replace("127.0.0.1", "rebind.example")),
            Surroundings(),
            guard=AddressGuard(resolver=lambda host, port: next(answers)),
            limits=Limits(tries=1, connect_seconds=1),
        )
        # pytest's closed network refuses 8.8.8.8 with an error of its own, which is proof of where it was going.
        with pytest.raises(Exception, match=r"8\.8\.8\.8|rebind\.example"):
            asking.get_json("/x")
        with pytest.raises(NeedsOwner, match="private network"):
            asking.get_json("/x")
        assert shop.asked == []


def test_a_private_address_is_refused_before_anything_is_sent() -> None:
    with running(lambda request: says([])) as shop:
        asking = StoreClient(parse(shop.address), Surroundings(), sleep=Sleep())
        with pytest.raises(NeedsOwner, match="private network"):
            asking.get_json("/x")
        assert shop.asked == []


FAULTS = {
    "closed": lambda request: Response("no", 403),
    "busy": lambda request: says({"message": f"key {SECRET}"}, 503),
    "error": lambda request: says({"message": SECRET}, 500),
    "page": lambda request: Response(f"<html>{SECRET} {request.url}</html>", content_type="text/html"),
    "moved": lambda request: Response(
        "", 301, headers={"Location": f"https://a.example/{request.query_string.decode()}"}
    ),
    "empty": lambda request: Response(""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_in_an_error_its_traceback_or_the_log(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    class InQuery(HTTPBasicAuth):
        def __call__(self, r: Any) -> Any:
            r.prepare_url(r.url, [("consumer_secret", SECRET)])
            return r

    with caplog.at_level(logging.DEBUG), running(FAULTS[fault]) as shop:
        asking = StoreClient(
            parse(shop.address),
            shop.surroundings(),
            secrets=(SECRET,),
            sleep=Sleep(),
            explain=lambda answer: RetryLater(asking.clean(f"{answer.url}: {answer.words()}")),
        )
        caught: BaseException | None = None
        try:
            asking.get_json("/x", auth=InQuery("a", "b"))
        except (RetryLater, NeedsOwner) as error:
            caught = error
    assert caught is not None
    said = "".join(traceback.format_exception(caught)) + repr(caught) + repr(caught.args) + repr(asking) + caplog.text
    said += repr(caught.__context__) + repr(caught.__cause__)
    assert "veryhidden" not in said


def test_the_link_header_that_repeats_the_keys_is_dropped() -> None:
    with running(
        lambda request: says([], Link=f'<https://x/?consumer_secret={SECRET}>; rel="next"', X_Y=SECRET)
    ) as shop:
        answer = client(shop).ask("/x")
    assert "link" not in answer.headers
    assert answer.headers["x-y"] == "***"


def test_oauth_signs_as_the_rfc_and_woocommerce_say() -> None:
    """The base string of WC_REST_Authentication: parameters sorted, encoded twice; the key is the secret and "&"."""
    import base64
    import hashlib
    import hmac

    parameters = [("per_page", "1"), ("_fields", "id,number"), ("oauth_nonce", "n")]
    base = (
        "GET&http%3A%2F%2Fshop.example%2Fwp-json%2Fwc%2Fv3%2Forders"
        "&_fields%3Did%252Cnumber%26oauth_nonce%3Dn%26per_page%3D1"
    )
    expected = base64.b64encode(hmac.new(b"cs_1&", base.encode(), hashlib.sha256).digest()).decode()
    assert signature("get", "http://shop.example/wp-json/wc/v3/orders", parameters, "cs_1") == expected


def test_every_retry_is_signed_anew_because_a_nonce_is_good_only_once() -> None:
    nonces: list[str] = []

    def busy(request: Request) -> Response:
        nonces.append(request.args["oauth_nonce"])
        return says({}, 503) if len(nonces) < 3 else says([])

    with running(busy) as shop:
        client(shop).get_json("/x", auth=OAuth1("ck", SECRET))
        assert all(SECRET not in request.url for request in shop.asked)
    assert len(set(nonces)) == 3


def test_a_stopped_run_asks_nothing_more() -> None:
    with running(lambda request: says([])) as shop:
        with pytest.raises(Stopped):
            client(shop, should_stop=lambda: True).get_json("/x")
        assert shop.asked == []


def test_a_fault_of_a_moment_is_forgiven_once() -> None:
    answers = iter([says({}, 500), says([1])])
    with running(lambda request: next(answers)) as shop:
        assert client(shop).get_json("/x") == [1]


def test_json_of_a_body_is_read_as_it_stands() -> None:
    assert decode(json.dumps({"a": [1, "x"]}).encode()) == {"a": [1, "x"]}
