"""StoreClient: asks a store, patiently and within limits, and never says a secret.

What it raises is named by the reaction (domain.errors) and is raised outside of `except` blocks: an exception of the
HTTP library holds the full URL, and a URL may hold the store's keys, so it must not even hang on as `__context__`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from monet_web.connectors.address_guard import AddressGuard, StoreAddress, parse
from monet_web.connectors.answers import Answer, Json, NotJson
from monet_web.connectors.base import Surroundings
from monet_web.connectors.failures import (
    BUSY,
    LATER,
    TOO_MANY,
    Moved,
    Stopped,
    TimedOut,
    TooLarge,
    Unusable,
    certificate_error,
    explain_status,
    stopped,
)
from monet_web.connectors.pace import Pace
from monet_web.connectors.transport import Deadline, GuardedAdapter
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater

__all__ = ["Limits", "Moved", "StoreClient", "Stopped", "TimedOut", "TooLarge", "Unusable", "explain_status"]

log = logging.getLogger(__name__)

USER_AGENT = "Monet-Web/0.1 (order import)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOUD = frozenset({"link", "set-cookie"})  # with keys in the query, WooCommerce repeats them in `Link`


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts that a store may cost."""

    connect_seconds: float = 10
    read_seconds: float = 45  # between two pieces of an answer
    answer_seconds: float = 120  # a whole answer
    answer_bytes: int = 32 * 1024 * 1024  # unpacked
    longest_wait: float = 60  # a longer Retry-After ends the run, which is tried again then
    waits_per_run: float = 600
    retries_per_run: int = 100
    tries: int = 4  # of one question


Params = Sequence[tuple[str, str]]
Explain = Callable[[Answer], MonetError]


@dataclass(frozen=True, slots=True)
class _Failure:
    """A question that got no answer: what to raise, and how often to try before that."""

    error: MonetError
    tries: int = 1


