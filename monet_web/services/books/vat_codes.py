"""VAT codes of buyers, as their countries write them, and the classifier's codes (PVM…) with those added by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from monet_web.domain.classifier import CLASSIFIED, Supply, VatCode, VatCodes, builtin_codes
from monet_web.domain.codes import normalise_vat_code
from monet_web.domain.errors import BrokenRule
from monet_web.domain.treatment import Treatment
from monet_web.domain.vat import EU, vat_country
from monet_web.models.base import writing
from monet_web.models.company import VatRateRow
from monet_web.models.evidence import VatCodeRow
from monet_web.services import audit
from monet_web.services.books.tables import shown

_PREFIXES = (EU - {"GR"}) | {"EL", "XI"}  # Greece files as EL; XI is Northern Ireland


def vat_code_problem(code: str, country: str) -> str | None:
    """What is wrong with the VAT code of a buyer in `country` (ISO code, "" when not known); None when fine.

    `checksum`: mistyped. `length`: too short or too long. `component`: letters where digits belong, or
    the like. `country`: the prefix is of no EU country though the buyer is in one, or there is neither.
    A code without prefix is taken for one of the buyer's country. Codes from outside the EU are not checked. A firm may
    be registered in another country than its address, so the two need not agree.
    """
    code = normalise_vat_code(code)
    buyer = vat_country(country)
    if not code:
        return "length"
    if not code[:2].isalpha():
        if not buyer:
            return "country"
        code = ("EL" if buyer == "GR" else buyer) + code
    if code.startswith("GR"):  # often typed with the ISO code; the number itself may still be right
        code = "EL" + code[2:]
    prefix = code[:2]
    if prefix not in _PREFIXES:
        return "country" if buyer in EU else None
    try:
        vat.validate(code)
    except InvalidLength:
        return "length"
    except InvalidChecksum:
        return "checksum"
    except ValidationError:
        return "component"
    return None


# --- the classifier -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownVatCode:
    """A row of the classifier as lists show it."""

    row: VatCode
    is_builtin: bool


def load_codes(session: Session, country: str) -> VatCodes:
    """The classifier for a company of `country`, added rows first. Inside the caller's transaction, two statements."""
    return VatCodes([*_added(session, country), *(builtin_codes() if country == "LT" else ())], country)


def list_codes(session: Session, country: str) -> list[KnownVatCode]:
    """Every row: the added ones first, then the built-in ones of Lithuania. Inside the caller's transaction."""
    added = [KnownVatCode(row, False) for row in _added(session, country)]
    return added + [KnownVatCode(row, True) for row in (builtin_codes() if country == "LT" else ())]


def add_code(
    session: Session,
    *,
    treatment: str,
    percent: Decimal | None,
    supply: str,
    code: str,
    valid_from: date,
    valid_to: date | None = None,
    source: str = "",
    now: datetime,
    actor: str,
) -> VatCodeRow:
    """Add a row: `percent` None is "no tax", `supply` goods | service | "" for both. Raises BrokenRule.

    The same line again (all but the code, its end and source) is replaced. A transaction of its own.
    """
    row = _checked_code(treatment, percent, supply, code, valid_from, valid_to, source)
    with writing(session):
        known = session.scalars(
            select(VatCodeRow).where(
                VatCodeRow.treatment == row.treatment, VatCodeRow.supply == row.supply,
                VatCodeRow.valid_from == row.valid_from,
            )
        )  # fmt: skip
        same = next((each for each in known if each.percent == row.percent), None)
        before = None if same is None else _code_said(same)
        if same is None:
            same = row
            session.add(same)
        else:
            same.code, same.valid_to, same.source = row.code, row.valid_to, row.source
        session.flush()
        if before != _code_said(same):
            audit.record(
                session, at=now, actor=actor, action="vat_code_set", subject_kind="vat_code", subject_id=same.id,
                before=before, after=_code_said(same),
            )  # fmt: skip
    return same


def _added(session: Session, country: str) -> list[VatCode]:
    rows = [
        VatCode(
            Treatment(row.treatment), row.percent, Supply(row.supply) if row.supply else None, row.valid_from,
            row.valid_to, row.code, row.source,
        )
        for row in session.scalars(select(VatCodeRow).order_by(VatCodeRow.valid_from.desc(), VatCodeRow.id.desc()))
    ]  # fmt: skip
    # A rate that was added with its code says the code of a sale taxed at it, at home or under OSS.
    rates = session.scalars(select(VatRateRow).where(VatRateRow.code != "").order_by(VatRateRow.valid_from.desc()))
    home = vat_country(country)
    return rows + [
        VatCode(
            Treatment.DOMESTIC if rate.country == home else Treatment.OSS, rate.percent, None, rate.valid_from,
            rate.valid_to, rate.code, "added with the rate",
        )
        for rate in rates
    ]  # fmt: skip


def _checked_code(
    treatment: str,
    percent: Decimal | None,
    supply: str,
    code: str,
    valid_from: date,
    valid_to: date | None,
    source: str,
) -> VatCodeRow:
    code, treatment, supply = code.strip().upper(), treatment.strip().casefold(), supply.strip().casefold()
    possible = [each.value for each in CLASSIFIED]
    if treatment not in possible:
        raise BrokenRule(
            f"“{shown(treatment)}” is no treatment.", fix=f"Type one of: {', '.join(possible)}.", field="treatment"
        )
    supply = {"services": "service", "both": ""}.get(supply, supply)
    if supply not in ("", *(each.value for each in Supply)):
        raise BrokenRule(
            f"“{shown(supply)}” is neither goods nor service.", fix="Type goods, service or both.", field="supply"
        )
    if percent is not None and (not percent.is_finite() or not 0 <= percent <= 100):
        raise BrokenRule(
            f"A VAT rate of {percent} % can't be.", fix="Type it in per cent, for example 21.", field="percent"
        )
    if not re.fullmatch(r"PVM[0-9]{1,3}", code):
        raise BrokenRule(f"“{shown(code)}” is no code of the classifier.", fix="Type it as PVM1.", field="code")
    if valid_to is not None and valid_to < valid_from:
        raise BrokenRule(
            f"The code would end on {valid_to}, before it begins.",
            fix="Type a later last day, or none.",
            field="valid_to",
        )
    if treatment == Treatment.OUTSIDE_VAT.value:
        percent = None
    # 21 and 21.00 are one rate; the column keeps text, so it must be written one way.
    plain = None if percent is None else Decimal(f"{percent.normalize():f}")
    return VatCodeRow(
        treatment=treatment, percent=plain, supply=supply, valid_from=valid_from, valid_to=valid_to, code=code,
        source=source.strip()[:200],
    )  # fmt: skip


def _code_said(row: VatCodeRow) -> dict[str, object]:
    return {
        "treatment": row.treatment, "percent": row.percent, "supply": row.supply, "from": row.valid_from,
        "to": row.valid_to, "code": row.code, "source": row.source,
    }  # fmt: skip
