"""The questions this program asks WooCommerce, each with what was measured about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from monet_web.connectors.answers import Answer
from monet_web.connectors.failures import TooLarge, Unusable
from monet_web.connectors.http import Params
from monet_web.connectors.overlap import Ahead, Overlap
from monet_web.connectors.paging import Hole, IdOrdered, Row, SeenIds, Slice
from monet_web.connectors.woocommerce.explain import NO_ROUTE, code_of, explain
from monet_web.connectors.woocommerce.fields import Problem, moment
from monet_web.connectors.woocommerce.signing_in import SignedIn
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.orders import Unreadable
from monet_web.domain.windows import Window

ORDERS = "/wc/v3/orders"
DATES = "id,date_created_gmt,date_modified_gmt,date_paid_gmt"
PER_PAGE = 100
_LONGEST_GAP = 50


def moment_text(moment: datetime) -> str:
    """Naive UTC: with `dates_are_gmt=true` the only form that no version and no storage gets wrong.

    A "Z" together with `dates_are_gmt` silently loses two or three hours of orders.
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


class Api:
    """A shop's REST API. `learned` is what was found out about it and need not be asked again."""

    def __init__(self, signed_in: SignedIn, learned: Mapping[str, str]) -> None:
        self.signed_in = signed_in
        self._learned = dict(learned)
        self._worked = False
        self._overlap = Overlap(signed_in)

    @property
    def learned(self) -> dict[str, str]:
        """What was known before and what was learned since."""
        return {**self._learned, "auth": self.signed_in.way} if self._worked else dict(self._learned)

    def close(self) -> None:
        """End what is on its way."""
        self._overlap.close()

    def learn(self, key: str, value: str) -> None:
        """Keeps something for next time."""
        self._learned[key] = value

    def get(self, path: str, params: Params = ()) -> Any:
        """The JSON of a successful answer. Raises NeedsOwner and RetryLater."""
        return self._json(self._good(path, params))

    def optional(self, path: str, params: Params = ()) -> Any:
        """The JSON of something that not every version has or every key may see, else None."""
        try:
            return self.get(path, params)
        except (NeedsOwner, Unusable):
            return None

    def knows_modified_after(self) -> bool:
        """3.9.1 ignores `modified_after` without a word: asked for the year 2030 it still counts every order."""
        if "modified_after" not in self._learned:
            answer = self._good(ORDERS, [("modified_after", "2030-01-01T00:00:00"), *_ANY, ("per_page", "1"), _ONLY_ID])
            self.learn("modified_after", "no" if self._json(answer) else "yes")
        return self._learned["modified_after"] == "yes"

    def orders(self, filters: Params, *, fields: str = "") -> IdOrdered:
        """All orders that pass the filters, of every status but trash and drafts, by id."""
        only = [("_fields", fields)] if fields else []
        return self._listing(ORDERS, [*filters, *_ANY, *only])

    def refunded_orders(self, window: Window) -> Iterator[int]:
        """Ids of the orders with a refund made in the window, ascending.

        Before 9.0 the list does not exist and nothing is known this way.
        """
        if self._learned.get("refunds_list") == "no":
            return
        listing = self._listing(
            "/wc/v3/refunds",
            [
                ("after", moment_text(window.start - timedelta(hours=6))),
                ("before", moment_text(window.end + timedelta(hours=6))),
                ("dates_are_gmt", "true"),
                ("_fields", "id,parent_id,date_created_gmt"),
            ],
        )
        parents = SeenIds()
        try:
            for row in listing:
                parent = row.get("parent_id") if not isinstance(row, Hole) and _made_in(row, window) else None
                if isinstance(parent, int) and parent > 0:
                    parents.add(parent)
        except NeedsOwner:
            if self._learned.get("refunds_list") == "yes":
                raise
            self.learn("refunds_list", "no")
            return
        self.learn("refunds_list", "yes")
        yield from parents

    def by_ids(self, ids: Sequence[str]) -> tuple[dict[str, Row], list[Unreadable]]:
        """At most 100 orders by id, and those whose fetching fails.

        `include=` leaves out trashed orders and those whose custom status lost its plugin; alone they are given.
        """
        found: dict[str, Row] = {}
        try:
            rows = self.get(ORDERS, [("include", ",".join(ids)), *_ANY, ("per_page", str(PER_PAGE))])
            found = {str(row["id"]): row for row in rows if isinstance(row, dict) and str(row.get("id")) in ids}
        except (Unusable, TooLarge):
            pass  # one of them breaks the answer: each is asked for alone
        broken = []
        for order_id in ids:
            if order_id not in found:
                row = self._one(order_id)
                if isinstance(row, Unreadable):
                    broken.append(row)
                elif row is not None:
                    found[order_id] = row
        return found, broken

    def refunds_of(self, order_ids: Sequence[int]) -> dict[int, list[Any] | None]:
        """The details of the refunds of orders, asked for at once; None for those that cannot be had."""
        if len(order_ids) == 1:
            return {order_ids[0]: _refunds(self.signed_in, order_ids[0])}
        questions = [partial(_refunds, order_id=order_id) for order_id in order_ids]
        return dict(zip(order_ids, self._overlap.each(questions), strict=True))

    def broken_between(self, hole: Hole, tried: set[str]) -> Unreadable:
        """Which order it was that could not be fetched: the ids around it are known, each between is asked for.

        `tried` are those of the same list that were asked for or named already; several may be broken side by side.
        """
        for order_id in _candidates(hole):
            if str(order_id) in tried:
                continue
            tried.add(str(order_id))
            if isinstance(self._one(str(order_id)), Unreadable):
                return Unreadable(str(order_id), _fails(f"order {order_id}", hole.error.message))
        name = next(name for number in count(1) if (name := f"after-{hole.after}-{number}") not in tried)
        tried.add(name)
        end = f" and before order {hole.before}" if hole.before is not None else ", at the end"
        place = f"an order that stands after order {hole.after}{end} of the list"
        return Unreadable(name, _fails(place, hole.error.message))

    def _one(self, order_id: str) -> Row | Unreadable | None:
        answer = self.signed_in.ask(f"{ORDERS}/{order_id}")
        if answer.status == 404 and code_of(answer) not in ("", NO_ROUTE):
            return None  # no order of this id (also: a refund's, a product's)
        try:
            if answer.status >= 500:
                return Unreadable(order_id, _fails(f"order {order_id}", explain(answer).message))
            row = self._json(answer) if answer.status == 200 else None
        except Unusable as error:
            return Unreadable(order_id, _fails(f"order {order_id}", error.message))
        if row is None:
            raise self.signed_in.client.explained(answer)
        return row if isinstance(row, dict) else None

    def _listing(self, path: str, params: Params) -> IdOrdered:
        by_page = self._learned.get("offset") == "no"

        def piece(who: SignedIn, start: int, size: int) -> Slice:
            at = ("page", str(start // size + 1)) if listing.by_page else ("offset", str(start))
            asked = [*params, ("orderby", "id"), ("order", "asc"), ("per_page", str(size)), at]
            answer = _success(who, path, asked)
            rows = who.client.json(answer)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Unusable(f"{answer.url} gave something that is no list of orders.", fix=_PLUGIN)
            return Slice(rows, answer.number("X-WP-Total"))

        def first(start: int, size: int) -> Slice:
            found = piece(self.signed_in, start, size)
            self._worked = True
            return found

        ahead = Ahead(self._overlap, piece, first)

        def fetch(start: int, size: int) -> Slice:
            if listing.by_page and not by_page:
                self.learn("offset", "no")
            return ahead(start, size, listing.step)

        def ask_known(number: int | None) -> object:
            if number is None:
                return self.signed_in.client.get_json("/wp-json/", [("_fields", "name")])
            return self.get(path, [("include", str(number)), *_ANY, ("per_page", "1")])

        listing = IdOrdered(fetch, ask_known, size=PER_PAGE, by_page=by_page)
        return listing

    def _good(self, path: str, params: Params) -> Answer:
        answer = _success(self.signed_in, path, params)
        self._worked = True
        return answer

    def _json(self, answer: Answer) -> Any:
        return self.signed_in.client.json(answer)


def _refunds(who: SignedIn, order_id: int) -> list[Any] | None:
    answer = who.ask(f"{ORDERS}/{order_id}/refunds", [("per_page", str(PER_PAGE))])
    if answer.status in (404, 500):
        return None
    if not 200 <= answer.status < 300:
        raise who.client.explained(answer)
    try:
        rows = who.client.json(answer)
    except Unusable:
        return None
    return rows if isinstance(rows, list) else None


def _success(who: SignedIn, path: str, params: Params) -> Answer:
    """A successful answer. Raises what any other means; Unusable where a smaller question may have an answer."""
    answer = who.ask(path, params)
    if answer.status == 500:
        # One order that a plugin chokes on fails its whole page, so a smaller page may do.
        error = who.client.explained(answer)
        raise Unusable(error.message, fix=error.fix)
    if not 200 <= answer.status < 300:
        raise who.client.explained(answer)
    return answer


_ANY: Params = [("status", "any")]  # statuses are judged here: an order that changes status while paging is not missed
_ONLY_ID = ("_fields", "id")
_PLUGIN = "If it happens again, a plugin of the shop changes the answers of its REST API."


def _made_in(row: Row, window: Window) -> bool:
    try:
        made = moment(row, "date_created_gmt")
    except Problem:
        made = None
    return made is None or window.holds(made)


def _fails(order: str, message: str) -> str:
    return f"The store fails when it is asked for {order}. {message}"


def _candidates(hole: Hole) -> Iterator[int]:
    """The ids that a missing row may have, those near its neighbours when there are too many to ask for them all."""
    last = hole.before if hole.before is not None else hole.after + _LONGEST_GAP
    if last - hole.after <= _LONGEST_GAP:
        yield from range(hole.after + 1, last)
    else:
        yield from range(last - 1, last - _LONGEST_GAP // 2, -1)
        yield from range(hole.after + 1, hole.after + _LONGEST_GAP // 2 if hole.after else 0)
