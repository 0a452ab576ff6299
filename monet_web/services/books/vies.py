"""VIES: the EU's register of VAT payers, asked over the network whether a buyer's code is known; booking never waits.

An answer is kept as evidence with the number of the consultation, which VIES gives only when we say who asks. That
the register of a state does not answer is no answer: neither "known" nor "unknown".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.connectors.address_guard import AddressGuard, parse
from monet_web.connectors.base import Surroundings
from monet_web.connectors.http import Limits, StoreClient
from monet_web.domain.codes import full_vat_code
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.domain.windows import local_day
from monet_web.models.base import reading
from monet_web.models.company import Company
from monet_web.models.evidence import VatConfirmation
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.services.books import evidence
from monet_web.services.books.vat_codes import vat_code_problem

log = logging.getLogger(__name__)

ADDRESS = "https://ec.europa.eu/taxation_customs/vies/rest-api"
WAITING = ("vat_number_unconfirmed", "vat_number_refused")
ASK_AGAIN = timedelta(hours=4)  # a code without an answer; a person may ask at once
_SECONDS = 12.0  # of one question: somebody may look at the page that waits
_LIMITS = Limits(connect_seconds=5, read_seconds=10, answer_seconds=10, answer_bytes=64 * 1024, tries=1)
_MOST = 20  # codes a turn


@dataclass(frozen=True, slots=True)
class Said:
    """What VIES said of a code; `valid` None: nothing, for the reason `why`."""

    vat_code: str
    valid: bool | None
    number: str = ""
    name: str = ""
    address: str = ""
    why: str = ""


def ask(
    session: Session,
    codes: Sequence[str],
    *,
    surroundings: Surroundings,
    now: datetime,
    actor: str,
    address: str = ADDRESS,
    guard: AddressGuard | None = None,
) -> list[Said]:
    """Ask VIES of VAT codes (with prefix) and keep the answers; each in a transaction of its own, none while asking.

    Never raises for what the network does: a code without an answer says why. Raises BrokenRule for a code that can't
    be one.
    """
    for code in codes:
        if problem := vat_code_problem(code, ""):
            raise BrokenRule(f"{code} can't be a VAT code ({problem}).", fix="Type it with its prefix, as DE136695976.")
    with reading(session):
        company = session.get_one(Company, 1, populate_existing=True)
        ours, day = full_vat_code(company.vat_code, company.country), local_day(now, ZoneInfo(company.time_zone))
    said = []
    client = StoreClient(parse(address), surroundings, limits=_LIMITS, guard=guard)
    try:
        for code in codes:
            one = _asked(client, code, ours)
            said.append(one)
            evidence.keep(session, _row(one, day, now, actor))
    finally:
        client.close()
    return said


def to_ask(session: Session, *, now: datetime, most: int = _MOST) -> list[str]:
    """Codes that waiting invoices need confirmed and that were not asked lately. Inside a transaction, two queries.

    None when the company does not let this program ask.
    """
    if not session.scalar(select(Company.ask_vies).where(Company.id == 1)):
        return []
    lately = (
        select(VatConfirmation.vat_code)
        .where(VatConfirmation.asked_at > now - ASK_AGAIN)
        .group_by(VatConfirmation.vat_code)
    )
    found = (
        select(InvoiceFinding.subject)
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(
            Invoice.state == InvoiceState.IN_JOURNAL,
            InvoiceFinding.code == WAITING[0],
            InvoiceFinding.subject.not_in(lately),
        )
        .group_by(InvoiceFinding.subject)
        .order_by(func.min(InvoiceFinding.id))
        .limit(most)
    )
    return [code for code in session.scalars(found) if vat_code_problem(code, "") is None]


def _asked(client: StoreClient, code: str, ours: str) -> Said:
    question = {"countryCode": code[:2], "vatNumber": code[2:]}
    if vat_code_problem(ours, "") is None:
        question |= {"requesterMemberStateCode": ours[:2], "requesterNumber": ours[2:]}
    client.hurry(_SECONDS)
    try:
        answer = client.ask(
            "/check-vat-number", method="POST", body=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        found = client.json(answer)
    except MonetError as error:
        # What the client says of stores ("check the shop's address") helps nobody here.
        log.info("VIES did not answer", extra={"kind": type(error).__name__})
        return Said(code, None, why="VIES could not be reached.")
    return _read(code, found)


def _read(code: str, found: Any) -> Said:
    """An answer that says yes or no of the code that was asked; anything else is none."""
    if not isinstance(found, dict):
        return Said(code, None, why="VIES answered with something else than expected.")
    failures = found.get("errorWrappers") or []
    if failures:
        named = failures[0].get("error") if isinstance(failures[0], dict) else None
        return Said(code, None, why=f"VIES could not say: {_text(named, 60) or 'no reason given'}.")
    valid = found.get("valid", found.get("isValid"))
    trouble = _text(found.get("userError"), 60)
    if not isinstance(valid, bool) or trouble not in ("", "VALID", "INVALID"):
        return Said(code, None, why=f"VIES could not say: {trouble or 'no answer'}.")
    about = f"{found.get('countryCode', code[:2])}{found.get('vatNumber', code[2:])}"
    if about.upper() != code:
        return Said(code, None, why="VIES answered about another code.")
    return Said(
        code, valid, number=_text(found.get("requestIdentifier"), 80), name=_shown(found.get("name"), 400),
        address=_shown(found.get("address"), 400),
    )  # fmt: skip


def _text(value: Any, limit: int) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(value or "")).split())[:limit]


def _shown(value: Any, limit: int) -> str:
    """States that tell no names write dashes."""
    text = _text(value, limit)
    return "" if set(text) <= {"-", " "} else text


def _row(said: Said, day: date, now: datetime, actor: str) -> VatConfirmation:
    return VatConfirmation(
        vat_code=said.vat_code[:40], valid=said.valid, day=day, how="vies", number=said.number, name=said.name,
        address=said.address, reason=said.why[:400], asked_at=now, asked_by=actor[:200],
    )  # fmt: skip