class StoreClient:
    """Asks one store, from one thread; `twin()` makes one for another. `close()` ends its connections.

    `secrets` are what must never be seen: they are cut out of everything this client hands out. `explain` turns an
    answer that is no success into the error to raise.
    """

    def __init__(
        self,
        base: StoreAddress,
        surroundings: Surroundings,
        *,
        secrets: Sequence[str] = (),
        explain: Explain | None = None,
        limits: Limits | None = None,
        guard: AddressGuard | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self.base = base
        self.limits = limits or Limits()
        self.pace = pace or Pace(clock=clock)
        self._explain = explain or explain_status
        self._should_stop = surroundings.should_stop
        self._verify = surroundings.verify_tls
        self._guard = guard or AddressGuard(surroundings.allow_private_addresses, surroundings.allowed_addresses)
        self._adapter = GuardedAdapter(self._guard)
        self._hidden = _spellings(secrets)
        self._sleep = sleep
        self._clock = clock
        self._until: float | None = None
        self._rested_until = 0.0
        self._began = 0.0  # the last question, by the pace's clock

    @property
    def waited(self) -> float:
        """Seconds waited for a busy or failing store, by all twins together."""
        return self.pace.waited

    def twin(self) -> StoreClient:
        """Another client of the same store for another thread: own connections, the same limits, pace and secrets.

        It is stopped by `close()` of its original, since only the run's own thread may look whether to stop.
        """
        surroundings = Surroundings(verify_tls=self._verify, should_stop=self.pace.ended.is_set)
        twin = StoreClient(
            self.base, surroundings, explain=self._explain, limits=self.limits, guard=self._guard, sleep=self._sleep,
            clock=self._clock, pace=self.pace,
        )  # fmt: skip
        twin._hidden, twin._until = self._hidden, self._until
        return twin

    def hurry(self, seconds: float) -> None:
        """From now on everything together may take this long; what does not fit raises TimedOut."""
        self._until = self._clock() + seconds

    def get_json(self, path: str, params: Params = (), *, auth: AuthBase | None = None) -> Json:
        """The JSON of a successful answer. Raises what `explain` says of any other, Unusable when it is no JSON."""
        answer = self.ask(path, params, auth=auth)
        if not 200 <= answer.status < 300:
            raise self.explained(answer)
        return self.json(answer)

    def json(self, answer: Answer) -> Json:
        """An answer's JSON. Raises Unusable, or NeedsOwner for a web page."""
        try:
            return answer.json()
        except NotJson as error:
            said = str(error)
        if answer.is_html:
            raise self.explained(answer)
        raise Unusable(f"{self.base.host} answered with {said} where orders or settings were asked for.", fix=LATER)

    def explained(self, answer: Answer) -> MonetError:
        """The error to raise for an answer that is no success."""
        body = self.clean(answer.body.decode("utf-8", "replace")).encode()  # an error page may quote the question
        return self._explain(replace(answer, body=body) if self._hidden else answer)

    def ask(
        self,
        path: str,
        params: Params = (),
        *,
        auth: AuthBase | None = None,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One question with its retries; `path` goes behind the address. Whatever its status, an answer comes back,
        except a redirect that leads elsewhere and a store that stays busy, which are raised.
        """
        tried = 0
        while True:
            self.check_stop()
            self._stay_away()
            outcome = self._follow(method, path, params, auth, body, headers or {})
            tried += 1
            if isinstance(outcome, Answer) and outcome.status not in BUSY:
                # A plugin that fails for one moment is forgiven once; what fails twice is the caller's to narrow.
                self.pace.went_well()
                if outcome.status < 500 or tried > 1 or not self._may_wait(1.0):
                    return outcome
                self._wait(tried, None, self.explained(outcome))
                continue
            if isinstance(outcome, Answer):
                error, tries, asked = self.explained(outcome), self.limits.tries, outcome.retry_after
                wait = _backoff(tried) if asked is None else asked
                self.pace.slow_down(min(asked or 0.0, self.limits.longest_wait))
                if outcome.status == TOO_MANY:
                    self.pace.refused(self._began, wait)
            else:
                error, tries, asked = outcome.error, outcome.tries, None
            if isinstance(error, RetryLater) and asked is not None:
                error.after_seconds = asked
            # What a person must mend (a 503 that says it is switched off) is not mended by asking again.
            if tried >= tries or isinstance(error, NeedsOwner):
                raise error
            self._wait(tried, asked, error)

    def close(self) -> None:
        """Ends the connections, and with them every twin's questions."""
        self.pace.ended.set()
        self._adapter.close()

    def hide(self, secret: str) -> None:
        """One more secret, that the store itself gave: it is cut out of everything from now on."""
        self._hidden = tuple(sorted({*self._hidden, *_spellings((secret,))}, key=len, reverse=True))

    def pause(self, seconds: float) -> None:
        """Waits because the store's own rules of pace say so. This is no trouble and has no share in its limits.

        Raises Stopped, and TimedOut when what may be spent would be over by then.
        """
        left = self._seconds_left()
        if left is not None and seconds >= left:
            raise self._too_slow(left)
        self._rest(seconds)

    def clean(self, text: str) -> str:
        """The text without any of the secrets."""
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        return text

    def __repr__(self) -> str:
        return f"StoreClient({self.base.url})"

    def _follow(
        self,
        method: str,
        path: str,
        params: Params,
        auth: AuthBase | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer | _Failure:
        """Follows redirects that only change the path on the same host: keys must not go anywhere else."""
        url = self.base.url + path
        for _ in range(4):
            outcome = self._once(method, url, params, auth, body, headers)
            if isinstance(outcome, _Failure) or outcome.status not in _REDIRECTS or "location" not in outcome.headers:
                return outcome
            target = self._target(url, outcome.headers["location"], path)
            url = target.origin + (urlsplit(urljoin(url, outcome.headers["location"])).path or "/")
        return _Failure(
            NeedsOwner(
                f"{self.base.host} sends us round in a circle of redirects at {self.clean(url)}.",
                fix="Open that address in a browser; a redirect plugin or the web server's settings must be mended.",
            )
        )

    def _target(self, url: str, location: str, path: str) -> StoreAddress:
        """Where a redirect leads, if it may be followed. Raises Moved or NeedsOwner."""
        try:
            full = urlsplit(urljoin(url, location))
            target = parse(full._replace(query="", fragment="").geturl())
        except (ValueError, BrokenRule):
            target = None
        if target is None:
            raise NeedsOwner(
                f"{self.base.host} sends us on to an address that cannot be read.",
                fix="Open the shop's address in a browser and type here the address that it ends at.",
            )
        if (target.scheme, target.host, target.port) == (self.base.scheme, self.base.host, self.base.port):
            return target
        final = self.clean(target.url)
        if target.host != self.base.host and not self._guard.allows(target.host, target.port):
            raise NeedsOwner(
                f"{self.base.url} sends us on to {final}, which is in a private network, not on the internet.",
                fix="Ask whoever looks after the shop's server why its public address leads there.",
            )
        wanted = StoreAddress(target.scheme, target.host, target.port, target.path.removesuffix(path.rstrip("/")))
        raise Moved(
            f"{self.base.url} sends us on to {final}.",
            fix=f"If that is your shop, type {self.clean(wanted.url)} as its address.",
            target=wanted,
        )

    def _once(
        self,
        method: str,
        url: str,
        params: Params,
        auth: AuthBase | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer | _Failure:
        seconds = self._seconds_left()
        if seconds is not None and seconds <= 0:
            raise self._too_slow(self.limits.answer_seconds)
        limit = self.limits.answer_seconds if seconds is None else min(seconds, self.limits.answer_seconds)
        with self._turn():
            started = self._clock()
            with Deadline(self._adapter, limit) as deadline:
                outcome = self._exchange(method, url, params, auth, body, headers, limit)
        if deadline.passed:
            outcome = _Failure(self._too_slow(limit), 2)
        status = outcome.status if isinstance(outcome, Answer) else type(outcome.error).__name__
        log.debug("%s %s: %s, %.2f s", method, self.clean(url), status, self._clock() - started)
        return outcome

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One's turn to ask, when the store wants to be asked: it may have said otherwise while one waited."""
        while True:
            with self.pace.turn():
                if self.pace.free_at <= self._rested_until or self.pace.free_at <= self._clock():
                    self._rest(self.pace.until_next())
                    self._began = self.pace.begins()
                    yield
                    return
            self._stay_away()

    def _exchange(
        self,
        method: str,
        url: str,
        params: Params,
        auth: AuthBase | None,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: float,
    ) -> Answer | _Failure:
        started = self._clock()
        response: requests.Response | None = None
        try:
            prepared = requests.Request(
                method,
                url,
                params=list(params),
                auth=auth,
                data=body,
                headers={
                    "User-Agent": USER_AGENT,
                    "Accept": "application/json",  # without it WordPress's fatal errors are web pages
                    "Accept-Encoding": "gzip, deflate",
                    **headers,
                },
            ).prepare()
            # Not through a Session: it reads a redirect's body without limit, and takes proxies from the environment.
            response = self._adapter.send(
                prepared,
                stream=True,
                timeout=(min(self.limits.connect_seconds, limit), min(self.limits.read_seconds, limit)),
                verify=self._verify,
            )
            content = self._body(response)
            if isinstance(content, _Failure):
                return content
            kept = {
                name.lower(): self.clean(value) for name, value in response.headers.items() if name.lower() not in _LOUD
            }
            return Answer(response.status_code, kept, content, self.clean(url), self._clock() - started)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return self._failure(error, limit)
        finally:
            if response is not None:
                response.close()

    def _body(self, response: requests.Response) -> bytes | _Failure:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(65536):
            size += len(piece)
            if size > self.limits.answer_bytes:
                return _Failure(
                    TooLarge(
                        f"{self.base.host} gave an answer larger than {self.limits.answer_bytes // 1024**2} MB.",
                        fix="A plugin of the shop adds far too much to its orders; ask whoever looks after the shop.",
                    )
                )
            pieces.append(piece)
            if self._should_stop():
                return _Failure(stopped())
        return b"".join(pieces)

    def _failure(self, error: Exception, limit: float) -> _Failure:
        """What went wrong on the wire, in our own words: the library's words hold the URL."""
        host = self.base.host
        tries = self.limits.tries
        if isinstance(error, requests.exceptions.SSLError):
            return _Failure(certificate_error(host, str(error)))
        if isinstance(error, requests.exceptions.ConnectTimeout):
            seconds = min(self.limits.connect_seconds, limit)
            return _Failure(TimedOut(f"{host} could not be reached within {seconds:g} seconds.", fix=LATER), 2)
        if isinstance(error, (requests.exceptions.Timeout, TimeoutError)):
            return _Failure(self._too_slow(min(self.limits.read_seconds, limit)), 2)
        if isinstance(error, requests.exceptions.ConnectionError):
            if "Read timed out" in str(error):
                return _Failure(self._too_slow(min(self.limits.read_seconds, limit)), 2)
            words = "refused the connection" if "refused" in str(error).lower() else "broke the connection off"
            return _Failure(RetryLater(f"{host} {words} at port {self.base.port}.", fix=LATER), tries)
        if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
            return _Failure(Unusable(f"{host} broke its answer off in the middle.", fix=LATER), 2)
        return _Failure(RetryLater(f"The connection to {host} failed ({type(error).__name__}).", fix=LATER), tries)

    def _too_slow(self, seconds: float) -> TimedOut:
        return TimedOut(f"{self.base.host} did not answer within {seconds:.3g} seconds.", fix=LATER)

    def _seconds_left(self) -> float | None:
        return None if self._until is None else self._until - self._clock()

    def _wait(self, tried: int, asked: float | None, error: MonetError) -> None:
        """Waits before the next try, or raises `error` when waiting would cost more than the run may."""
        seconds = _backoff(tried) if asked is None else asked
        if not self._may_wait(seconds):
            raise error
        self.pace.count_wait(seconds)
        free_at = self.pace.free_at
        self._rest(seconds)
        self._rested_until = free_at

    def _may_wait(self, seconds: float) -> bool:
        left = self._seconds_left()
        return (
            seconds <= self.limits.longest_wait
            and self.pace.waited + seconds <= self.limits.waits_per_run
            and self.pace.retries < self.limits.retries_per_run
            and (left is None or seconds < left)
        )

    def _stay_away(self) -> None:
        """Waits as long as the store has asked a twin to; what this client waited for itself is over already."""
        free_at = self.pace.free_at
        if free_at <= self._rested_until:
            return
        seconds, left = free_at - self._clock(), self._seconds_left()
        if left is not None and seconds >= left:
            raise self._too_slow(left)
        self._rest(seconds)
        self._rested_until = free_at

    def _rest(self, seconds: float) -> None:
        while seconds > 0:
            self.check_stop()
            step = min(seconds, 0.5)
            self._sleep(step)
            seconds -= step

    def check_stop(self) -> None:
        """Raises Stopped when the run was told to stop."""
        if self._should_stop():
            raise stopped()


def _backoff(tried: int) -> float:
    """Seconds to wait where the store does not say how long."""
    return float(2 ** (tried - 1))


def _spellings(secrets: Sequence[str]) -> tuple[str, ...]:
    """Every form in which a secret may turn up in a text, the longest first."""
    forms = {
        form
        for secret in secrets
        for text in (secret, secret.strip())
        for form in (text, quote(text, safe=""), quote_plus(text), quote(text))
        if len(form) >= 4  # a shorter one would cut words to pieces; no real key is that short
    }
    return tuple(sorted(forms, key=len, reverse=True))
