"""`monet vat`: classifier codes, confirmations of VAT codes, customs declarations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import DAY

if TYPE_CHECKING:
    from monet_web.domain.classifier import VatCode


@click.group(no_args_is_help=True)
def vat() -> None:
    """Classifier codes, confirmations of buyers' VAT codes, proofs of export."""


@vat.command()
@click.argument("treatment")
@click.argument("percent")
@click.argument("code")
@click.option("--for", "supply", type=click.Choice(["both", "goods", "service"]), default="both", help="What is sold.")
@click.option("--from", "valid_from", type=DAY, required=True, help="The first day of supply.")
@click.option("--to", "valid_to", type=DAY, help="The last one, included; none when left out.")
@click.option("--source", default="", help="Where it is written.")
def add(
    treatment: str, percent: str, code: str, supply: str, valid_from: date, valid_to: date | None, source: str
) -> None:
    """Add a classifier code: TREATMENT is domestic, oss, eu_company, export or outside_vat, PERCENT a rate or none.

    \b
    monet vat add domestic none PVM5 --for service --from 2026-01-01 --source "VAT law Art. 22"

    What waited for the code is checked again.
    """
    from monet_web.services.books import vat_codes

    with opened() as here:
        row = vat_codes.add_code(
            here.session, treatment=treatment, percent=_percent(percent), supply=supply, code=code,
            valid_from=valid_from, valid_to=valid_to, source=source, now=here.now, actor=here.actor,
        )  # fmt: skip
        _out.say(f"The code {row.code} is kept.")
        _out.mended(here, codes=("classifier_missing",))


@vat.command("codes")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def codes_(as_json: bool) -> None:
    """List the classifier's codes, those added here first.

    \b
    monet vat codes --json
    """
    from monet_web.models.base import reading
    from monet_web.services.books import vat_codes
    from monet_web.services.office import company

    with opened() as here, reading(here.session):
        known = vat_codes.list_codes(here.session, company.get(here.session).country)
    rows = [
        {
            "code": one.row.code, "treatment": one.row.treatment.value, "percent": _rate(one.row),
            "for": one.row.supply.value if one.row.supply else "both", "from": one.row.valid_from.isoformat(),
            "to": one.row.valid_to.isoformat() if one.row.valid_to else None, "source": one.row.source,
            "built_in": one.is_builtin,
        }
        for one in known
    ]  # fmt: skip
    if as_json:
        _out.say_json(rows)
        return
    header = ("Code", "Of", "Rate", "For", "From", "To", "Source")
    keys = ("code", "treatment", "percent", "for", "from", "to", "source")
    _out.table(header, [[str(row[key] or "") for key in keys] for row in rows], right=(2,))


@vat.command()
@click.argument("codes", nargs=-1)
def ask(codes: tuple[str, ...]) -> None:
    """Ask VIES of VAT CODES with their prefix, or of all that invoices wait for.

    \b
    monet vat ask DE136695976

    The answers are kept, and what waited is checked again. Exit 1 when VIES did not answer about one of them.
    """
    from monet_web.domain.codes import normalise_vat_code
    from monet_web.services.documents import confirm

    with opened() as here:
        asked = [normalise_vat_code(code) for code in codes] or None
        done = confirm.ask(
            here.session, asked, surroundings=here.installation.surroundings, now=here.now, actor=here.actor
        )
        for one in done.said:
            if one.valid is None:
                _out.note(f"{one.vat_code}: {one.why}")
            elif one.valid:
                _out.say(f"{one.vat_code}: {one.name or 'known'}, consultation {one.number or 'without a number'}.")
            else:
                _out.say(f"{one.vat_code}: VIES does not know it.")
        if not done.said:
            _out.say("No VAT code waits to be confirmed.")
        if done.later:
            _out.note(done.later)
        if done.checked.checked:
            became = f"{_out.count(done.checked.registered)} registered, {_out.count(done.checked.waiting)} still wait"
            _out.say(f"{_out.count(done.checked.checked)} checked again: {became}.")
    if any(one.valid is None for one in done.said):
        raise SystemExit(1)


@vat.command()
@click.argument("code")
@click.option("--number", default="", help="Of the consultation.")
@click.option("--reason", default="", help="Why it is believed, when there is no number.")
@click.option("--on", "day", type=DAY, required=True, help="The day of the consultation.")
def confirm(code: str, number: str, reason: str, day: date) -> None:
    """Say that the buyer of a VAT CODE is a VAT payer, when VIES could not be asked.

    \b
    monet vat confirm DE136695976 --number WAPIAAAAX1Y2Z3 --on 2026-11-24
    """
    from monet_web.services.books import evidence, vies

    with opened() as here:
        evidence.confirm_by_hand(
            here.session, code, day=day, number=number, reason=reason, now=here.now, actor=here.actor
        )
        _out.say(f"{code} is confirmed.")
        _out.mended(here, codes=vies.WAITING)


@vat.command()
@click.argument("order")
@click.argument("number", default="")
@click.option("--integration", "name", default="", help="Of which integration, when several know the order's number.")
@click.option("--reason", default="", help="What proves the export instead, and why it will do.")
def mrn(order: str, number: str, name: str, reason: str) -> None:
    """Enter the customs declaration's NUMBER (MRN) of an ORDER that was exported.

    \b
    monet vat mrn 1007 26LTVR1000EX123451
    """
    from monet_web.services.books import evidence

    with opened() as here:
        order_id = evidence.exported_order(here.session, order, integration=name)
        evidence.prove_export(here.session, order_id, mrn=number, reason=reason, now=here.now, actor=here.actor)
        _out.say(f"The proof of export of order {order} is kept.")
        _out.mended(here, codes=("export_unproven",))


def _percent(text: str) -> Decimal | None:
    if text.strip().casefold() == "none":
        return None
    try:
        return Decimal(text.strip().removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        raise click.UsageError(f"“{text}” is not a rate. Type it in per cent, for example 21, or none.") from None


def _rate(row: VatCode) -> str:
    if row.is_any_rate:
        return "any"
    return "none" if row.percent is None else f"{row.percent:f}"
