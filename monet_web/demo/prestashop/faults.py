"""What goes wrong between a PrestaShop and its callers: settings of the shop, of the key and of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_NOTICE: Final = (
    b"<br />\n<b>Deprecated</b>:  Optional parameter in <b>/home/u/modules/x.php</b> on line <b>12</b><br />\n"
)


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default. Those of the shop's settings come first, then the host's, then what spoils an answer."""

    webservice_off: bool = False
    key_off: bool = False
    not_permitted: frozenset[str] = frozenset()  # resources that the key may not read
    may_write: bool = False
    other_shop: bool = False  # the key belongs to another shop of the installation
    root_crashes: bool = False
    broken_orders: frozenset[int] = frozenset()

    # The host's.
    strips_authorization: bool = False
    no_rewriting: bool = False  # /api/ is a page of the web server's; the script answers
    wrong_address: bool = False  # every address is a page of another site
    asks_for_password: bool = False  # of the web server's own
    too_many_requests: int | None = None  # seconds that a 429 names
    redirect_to: str = ""

    # What spoils an answer.
    delay: float = 0.0
    php_notice: bool = False
    empty_json: bool = False  # as after a text that is not UTF-8
    truncated: bool = False
    drops_id_filter: bool = False  # a firewall that takes `>` for an attack


def spoiled(faults: Faults, body: bytes, *, is_json: bool) -> bytes:
    """The body with dirt before it or nothing in it."""
    if faults.empty_json and is_json:
        return b""
    return _NOTICE + body if faults.php_notice else body
