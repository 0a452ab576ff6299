"""`monet company`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import FILE, pairs

_MOST_CHECKED = 10_000  # waiting invoices


@click.group(no_args_is_help=True)
def company() -> None:
    """Show and set the company's data."""


@company.command()
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def show(as_json: bool) -> None:
    """Show the company whose books these are."""
    from monet_web.models.base import reading
    from monet_web.services.office import company as service

    with opened() as here, reading(here.session):
        texts = service.as_text(service.get(here.session))
    if as_json:
        _out.say_json(texts)
    else:
        _out.table(("", ""), [(key, text or "—") for key, text in texts.items()])


@company.command("set")
@click.argument("typed", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--reason", default="", help="Why a period is closed or reopened.")
@click.option("--everywhere", is_flag=True, help="What stood there was wrong: earlier documents show the new too.")
def set_(typed: tuple[str, ...], reason: str, everywhere: bool) -> None:
    """Set the company's data: name, code, vat_code, address, country, bank_name, bank_account, time_zone, closed_until;
    language of documents (lt, en or both); vat_payer, vat_from, vat_to, oss_from, oss_to, eu_threshold, ask_vies;
    accounts: revenue_account, charges_account, vat_account, oss_vat_account, receivable_account, prepaid_account,
    cod_account, cash_account, gift_card_account (sold and used), deposit_account, rounding_account.

    \b
    monet company set name="UAB Pavyzdys" code=123456789 vat_code=LT100001919017
    monet company set closed_until=2026-10-31 --reason "October is filed"
    monet company set vat_from=2024-03-01 oss_from=2026-01-01

    A document drawn again shows the company as it was when the document was registered. What was empty is filled in on
    all of them; what was wrong, with --everywhere.
    """
    from monet_web.services.office import company as service

    with opened() as here:
        changed = service.set_values(
            here.session, pairs(typed), reason=reason, everywhere=everywhere, now=here.now, actor=here.actor
        )
        _out.say(f"Changed: {', '.join(changed)}." if changed else "Nothing was changed: it was so already.")
        if changed:
            _out.mended(here)


@company.command()
@click.argument("file", required=False, type=FILE)
@click.option("--remove", is_flag=True, help="Documents have no logo from now on.")
def logo(file: Path | None, remove: bool) -> None:
    """Put the picture FILE (PNG or JPEG) on documents.

    \b
    monet company logo logo.png
    """
    from monet_web.services.office import logo as service

    if (file is None) is not remove:
        raise click.UsageError("Name a file, or type --remove.")
    with opened() as here:
        if file is None:
            removed = service.remove(here.session, now=here.now, actor=here.actor)
            _out.say("Documents have no logo from now on." if removed else "There was none.")
        else:
            service.put(here.session, file.read_bytes(), now=here.now, actor=here.actor)
            _out.say("The logo is kept. Documents drawn from now on show it.")


@company.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", required=True, help="Why, as “October is filed”.")
def close(month: str, reason: str) -> None:
    """Close a month and all before it: nothing dated in them is registered, deleted, credited or moved in stock.

    \b
    monet company close 2026-10 --reason "October is filed"
    """
    from monet_web.models.base import reading
    from monet_web.services.documents import mend
    from monet_web.services.office import periods

    first = _month(month)
    with opened() as here:
        last = periods.close(here.session, first, reason=reason, now=here.now, actor=here.actor)
        _out.say(f"Closed until {last}.")
        with reading(here.session):
            ids = periods.waiting_in(here.session, first, limit=_MOST_CHECKED)
        if ids:
            mend.check_again(here.session, invoice_ids=ids, now=here.now, actor=here.actor)
            _out.say(f"{_out.many(len(ids), 'invoice')} of it wait and need today's date now: monet journals list")


@company.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", required=True, help="Why, as “an invoice was forgotten”.")
def reopen(month: str, reason: str) -> None:
    """Reopen a month and all after it; what waited for it is checked again.

    \b
    monet company reopen 2026-10 --reason "an invoice was forgotten"
    """
    from monet_web.services.office import periods

    first = _month(month)
    with opened() as here:
        until = periods.reopen(here.session, first, reason=reason, now=here.now, actor=here.actor)
        _out.say(f"Open from {first} on; closed until {until}.")
        _out.mended(here, codes=("period_closed",))


def _month(text: str) -> date:
    try:
        if len(text) != len("2026-10"):
            raise ValueError
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise click.UsageError(f"“{text}” is not a month. Type it as 2026-10.") from None
