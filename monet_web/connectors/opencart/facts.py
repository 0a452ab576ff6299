"""What *Test connection* learns of an OpenCart shop (A4): one question to the bridge, one page of orders to be sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from monet_web.connectors.answers import Answer
from monet_web.connectors.base import Choice, StoreFacts
from monet_web.connectors.foreign import Misfit, Row, part, rows, text
from monet_web.connectors.opencart.api import Api
from monet_web.connectors.opencart.shop import context_of, needed_zone
from monet_web.connectors.opencart.signing import said
from monet_web.connectors.opencart.vat import status_list
from monet_web.connectors.opencart.words import words
from monet_web.domain.errors import MonetError, NeedsOwner
from monet_web.domain.windows import Window

_APART = 300  # seconds of clock difference that the shop's owner should know of
_FIRST_SUPPORTED = (2, 1)
_SPOKEN = {
    "3": "It is OpenCart 3: without FTP, upload monet-oc3.ocmod.zip under Extensions → Installer.",
    "4": "It is OpenCart 4: without FTP, upload monet.ocmod.zip under Extensions → Installer, press install there, "
    "then install Monet under Extensions → Extensions → Modules.",
}
_T = TypeVar("_T")


def test_connection(api: Api, learned: Callable[[], dict[str, str]], *, zone_of_old: str, shop: str) -> StoreFacts:
    """Everything the shop tells of itself. Raises NeedsOwner or RetryLater when orders cannot be read."""
    try:
        info = api.info()
    except NeedsOwner as error:
        if api.door.door:
            raise
        refused = error
    else:
        return _facts(api, info, learned, zone_of_old=zone_of_old, shop=shop)
    raise _with_version(api, refused)


def _facts(
    api: Api, info: Mapping[str, Any], learned: Callable[[], dict[str, str]], *, zone_of_old: str, shop: str
) -> StoreFacts:
    settings = _part(info, "settings")
    zone = needed_zone(context_of(info, zone_of_old=zone_of_old))
    _check_version(api, _text(info, "opencart"))
    now = datetime.now(UTC)
    api.orders(Window(now - timedelta(days=7), now), zone, by="any", after=0, limit=1)  # the right to read orders
    sale = status_list(settings.get("config_complete_status")) | status_list(settings.get("config_processing_status"))
    counts = _part(info, "counts")
    shops = _shops(info)
    return StoreFacts(
        name=_words(settings, "config_name") or api.door.client.base.host,
        version=_text(info, "opencart") or "OpenCart",
        time_zone=zone.key,
        currency=_text(settings, "config_currency"),
        statuses=tuple(
            Choice(status, name, is_default=status in sale)
            for status, name in _first_names(info, "order_statuses", "order_status_id").items()
        ),
        tax_rates=tuple(
            Choice(_text(rate, "tax_rate_id"), _words(rate, "name"))
            for rate in _rows(info, "tax_rates")
            if _text(rate, "type") != "F"
        ),
        payment_methods=tuple(
            Choice(code, name or code)
            for code, name in {
                _text(method, "code"): _words(method, "name") for method in reversed(_rows(info, "payments"))
            }.items()
            if code
        ),
        fields=tuple(
            Choice(name, name) for name in _first_names(info, "custom_fields", "custom_field_id").values() if name
        ),
        shops=shops,
        orders=_difference(_text(counts, "orders"), _text(counts, "unfinished")),
        learned=learned(),
        notices=tuple(_notices(api, settings, shops, zone_of_old=zone_of_old, shop=shop)),
    )


def _notices(api: Api, settings: Row, shops: tuple[Choice, ...], *, zone_of_old: str, shop: str) -> Iterable[str]:
    client = api.door.client
    if not _text(settings, "config_timezone"):
        yield (
            f"This OpenCart does not say in which time zone its dates are written; they are read as {zone_of_old}. "
            "If that is wrong, change the field “Time zone”."
        )
    if len(shops) > 1 and not shop:
        listed = ", ".join(f"{one.label} ({one.value})" for one in shops)
        yield (
            f"This OpenCart runs several shops: {listed}. The orders of all of them are imported. For one alone, type "
            "its number in the field “Shop”."
        )
    if shop and shop not in {one.value for one in shops}:
        yield f"This OpenCart has no shop of the number {shop}, so nothing will be imported."
    if abs(api.door.offset) > _APART:
        ahead = "ahead of" if api.door.offset > 0 else "behind"
        yield (
            f"The shop's clock is {abs(api.door.offset) // 60} minutes {ahead} ours. Questions are signed by the "
            "shop's own time, so this harms nothing here."
        )
    if client.base.scheme == "http":
        yield "The address is not https: buyers' data travel readable. Type the https address, if the shop has one."


def _check_version(api: Api, version: str) -> None:
    numbers = tuple(int(piece) for piece in version.split(".")[:2] if piece.isascii() and piece.isdigit())
    if numbers and numbers < _FIRST_SUPPORTED:
        raise NeedsOwner(
            f"{api.door.client.base.url} runs OpenCart {version}, which has no API users with keys.",
            fix="Update OpenCart to 2.1 or newer, or upload a backup of the orders instead.",
        )


def _with_version(api: Api, refused: NeedsOwner) -> MonetError:
    """The refusal, and which package fits this shop: its stock API answers differently in each version."""
    client = api.door.client
    for version, route in (("4", "api/account/login"), ("3", "api/login")):
        try:
            answer = client.ask("/index.php", [("route", route)])
        except MonetError:
            return refused
        if _is_stock(answer):
            return NeedsOwner(refused.message, fix=f"{refused.fix} {_SPOKEN[version]}")
    return refused


def _is_stock(answer: Answer) -> bool:
    """An API's answer to a login without a key: JSON, whatever is in it; a page of the shop is none."""
    if answer.is_html or answer.status >= 500 or said(answer) is not None:
        return False
    return answer.body.lstrip()[:1] in (b"[", b"{")


def _shops(info: Mapping[str, Any]) -> tuple[Choice, ...]:
    first = _words(_part(info, "settings"), "config_name")
    others = {_text(store, "store_id"): _words(store, "name") for store in _rows(info, "stores")}
    return tuple(Choice(number, name or number) for number, name in {"0": first, **others}.items() if number)


def _first_names(info: Mapping[str, Any], table: str, key: str) -> dict[str, str]:
    """Id → name, of the first language that has one."""
    names: dict[str, str] = {}
    for row in _rows(info, table):
        if _text(row, key) and _words(row, "name"):
            names.setdefault(_text(row, key), _words(row, "name"))
    return names


def _difference(whole: str, less: str) -> int | None:
    if not whole.isdigit():
        return None
    return int(whole) - (int(less) if less.isdigit() else 0)


def _whatever(read: Callable[[Row, str], _T], parent: Row, key: str, instead: _T) -> _T:
    try:
        return read(parent, key)
    except Misfit:
        return instead


def _text(parent: Row, key: str) -> str:
    return _whatever(text, parent, key, "")


def _words(parent: Row, key: str) -> str:
    return _whatever(words, parent, key, "")


def _part(parent: Row, key: str) -> Row:
    return _whatever(part, parent, key, {})


def _rows(parent: Row, key: str) -> list[Row]:
    return _whatever(rows, parent, key, [])
