"""Asking Shopify: one question with its token, its price and its errors, which also come with the status 200."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from monet_web.connectors.answers import Answer
from monet_web.connectors.failures import LATER, TooLarge, Unusable
from monet_web.connectors.http import StoreClient
from monet_web.connectors.shopify.cost import Points
from monet_web.connectors.shopify.explain import may_not, not_understood
from monet_web.connectors.shopify.parts import Parts
from monet_web.connectors.shopify.queries import API_VERSION, SHOP, Query
from monet_web.connectors.shopify.signing_in import SignedIn
from monet_web.domain.errors import RetryLater

log = logging.getLogger(__name__)

Record = Mapping[str, Any]

_TURNS = 20  # how often one question is refused for lack of points before the run ends; each waits first
_OWN_FAILURES = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "BAD_GATEWAY", "SERVICE_UNAVAILABLE"})


class TooDear(TooLarge):
    """The question costs more points than one may; a smaller one may do."""


class Api:
    """A shop's Admin API. `answered_version` is the version that answered, "" before the first answer."""

    def __init__(self, client: StoreClient, signed_in: SignedIn, points: Points | None = None) -> None:
        self.client = client
        self.signed_in = signed_in
        self.parts = Parts()
        self.points = points or Points()
        self.answered_version = ""
        self._knows_scopes = False

    def ask(self, question: Query, /, **variables: Any) -> Record:
        """The `data` of the answer. Raises NeedsOwner and RetryLater; TooDear, Unusable when fewer rows may do."""
        return self.ask_priced(question, **variables)[0]

    def ask_priced(self, question: Query, /, **variables: Any) -> tuple[Record, float | None]:
        """`data`, and the points that were asked for it."""
        for _ in range(_TURNS):
            self.signed_in.headers()  # the token comes with the app's rights, so it is asked for first
            self._leave_out_what_nobody_may_see()
            self._wait_for(question, _rows(variables))
            body, price = self._once(question, variables)
            errors = body.get("errors")
            if not errors:
                data = body.get("data")
                if not isinstance(data, Mapping):
                    raise self._unusable("an answer without data")
                return data, price
            if not isinstance(errors, list) or not all(isinstance(error, Mapping) for error in errors):
                raise self._unusable("errors that cannot be read")
            self._react(errors, question)
        raise RetryLater(f"{self.client.base.host} says that we ask too much at once (THROTTLED).", fix=LATER)

    def scopes(self) -> frozenset[str]:
        """The app's rights: told with the token, else asked for once."""
        if self.signed_in.scopes is None:
            self.learn_scopes(self.ask(SHOP))
        return self.signed_in.scopes or frozenset()

    def learn_scopes(self, data: Record) -> None:
        """Keeps the rights that an answer to SHOP names."""
        host = self.client.base.host
        installation = record(data.get("currentAppInstallation"), of="installed app", host=host)
        found = rows(installation.get("accessScopes"), of="rights", host=host)
        self.signed_in.scopes = frozenset(str(scope.get("handle", "")) for scope in found)

    def _react(self, errors: Sequence[Record], query: Query) -> None:
        """Waits or leaves something out, so that the question can be asked again; else raises."""
        codes = {code_of(error) for error in errors}
        message = _message(errors)
        if "THROTTLED" in codes:
            self.client.pause(self.points.seconds_until(query.name) or self.points.seconds_after_refusal())
            return
        if "MAX_COST_EXCEEDED" in codes:
            raise TooDear(f"Shopify finds the question {query.name} too dear: {message[:160]}", fix=LATER)
        if codes <= {"ACCESS_DENIED"}:
            if query.parts and self.parts.give_up(errors):
                return
            raise may_not(self.client.base, _place(errors), self.client.clean(message))
        if codes & _OWN_FAILURES:
            raise self._unusable(f"an error of its own (“{self.client.clean(message)[:120]}”)")
        raise not_understood(self.client.base, self.client.clean(message), API_VERSION)

    def _once(self, query: Query, variables: Mapping[str, Any]) -> tuple[Record, float | None]:
        given = {**variables, **self._includes(query)}
        question = {"query": query.document, "variables": given, "operationName": query.name}
        answer = self._post(json.dumps(question).encode())
        if answer.status == 401 and self.signed_in.renew():
            answer = self._post(json.dumps(question).encode())  # the token was withdrawn before its day was over
        if answer.status >= 500:
            error = self.client.explained(answer)
            raise Unusable(error.message, fix=error.fix)
        if not 200 <= answer.status < 300:
            raise self.client.explained(answer)
        body = self.client.json(answer)
        if not isinstance(body, Mapping) or not ("data" in body or "errors" in body):
            raise self._unusable("JSON that is not GraphQL's")
        self._notice_version(answer)
        extensions = body.get("extensions")
        cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
        return body, self.points.note(query.name, cost, _rows(variables)) if isinstance(cost, Mapping) else None

    def _post(self, body: bytes) -> Answer:
        return self.client.ask(
            f"/admin/api/{API_VERSION}/graphql.json",
            method="POST",
            body=body,
            headers={"Content-Type": "application/json", **self.signed_in.headers()},
        )

    def _includes(self, query: Query) -> dict[str, bool]:
        if not query.parts:
            return {}
        return {name: value for name, value in self.parts.variables().items() if f"${name}:" in query.document}

    def _leave_out_what_nobody_may_see(self) -> None:
        if not self._knows_scopes and self.signed_in.scopes is not None:
            self._knows_scopes = True
            self.parts.granted(self.signed_in.scopes)

    def _wait_for(self, query: Query, rows: int) -> None:
        seconds = self.points.seconds_until(query.name, rows)
        if seconds > 0:
            self.client.pause(seconds)

    def _notice_version(self, answer: Answer) -> None:
        answered = answer.headers.get("x-shopify-api-version", "")
        if answered and answered != self.answered_version:
            self.answered_version = answered
            if answered != API_VERSION:
                log.warning("%s answers as %s, not as %s", self.client.base.host, answered, API_VERSION)

    def _unusable(self, what: str) -> Unusable:
        return Unusable(
            f"{self.client.base.host} answered with {what} where orders or settings were asked for.", fix=LATER
        )


def _rows(variables: Mapping[str, Any]) -> int:
    """How many rows a question asks for."""
    return int(variables.get("first", 1))


def code_of(error: Record) -> str:
    """The error's code, "" where it has none."""
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    return code if isinstance(code, str) else ""


def rows(found: Any, *, of: str, host: str) -> list[Record]:
    """The objects of a list that Shopify gave. Raises Unusable."""
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise Unusable(f"{host} gave something that is no list of {of}.", fix=LATER)
    return list(found)


def record(found: Any, *, of: str, host: str) -> Record:
    """An object that Shopify gave. Raises Unusable."""
    if not isinstance(found, Mapping):
        raise Unusable(f"{host} gave something that is no {of}.", fix=LATER)
    return found


def _message(errors: Sequence[Record]) -> str:
    found = next((error["message"] for error in errors if isinstance(error.get("message"), str)), "")
    return " ".join(found.split()) or "no reason"


def _place(errors: Sequence[Record]) -> str:
    path: list[Any] = next((error["path"] for error in errors if isinstance(error.get("path"), list)), [])
    return next((step for step in reversed(path) if isinstance(step, str) and step != "nodes"), "")
