"""Returns of the one stop shop: what a quarter declares itself, and which return takes what changed afterwards.

A return that was filed stays as it was filed. What the books say otherwise of its quarter since then is a correction,
VAT only, by country, in the first return after it that is not filed yet (Art. 369g of Directive 2006/112/EC). It is the
difference to everything declared of that quarter so far, so that returns add up to the books, whatever was credited,
replaced, sold late or converted anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from monet_web.domain.money import ZERO
from monet_web.domain.quarters import Quarter


@dataclass(frozen=True, slots=True, order=True)
class Supply:
    """What was sold to one country at one rate in one quarter, in EUR, less what was credited of it."""

    country: str
    rate: Decimal
    base: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True, order=True)
class Correction:
    """VAT of an earlier quarter that a return adds or (negative) takes back, in EUR."""

    country: str
    quarter: Quarter
    vat: Decimal
    is_late: bool = False  # the return takes it no more: that country is told directly


@dataclass(frozen=True, slots=True)
class Filed:
    """A return as it was filed."""

    supplies: tuple[Supply, ...] = ()
    corrections: tuple[Correction, ...] = ()


Returns = Mapping[Quarter, Filed]
Books = Mapping[Quarter, Iterable[Supply]]


def corrected_by(quarter: Quarter, filed: Container[Quarter]) -> list[Quarter]:
    """The filed quarters whose changes the return of `quarter` takes, the oldest first: those filed in a row before it.

    `quarter` itself is not filed. Changes of quarters before a gap stand in the return that is missing there.
    """
    found: list[Quarter] = []
    while (quarter := quarter.before()) in filed:
        found.append(quarter)
    return found[::-1]


def takes_changes_of(quarter: Quarter, filed: Container[Quarter]) -> Quarter:
    """The return that takes what changes in a filed quarter from now on: the first one after it not filed yet."""
    while (quarter := quarter.after()) in filed:
        pass
    return quarter


def declared(quarter: Quarter, filed: Returns) -> dict[str, Decimal]:
    """Country → VAT that was declared of the quarter: by its own return, and as corrections by all others."""
    vat: dict[str, Decimal] = defaultdict(Decimal)
    for supply in filed[quarter].supplies if quarter in filed else ():
        vat[supply.country] += supply.vat
    for each in filed.values():
        for one in each.corrections:
            if one.quarter == quarter:
                vat[one.country] += one.vat
    return dict(vat)


def differences(now: Iterable[Supply], then: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Country → VAT of the books less VAT declared, by country; countries of which nothing changed are left out."""
    changed = defaultdict(Decimal, {country: -vat for country, vat in then.items()})
    for supply in now:
        changed[supply.country] += supply.vat
    return sorted((country, vat) for country, vat in changed.items() if vat)


def corrections(quarter: Quarter, books: Books, filed: Returns) -> list[Correction]:
    """What the return of `quarter`, not filed itself, corrects: of quarters `corrected_by` it that are in `books`."""
    return sorted(
        Correction(country, of, vat, is_late=not of.is_correctable_in(quarter))
        for of in corrected_by(quarter, filed)
        if of in books
        for country, vat in differences(books[of], declared(of, filed))
    )


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exact."""
    return sum(amounts, ZERO)
