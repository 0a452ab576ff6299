"""The company whose books these are: what is set, checked, and kept in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.orm import Session

from monet_web.domain.codes import company_code_problem, normalise_company_code, normalise_vat_code
from monet_web.domain.errors import BrokenRule
from monet_web.domain.vat import vat_country
from monet_web.models.base import writing
from monet_web.models.company import Company
from monet_web.services import audit
from monet_web.services.books import company_details
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.office import company_vat
from monet_web.services.office.company_vat import WrongValue as _Wrong
from monet_web.services.opening import changes

LANGUAGES = ("lt", "en", "both")  # of documents
_PROBLEMS = {
    "length": "it has too few or too many signs",
    "checksum": "its check digit is wrong, so a digit is mistyped",
    "component": "it has letters where digits belong, or the other way round",
    "country": "its country is not the company's",
}


def get(session: Session) -> Company:
    """The one company. Inside the caller's transaction; its row is made by the first migration."""
    return session.get_one(Company, 1, populate_existing=True)


def zone(session: Session) -> ZoneInfo:
    """The company's time zone. Inside the caller's transaction."""
    return ZoneInfo(get(session).time_zone)


def as_text(company: Company) -> dict[str, str]:
    """Every value as the text that `set_values` reads back."""
    texts: dict[str, str] = {}
    for key in KEYS:
        texts[key] = company_vat.as_text(getattr(company, key))
    return texts


def set_values(
    session: Session,
    values: Mapping[str, str],
    *,
    reason: str = "",
    everywhere: bool = False,
    now: datetime,
    actor: str,
) -> list[str]:
    """Change what is in `values`; the keys that really changed. In a transaction of its own.

    Documents registered before keep the details that they had, unless `everywhere` says that those were wrong.
    Closing or reopening a period (`closed_until`) needs a reason. Raises BrokenRule naming every wrong value.
    """
    unknown = [key for key in values if key not in KEYS]
    if unknown:
        raise BrokenRule(f"A company has no {', '.join(unknown)}.", fix=f"It has: {', '.join(KEYS)}.")
    with writing(session):
        company = get(session)
        country = company.country
        parsed: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        # The country first: codes are checked by it.
        for key in sorted(values, key=lambda each: each != "country"):
            try:
                parsed[key] = KEYS[key](values[key].strip(), country)
            except _Wrong as error:
                wrong[key] = str(error)
            else:
                country = parsed.get("country", country)
        if not wrong:
            wrong = company_vat.contradictions(
                {key: parsed.get(key, getattr(company, key)) for key in company_vat.KEYS}
            )
        if wrong:
            said = (f"{key}={values.get(key, '').strip()[:60]}: {sentence}" for key, sentence in wrong.items())
            raise WrongFields(wrong, " ".join(said))
        before = {key: getattr(company, key) for key in parsed}
        changed = [key for key in parsed if parsed[key] != before[key]]
        if "closed_until" in changed and not reason.strip():
            raise BrokenRule(
                "Closing and reopening a period need a reason.", fix="Type it: --reason “October is filed”."
            )
        for key in changed:
            setattr(company, key, parsed[key])
        if "time_zone" in changed:
            changes.zone_changed(session, ZoneInfo(before["time_zone"]), ZoneInfo(company.time_zone), now=now)
        company_details.changed(session, {key: before[key] for key in changed}, company, everywhere=everywhere, now=now)
        if changed:
            after = {key: parsed[key] for key in changed}
            if everywhere and set(changed) & set(company_details.SHOWN):
                after["everywhere"] = True
            if reason.strip():
                after["reason"] = reason.strip()[:400]
            audit.record(
                session, at=now, actor=actor, action="company_changed", subject_kind="company", subject_id=1,
                before={key: before[key] for key in changed}, after=after,
            )  # fmt: skip
    return changed


def _text(limit: int) -> Callable[[str, str], str]:
    def parse(text: str, _country: str) -> str:
        if len(text) > limit:
            raise _Wrong(f"Type at most {limit} characters.")
        return text

    return parse


def _code(text: str, country: str) -> str:
    code = normalise_company_code(text)
    if code and country == "LT" and (problem := company_code_problem(code)):
        raise _Wrong(f"It can't be a Lithuanian company code: {_PROBLEMS[problem]}.")
    return _text(40)(code, country)


def _vat_code(text: str, country: str) -> str:
    code = normalise_vat_code(text)
    if code and (problem := vat_code_problem(code, country)):
        raise _Wrong(f"It can't be a VAT code: {_PROBLEMS.get(problem, problem)}.")
    return _text(40)(code, country)


def _country(text: str, _country: str) -> str:
    code = vat_country(text)
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise _Wrong("Type the country's two letters, for example LT.")
    return code


def _currency(text: str, _country: str) -> str:
    if text.upper() != "EUR":
        raise _Wrong("The books are in EUR; orders may be in any currency.")
    return "EUR"


def _time_zone(text: str, _country: str) -> str:
    zones = {name.casefold(): name for name in available_timezones()}
    if text.casefold() not in zones:
        raise _Wrong("Type a time zone as Europe/Vilnius.")
    return zones[text.casefold()]


def _language(text: str, _country: str) -> str:
    if text.casefold() not in LANGUAGES:
        raise _Wrong(f"Type one of: {', '.join(LANGUAGES)}.")
    return text.casefold()


def _bank_account(text: str, _country: str) -> str:
    """An IBAN in groups of four, checked; another country's account that is none stays as typed."""
    bare = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", bare, re.ASCII):
        if bare.startswith("LT"):
            raise _Wrong("Type the IBAN, for example LT12 1000 0111 0100 1000.")
        return _text(40)(text, _country)
    if int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 != 1:
        raise _Wrong("It can't be an IBAN: its check digits are wrong, so a sign is mistyped.")
    return " ".join(bare[at : at + 4] for at in range(0, len(bare), 4))


def _needed_account(text: str, _country: str) -> str:
    if not text:
        raise _Wrong("Type the number of the account.")
    return _text(40)(text, _country)


def _closed_until(text: str, _country: str) -> date | None:
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise _Wrong("Type the last closed day as 2026-10-31, or leave it empty to reopen all.") from None


KEYS: Mapping[str, Callable[[str, str], Any]] = {
    "name": _text(200),
    "code": _code,
    "vat_code": _vat_code,
    "address": _text(400),
    "country": _country,
    "currency": _currency,
    "time_zone": _time_zone,
    "language": _language,
    "revenue_account": _text(40),
    "charges_account": _text(40),
    "bank_name": _text(100),
    "bank_account": _bank_account,
    "receivable_account": _needed_account,
    "vat_account": _needed_account,
    **dict.fromkeys(
        ("oss_vat_account", "rounding_account", "prepaid_account", "cod_account", "gift_card_account", "cash_account"),
        _text(40),
    ),
    "deposit_account": _text(40),
    "closed_until": _closed_until,
    **company_vat.KEYS,
}
