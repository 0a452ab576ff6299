"""i.SAF 1.2: what the tax authority's register says of one sales document, and why it would refuse it.

The rules are those of its published structure (order VA-55; file version iSAF1.2), written down here so that the file
is checked before it is taken. Amounts are in EUR; a credit note's are negative. Only invoices that e-shops make are
known: neither the cash accounting of farmers (mark T), nor notaries' invoices, nor debit notes, nor annulled ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from monet_web.domain.codes import full_vat_code, normalise_company_code
from monet_web.domain.countries import ISO, iso_country
from monet_web.domain.money import CENT, ZERO, convert
from monet_web.domain.treatment import Treatment
from monet_web.domain.vat import EU

UNKNOWN = "ND"  # "nėra duomenų": how the register says that there is none
DEFAULT_PART = "EPARD"
MOST_DOCUMENTS = 500_000  # of one file
FIRST_DAY = date(2016, 9, 1)  # the first period that version 1.2 takes
LONGEST_NUMBER, LONGEST_CODE, LONGEST_NAME = 70, 35, 256
PART = re.compile(r"[A-Z0-9_]{1,20}")

_TAX_CODE = re.compile(r"PVM[0-9]{1,3}")
_COMPANY_CODE = re.compile(r"[0-9]{1,11}")
# Letters before VAT codes of the EU: its states', with Greece's EL, and Northern Ireland's.
_EU_PREFIXES = frozenset((EU - {"GR"}) | {"EL", "XI"})
# Codes of what is no object of Lithuania's VAT, or exempt from it: they have no rate, and so no amount of it.
WITHOUT_RATE = frozenset({"PVM5", "PVM15", "PVM100"})
_LARGEST = Decimal(10) ** 16


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said once: the part's name; sales under OSS `in` or `out`; names of private buyers `given` or `none`.

    "" is not said yet.
    """

    part: str = ""
    oss: str = ""
    names: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """The VAT of one rate of a document, in its own currency and (the amount) in EUR; rate None: no tax."""

    rate: Decimal | None
    code: str
    base: Decimal
    amount: Decimal
    amount_eur: Decimal | None


@dataclass(frozen=True, slots=True)
class Party:
    """Who bought; countries are ISO codes, "" where nobody said."""

    name: str = ""
    company: str = ""
    vat_code: str = ""
    company_code: str = ""
    country: str = ""

    @property
    def is_private(self) -> bool:
        """Neither a company's name nor a code was given."""
        return not (self.company or self.vat_code or self.company_code)


