"""What a connector is: it declares itself as data and writes how to ask its store and how to read one order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from monet_web.connectors.address_guard import parse
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Order, Unreadable
from monet_web.domain.windows import Window

Json = Any  # a decoded JSON value; numbers with a point are Decimals


@dataclass(frozen=True, slots=True)
class Parameter:
    """One connection parameter of a platform; forms and command line are made from it."""

    key: str
    label: str
    help: str  # where to find it, what to type
    secret: bool = False
    required: bool = True
    default: str = ""
    is_address: bool = False  # changing its scheme, host or port asks for the secrets again (A3)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a shop needs from us. The same for every installation: no key, name or address is in it."""

    key: str
    file_name: str
    help: str  # for which shop it is and where it goes
    media_type: str
    content: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class OrdersFile:
    """A file of the shop's own making whose orders may be read where the shop itself cannot be asked."""

    ending: str  # of its name, as ".sql"
    steps: tuple[str, ...]  # how to make it in the shop's admin


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of one step in the shop: a file of static/steps, and what it shows in words."""

    file_name: str
    shows: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a list that the store gave: `value` is the store's code, `is_sale` its own default answer."""

    value: str
    label: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What *Test connection* learned (A4). `learned` is kept with the integration and given back next time."""

    name: str
    version: str
    time_zone: str
    currency: str
    statuses: tuple[Choice, ...] = ()
    tax_rates: tuple[Choice, ...] = ()
    payment_methods: tuple[Choice, ...] = ()
    fields: tuple[Choice, ...] = ()  # custom fields that company and VAT codes may be in
    shops: tuple[Choice, ...] = ()
    orders: int | None = None  # how many the store says it has
    learned: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()  # sentences a person should read


@dataclass(frozen=True, slots=True)
class Page:
    """A page of orders as the store gave them, with all that belongs to them, so that reading needs no request.

    `orders` are JSON objects, `context` what they share (tables of taxes, currencies …; {} where there is none).
    `expected` is how many orders the store says the whole window has, None when it does not say.
    """

    orders: tuple[Mapping[str, Json], ...]
    context: Mapping[str, Json] = field(default_factory=dict)
    expected: int | None = None
    unreadable: tuple[Unreadable, ...] = ()  # orders whose very fetching failed (one broken order)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which orders a run asks for: those created or changed in `window` (`any`), created, or paid in it."""

    window: Window
    by: str = "any"  # any | created | paid

    def holds(self, *, created: datetime | None, changed: datetime | None, paid: datetime | None) -> bool:
        """The same question asked again here of an order's own dates."""
        if self.by == "created":
            return self.window.holds(created)
        if self.by == "paid":
            return self.window.holds(paid)
        return self.window.holds(created) or self.window.holds(changed)


class Connector(ABC):
    """A store of one platform. Made for one run; `close()` ends its connections.

    Raises `RetryLater` and `NeedsOwner` of domain.errors, and nothing else, from methods that ask the store.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    setup_steps: ClassVar[tuple[str, ...]] = ()  # where in the shop's admin the key is made, with which rights
    setup_pictures: ClassVar[tuple[Picture, ...]] = ()  # of these steps
    downloads: ClassVar[tuple[Download, ...]] = ()  # what is to be put into the shop
    orders_file: ClassVar[OrdersFile | None] = None  # with `kept_of_file` and `pages_of_file`
    default_statuses: ClassVar[tuple[str, ...]] = ()  # codes that make an invoice; () = what `Order.is_sale` says
    number_sources: ClassVar[tuple[str, ...]] = ("order",)  # besides `series`; `invoice` where the platform has them
    company_code_fields: ClassVar[tuple[str, ...]] = ()  # the usual custom fields, first that is filled wins
    vat_code_fields: ClassVar[tuple[str, ...]] = ()
    fetches_by_id: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        """The store's own key: normalised host, path and shop id. Equal for equal stores however typed.

        Raises BrokenRule with a fix when the address cannot be one.
        """

    @classmethod
    def place(cls, typed: str) -> tuple[str, str, int]:
        """Scheme, host and port that a typed address leads to; keys typed for one are not sent to another (A3).

        Raises BrokenRule when it cannot be one.
        """
        address = parse(typed)
        return address.scheme, address.host, address.port

    @classmethod
    def settled(cls, values: Mapping[str, str], learned: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG003
        """The parameters to keep once the store has answered: where it turned out to be, if not quite as typed."""
        return dict(values)

    @classmethod
    def have_orders_in_common(cls, one: str, other: str) -> bool:
        """Whether two store keys bring some order twice: equal, or one is the whole that the other is a shop of.

        A shop of a multi-shop installation is `place#shop`; the place alone is all of them.
        """
        (place, _, shop), (other_place, _, other_shop) = one.partition("#"), other.partition("#")
        return place == other_place and (not shop or not other_shop or shop == other_shop)

    @abstractmethod
    def test(self) -> StoreFacts:
        """Ask the store who it is; takes 20 s at most."""

    @abstractmethod
    def pages(self, selection: Selection) -> Iterator[Page]:
        """Lazily, every order of the selection once, in the order of their ids."""

    @abstractmethod
    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        """The orders with these ids, whatever their dates; ids that the store does not know are left out."""

    @classmethod
    def kept_of_file(cls, lines: Iterable[bytes]) -> Iterator[bytes]:  # noqa: ARG003 - of those who have one
        """The lines of an `orders_file` that orders need: nothing else of it is kept. Lazily. Raises BrokenRule."""
        raise BrokenRule(f"{cls.label} has no file of orders.", fix="Connect the store by its address and key.")

    def pages_of_file(self, lines: Iterable[bytes]) -> Iterator[Page]:  # noqa: ARG002 - of those who have one
        """Every order of lines that were kept, once, in the order of their ids, as the store would have given it.

        Lazily, in constant memory. Raises BrokenRule, before the first page, when the file is broken.
        """
        raise BrokenRule(f"{self.label} has no file of orders.", fix="Connect the store by its address and key.")

    @classmethod
    @abstractmethod
    def read(cls, order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
        """One order of a page, pure: the same bytes always give the same order. Never raises on foreign data."""

    @abstractmethod
    def close(self) -> None:
        """End the connections."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connector gets from the operator and the run, not from the store."""

    allow_private_addresses: bool = False
    allowed_addresses: tuple[str, ...] = ()  # exact host:port pairs that pass the guard (the demo stores)
    learned: Mapping[str, str] = field(default_factory=dict)
    verify_tls: bool | str = True  # or the path of a CA file
    should_stop: Callable[[], bool] = field(default=lambda: False)  # asked while waiting for a slow store
