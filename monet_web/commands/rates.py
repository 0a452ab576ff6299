"""`monet rates` and `monet vat-rates`."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import opened
from monet_web.commands._typed import DAY, FILE, PERCENT


@click.group(no_args_is_help=True)
def rates() -> None:
    """Import currency rates."""


@rates.command("import")
@click.argument("file", type=FILE)
def import_(file: Path) -> None:
    """Import currency rates from FILE: a bank's own, or a .csv or .xlsx with the header date,currency,rate.

    Rates are units of currency for one EUR. The European Central Bank's files (.csv, .zip, .xml) and the Bank of
    Lithuania's (.xml) are read as they are; what the ECB publishes counts from the next working day.

    \b
    date,currency,rate
    2026-11-24,USD,1.1527

    \b
    monet rates import rates.csv

    A rate counts on its own day, and on the weekend or bank holiday after it; any other day needs its own.
    What waited for a rate is checked again.
    """
    from monet_web.services.books import rates as service

    with opened() as here:
        done = service.import_rates(here.session, file.read_bytes(), source=file.name, now=here.now, actor=here.actor)
        _out.say(
            f"{_out.many(done.added, 'rate')} added, {_out.count(done.changed)} changed, "
            f"{_out.count(done.same)} the same."
        )
        _out.mended(here, codes=("currency_rate_missing",))


@click.group(no_args_is_help=True)
def vat_rates() -> None:
    """Add and list VAT rates."""


@vat_rates.command()
@click.argument("country")
@click.argument("percent", type=PERCENT)
@click.option("--from", "valid_from", type=DAY, required=True, help="Its first day.")
@click.option("--to", "valid_to", type=DAY, help="Its last day, included; none when left out.")
@click.option("--code", default="", help="The classifier's code, as PVM1.")
@click.option("--yes", is_flag=True, help="Do not ask, also for a country that this program does not know.")
def add(country: str, percent: Decimal, valid_from: date, valid_to: date | None, code: str, yes: bool) -> None:
    """Add a VAT rate that a country had on certain days. The EU's usual ones are there already.

    \b
    monet vat-rates add LT 9 --from 2015-01-01 --to 2025-12-31

    What waited because of such a rate is checked again.
    """
    from monet_web.services.books import rates as service

    if re.fullmatch(r"[A-Za-z]{2}", country.strip()) and not _is_known(country):
        # Asked and not refused: countries are made and renamed more often than this program is.
        confirm(
            f"No country known here has the code {country.strip().upper()}. Add a rate for it all the same?", yes=yes
        )
    with opened() as here:
        row = service.add_vat_rate(
            here.session, country=country, percent=percent, valid_from=valid_from, valid_to=valid_to, code=code,
            now=here.now, actor=here.actor,
        )  # fmt: skip
        until = f" to {row.valid_to}" if row.valid_to else ""
        _out.say(f"{row.country} has {row.percent:f} % from {row.valid_from}{until}.")
        _out.mended(here, codes=("vat_rate_unknown", "classifier_missing", "oss_off", "oss_rate"))


def _is_known(country: str) -> bool:
    from babel import Locale

    from monet_web.domain.vat import vat_country

    # Babel's regions hold some that are no country: unions, exceptional reservations, codes for tests.
    no_country = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
    code = vat_country(country)
    return code in Locale("en").territories and code not in no_country


@vat_rates.command("list")
@click.argument("country", default="")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(country: str, as_json: bool) -> None:
    """List the known VAT rates, of one country or of all.

    \b
    monet vat-rates list LT
    """
    from monet_web.models.base import reading
    from monet_web.services.books import rates as service

    with opened() as here, reading(here.session):
        known = service.list_vat_rates(here.session, country)
    if as_json:
        _out.say_json(
            [
                {
                    "country": one.country, "percent": f"{one.percent:f}", "from": one.valid_from.isoformat(),
                    "to": one.valid_to.isoformat() if one.valid_to else None, "code": one.code,
                    "built_in": one.is_builtin,
                }
                for one in known
            ]
        )  # fmt: skip
        return
    if not known:
        _out.say(f"No rate of {country} is known. Add one: monet vat-rates add {country} 20 --from 2026-01-01")
        return
    _out.table(
        ("Country", "Rate", "From", "To", "Code", ""),
        [
            (
                one.country, f"{one.percent:f} %", one.valid_from.isoformat(), str(one.valid_to or ""), one.code,
                "" if one.is_builtin else "added here",
            )
            for one in known
        ],
        right=(1,),
    )  # fmt: skip