@dataclass(frozen=True, slots=True)
class Document:
    """A registered invoice or credit note as it is read from the books."""

    id: int
    number: str
    is_credit_note: bool
    issued: date
    supplied: date
    point: date | None  # of VAT, where it is another day
    currency: str
    eur_rate: Decimal | None
    treatment: str
    buyer: Party
    ship_country: str
    net_eur: Decimal | None
    rates: tuple[Rate, ...]
    credits_number: str = ""
    credits_issued: date | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """One row of a document's totals. `percent` and `amount` None: the code has no rate. `code` "": nothing to tax."""

    code: str
    base: Decimal
    percent: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the file says it."""

    number: str
    kind: str  # SF, KS
    issued: date
    supplied: date | None  # None: on the day of issue, and of a credit note
    vat_code: str
    company_code: str  # "" beside a VAT code whose owner's company code nobody gave
    country: str  # of ISO 3166-1; "" beside a VAT code that says it
    name: str
    totals: tuple[Total, ...]
    credits_number: str = ""
    credits_issued: date | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document, or the whole file, would be refused: a code of isaf_words and the values of its sentences."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


def is_filed(document: Document, terms: Terms) -> bool:
    """False for what is no VAT invoice, and for sales under OSS when the accountant leaves those out."""
    if document.treatment == Treatment.NOT_PAYER.value:
        return False
    return not (document.treatment == Treatment.OSS.value and terms.oss == "out")


def refusals(document: Document, terms: Terms) -> list[Refusal]:
    """Everything that stands against a document, in the order of the file."""
    found = [*_number(document), *_buyer(document)]
    if document.treatment == Treatment.OSS.value and not terms.oss:
        found.append(Refusal("oss_undecided"))
    if document.is_credit_note and not (document.credits_number and document.credits_issued):
        found.append(Refusal("original_missing"))
    found += _amounts(document)
    return found


def entry(document: Document, terms: Terms, home: str = "LT") -> Entry:
    """The document as the file says it; only for one against which nothing stands."""
    buyer = document.buyer
    vat_code = _vat_code(document)
    company_code = normalise_company_code(buyer.company_code)
    name = (buyer.company or buyer.name).strip()
    if buyer.is_private and terms.names == "none":
        name = ""
    # A credit note corrects in the month of its own day: the sale's would move it into one that is filed already.
    supplied = document.issued if document.is_credit_note else document.point or document.supplied
    return Entry(
        number=document.number,
        kind="KS" if document.is_credit_note else "SF",
        issued=document.issued,
        supplied=None if supplied == document.issued else supplied,
        vat_code=vat_code or UNKNOWN,
        company_code=company_code or ("" if vat_code else UNKNOWN),
        country=iso_country(buyer.country or document.ship_country or home)
        if _says_country(vat_code, company_code)
        else "",
        name=name[:LONGEST_NAME] or UNKNOWN,
        totals=_totals(document),
        credits_number=document.credits_number,
        credits_issued=document.credits_issued,
    )


def of_company(code: str, country: str, terms: Terms, *, is_payer: bool, name: str, vat_code: str) -> list[Refusal]:
    """What stands against the file as a whole: who files it, and what was not said yet."""
    if country != "LT":
        return [Refusal("not_lithuania", {"country": country})]
    found = []
    if not is_payer:
        found.append(Refusal("not_payer"))
    if not _COMPANY_CODE.fullmatch(normalise_company_code(code)):
        found.append(Refusal("company_code", {"code": code}))
    if is_payer and not (name.strip() and vat_code.strip()):
        # The file does not name them, but every invoice in it must.
        found.append(Refusal("company_incomplete"))
    if not PART.fullmatch(terms.part):
        found.append(Refusal("part_missing"))
    return found


def is_code(code: str) -> bool:
    """True for what the register takes as a classifier code."""
    return _TAX_CODE.fullmatch(code) is not None


def is_rate(rate: Decimal) -> bool:
    """True for a rate as the register takes it: at most two decimals."""
    return 0 <= rate < 1000 and rate == rate.quantize(CENT)


def _number(document: Document) -> list[Refusal]:
    if not document.number:
        return [Refusal("number_missing")]
    if len(document.number) > LONGEST_NUMBER:
        return [Refusal("number_long", {"length": str(len(document.number)), "most": str(LONGEST_NUMBER)})]
    return []


def _vat_code(document: Document) -> str:
    country = (document.buyer.country or document.ship_country).strip().upper()
    return full_vat_code(document.buyer.vat_code, "GB" if country == "UK" else country)


def _says_country(vat_code: str, company_code: str) -> bool:
    """False beside a VAT code of the EU, which says it; beside another one it says whose company code it is."""
    return not vat_code or bool(company_code and vat_code[:2] not in _EU_PREFIXES)


def _buyer(document: Document) -> list[Refusal]:
    found = []
    vat_code = _vat_code(document)
    known = vat_code[:2] in _EU_PREFIXES or vat_code[:2] in ISO
    if vat_code and not (known and 4 <= len(vat_code) <= LONGEST_CODE):
        found.append(Refusal("vat_code_odd", {"code": document.buyer.vat_code[:60]}))
    if len(normalise_company_code(document.buyer.company_code)) > LONGEST_CODE:
        found.append(Refusal("company_code_long", {"code": document.buyer.company_code[:60]}))
    country = document.buyer.country or document.ship_country
    says_it = _says_country(vat_code, normalise_company_code(document.buyer.company_code))
    if says_it and country and not iso_country(country):
        found.append(Refusal("country_odd", {"country": country[:20]}))
    return found


def _amounts(document: Document) -> list[Refusal]:
    if document.eur_rate is None or document.net_eur is None or any(each.amount_eur is None for each in document.rates):
        return [Refusal("eur_missing", {"currency": document.currency, "day": document.supplied.isoformat()})]
    found = []
    for each in document.rates:
        said = "none" if each.rate is None else f"{each.rate:f}"
        if not each.code and (each.base or each.amount):
            found.append(Refusal("code_missing", {"rate": said}))
        elif each.code and not is_code(each.code):
            found.append(Refusal("code_odd", {"code": each.code}))
        if each.rate is not None and not is_rate(each.rate):
            found.append(Refusal("rate_odd", {"rate": said}))
    if found:
        return found
    coded = [each for each in document.rates if each.code]
    own = sum((convert(each.base, document.eur_rate) for each in coded), ZERO)
    # Each row rounds by itself, by half a cent at most; more than that is another document's figure.
    if abs(own - document.net_eur) > CENT * max(len(coded), 1):
        values = {"rows": f"{own:.2f}", "document": f"{document.net_eur:.2f}"}
        return [Refusal("totals_differ", values)]
    if abs(own) >= _LARGEST:
        return [Refusal("amount_large", {"amount": f"{own:.2f}"})]
    return []


def _totals(document: Document) -> tuple[Total, ...]:
    """By code and rate; what the rows' rounding leaves of the document's own sum goes to the largest of them."""
    assert document.eur_rate is not None and document.net_eur is not None  # noqa: S101, PT018 - refused otherwise
    rows: dict[tuple[str, Decimal | None], list[Decimal]] = {}
    for each in document.rates:
        if each.code:
            percent = None if each.code in WITHOUT_RATE else (each.rate or ZERO)
            row = rows.setdefault((each.code, percent), [ZERO, ZERO])
            row[0] += convert(each.base, document.eur_rate)
            row[1] += each.amount_eur or ZERO
    if not rows:
        return (Total("", ZERO, None, None),)
    left = document.net_eur - sum((row[0] for row in rows.values()), ZERO)
    largest = max(rows.values(), key=lambda row: abs(row[0]))
    largest[0] += left
    return tuple(
        Total(code, base, percent, None if percent is None else amount)
        for (code, percent), (base, amount) in rows.items()
    )
