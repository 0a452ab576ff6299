"""`monet reports`: a month before its filing, and the files for the tax authority."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._context import opened

if TYPE_CHECKING:
    from monet_web.domain.quarters import Quarter
    from monet_web.services.reports.month import Month

_FILE = click.Path(dir_okay=False, path_type=Path)
_MOST_CHECKED = 10_000  # waiting invoices


@click.group(no_args_is_help=True)
def reports() -> None:
    """See what a month waits for, write i.SAF and OSS."""


@reports.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--close", is_flag=True, help="Close it: when nothing stands open, or with --reason.")
@click.option("--reason", default="", help="Why it is closed though something stands open.")
def month(month: str, close: bool, reason: str) -> None:
    """Show what stands between a month and its filing; exit code 1 when something does.

    \b
    monet reports month 2026-11
    monet reports month 2026-11 --close
    """
    from monet_web.models.base import reading
    from monet_web.services.documents import mend
    from monet_web.services.office import periods
    from monet_web.services.reports import month as service

    first = _month(month)
    if reason and not close:
        raise click.UsageError("A reason is for closing. Add --close.")
    with opened() as here:
        with reading(here.session):
            found = service.load(here.session, first, now=here.now)
        _say_month(found)
        if close:
            last = service.close(here.session, first, reason=reason, now=here.now, actor=here.actor)
            _out.say(f"Closed until {last}.")
            with reading(here.session):
                ids = periods.waiting_in(here.session, first, limit=_MOST_CHECKED)
            if ids:
                mend.check_again(here.session, invoice_ids=ids, now=here.now, actor=here.actor)
        elif not found.is_clean:
            raise SystemExit(1)


@reports.command()
@click.argument("month", metavar="YYYY-MM")
@click.argument("file", type=_FILE, required=False)
@click.option("--part", help="The part's name, said once: capital letters, digits, _; as EPARD.")
@click.option("--oss", type=click.Choice(["in", "out"]), help="Whether sales under OSS go into i.SAF, said once.")
@click.option(
    "--names", type=click.Choice(["given", "none"]), help="Whether names of private buyers are given, said once."
)
@click.option("--without-refused", is_flag=True, help="Leave out what would be refused.")
def isaf(
    month: str, file: Path | None, part: str | None, oss: str | None, names: str | None, without_refused: bool
) -> None:
    """Check a month's i.SAF, and write it to FILE.xml when one is named; exit code 1 when something would be refused.

    \b
    monet reports isaf 2026-11 --part EPARD --oss in
    monet reports isaf 2026-11 isaf.xml

    The file holds only invoices of Monet Web. One with the same part's name replaces what was filed for the month.
    """
    from monet_web.domain.isaf_words import said
    from monet_web.models.base import reading
    from monet_web.services.documents.exports import filings
    from monet_web.services.documents.exports import isaf as service

    first = _month(month)
    with opened() as here:
        service.must_be_known(first)
        if part is not None or oss is not None or names is not None:
            filings.set_terms(here.session, part=part, oss=oss, names=names, now=here.now, actor=here.actor)
        if file is not None:
            filing = service.take(
                here.session, first, file, without_refused=without_refused, now=here.now, actor=here.actor
            )
            left_out = f", {filing.left_out} left out" if filing.left_out else ""
            _out.say(f"{_out.many(filing.documents, 'document')}{left_out} written to {file}.")
            _out.say(f"SHA-256 {filing.sha256}")
            return
        with reading(here.session):
            checked = service.check(here.session, first)
        for against in checked.against:
            _out.say(said(against).sentence)
        for one in checked.refused:
            for why in one.why:
                _out.say(f"{one.number or '(no number)'} of {one.issued}: {said(why).sentence}")
        if checked.refused_count > len(checked.refused):
            _out.say(f"… and {checked.refused_count - len(checked.refused)} more.")
        _out.table(
            ("code", "base, EUR", "VAT, EUR"),
            [(code or "—", _out.amount(of.base), _out.amount(of.amount)) for code, of in sorted(checked.sums.items())],
            right=(1, 2),
        )
        _out.say(
            f"{_out.many(checked.invoices, 'invoice')}, {_out.many(checked.credit_notes, 'credit note')}; "
            f"{checked.refused_count} would be refused."
        )
        if checked.since is not None and not checked.changes.are_none:
            _out.say(_changes(checked.changes.added, checked.changes.altered, checked.changes.gone))
        if not checked.is_clean:
            raise SystemExit(1)


@reports.command()
@click.argument("quarter", metavar="YYYY-QN")
@click.argument("file", type=_FILE, required=False)
@click.option("--documents", type=_FILE, help="The documents with their evidence too, to this .csv.")
@click.option("--anew", is_flag=True, help="The file taken before was not handed in: take one with what changed since.")
def oss(quarter: str, file: Path | None, documents: Path | None, anew: bool) -> None:
    """Show a quarter's sales under OSS, and write them to FILE.csv or FILE.xlsx when one is named.

    \b
    monet reports oss 2026-Q4
    monet reports oss 2026-Q4 oss.xlsx

    Once the quarter is over, writing the file files the return: it stays so, and what changes afterwards is a
    correction of the first return not yet filed.
    """
    from monet_web.models.base import reading
    from monet_web.services.documents.exports import oss as service

    wanted = _quarter(quarter)
    if anew and file is None:
        raise click.UsageError("A return is taken anew into a file. Name it.")
    with opened() as here:
        if documents is not None:
            rows = service.write_evidence(here.session, wanted, documents)
            _out.say(f"{_out.many(rows, 'row')} written to {documents}.")
        if file is not None:
            filing = service.take(here.session, wanted, file, anew=anew, now=here.now, actor=here.actor)
            _out.say(f"{wanted} written to {file}.")
            _out.say(f"SHA-256 {filing.sha256}")
            return
        with reading(here.session):
            found = service.load(here.session, wanted)
        if found.since is not None:
            _out.say(f"Filed: taken {found.since.made_at:%Y-%m-%d} by {found.since.made_by}.")
        if found.gap is not None:
            _out.say(
                f"{found.gap} was not taken here: what changed before it stands there: monet reports oss {found.gap}"
            )
        _out.table(
            ("country", "rate", "base, EUR", "VAT, EUR"),
            [(one.country, f"{one.rate:f} %", _out.amount(one.base), _out.amount(one.vat)) for one in found.supplies],
            right=(1, 2, 3),
        )
        for each in found.corrections:
            late = ", too late for the return: tell that country directly" if each.is_late else ""
            _out.say(f"Correction of {each.quarter}, {each.country}: {_out.amount(each.vat)} EUR{late}.")
        for of, currency in found.missing:
            _out.say(f"The rate of {currency} published on {of.published} is missing: monet rates import FILE.csv")
        if found.doubtful:
            _out.say(f"{_out.many(found.doubtful, 'invoice')} with one piece of evidence only.")
        for country, amount in found.changed:
            _out.say(
                f"Changed since, {country}: {_out.amount(amount)} EUR of VAT, a correction of {found.changes_stand_in}."
            )
        if found.missing:
            raise SystemExit(1)


@reports.command("sales-journal")
@click.argument("month", metavar="YYYY-MM")
@click.argument("file", type=_FILE)
def sales_journal(month: str, file: Path) -> None:
    """Write a month's sales journal to FILE.csv or FILE.xlsx: what the main program books, by the company's accounts.

    \b
    monet reports sales-journal 2026-11 november.xlsx
    """
    from monet_web.models.base import reading
    from monet_web.services.documents import sales_journal as service
    from monet_web.services.documents.exports import sales_journal as files

    first = _month(month)
    with opened() as here, reading(here.session):
        found = service.load(here.session, first)
    files.write(found, file)
    notes = f" and {_out.many(found.credit_notes, 'credit note')}" if found.credit_notes else ""
    _out.say(f"{_out.many(found.invoices, 'invoice')}{notes}: {_out.many(len(found.rows), 'row')} written to {file}.")
    _out.say(f"{_out.amount(found.debit)} EUR debited and as much credited.")
    if found.waiting:
        _out.say(f"{_out.many(found.waiting, 'document')} of the month still wait and are not in it.")


@reports.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def numbers(month: str, as_json: bool) -> None:
    """Explain every gap and every date out of order among a month's numbers; exit code 1 when one is not explained.

    \b
    monet reports numbers 2026-11
    """
    from monet_web.domain.number_dates import WHY_DATED
    from monet_web.domain.number_gaps import UNEXPLAINED
    from monet_web.models.base import reading
    from monet_web.services.reports import numbers as service

    first = _month(month)
    with opened() as here, reading(here.session):
        found = service.load(here.session, first)
    if as_json:
        _out.say_json(
            [
                {
                    "integration": store.name, "first": each.first, "last": each.last, "documents": each.documents,
                    "missing": [
                        {"first": one.first, "last": one.last, "count": one.count, "why": one.why.code,
                         "text": one.why.text("en"), "explained": one.why.code not in UNEXPLAINED}
                        for one in each.missing
                    ],
                    "out_of_order": [
                        {"number": one.number, "date": one.day.isoformat(), "beside": one.beside,
                         "beside_date": one.beside_day.isoformat(), "why": one.why}
                        for one in each.out_of_order
                    ],
                }
                for store in found.stores
                for each in store.series
            ]
        )  # fmt: skip
    else:
        for store in found.stores:
            for each in store.series:
                documents = _out.many(each.documents, "document")
                _out.say(f"{store.name}: {each.first} to {each.last}, {documents}")
                for one in each.missing:
                    span = one.first if one.count == 1 else f"{one.first} – {one.last} ({_out.count(one.count)})"
                    mark = "NOT EXPLAINED, " if one.why.code in UNEXPLAINED else ""
                    _out.say(f"  {span}: {mark}{one.why.text('en')}")
                for late in each.out_of_order:
                    beside = f"{late.beside} of {late.beside_day}"
                    _out.say(f"  {late.number} of {late.day} out of order with {beside}: {WHY_DATED[late.why][0]}")
        if not found.stores:
            _out.say("Nothing is registered in it.")
    if found.unexplained:
        raise SystemExit(1)


def _say_month(found: Month) -> None:
    from monet_web.domain import isaf_words as words

    waiting = found.waiting
    state = "closed" if found.is_closed else "open" if found.is_over else "not over"
    _out.say(f"{found.first:%B %Y}: {state}.")
    lines = []
    if found.company:
        needed = ", ".join({"vat_code": "VAT code"}.get(key, key) for key in found.company)
        lines.append(f"Invoices can't be drawn, the company lacks: {needed}: monet company set")
    if waiting.documents:
        without = f", {waiting.without_euro} of them without amounts in EUR" if waiting.without_euro else ""
        lines.append(
            f"{_wait(waiting.documents)} with {_out.amount(waiting.vat)} EUR of VAT{without}: monet journals list"
        )
    if found.earlier:
        lines.append(f"{_wait(found.earlier)} in months before it, which closing it would close too.")
    if found.unbooked:
        numbers = ", ".join(found.named_unbooked) + (" …" if len(found.named_unbooked) < found.unbooked else "")
        lines.append(
            f"{_out.many(found.unbooked, 'order')} in no document ({numbers}): launch the period again, or see "
            "monet conflicts list, monet runs list"
        )
    if found.changed:
        lines.append(f"{_out.many(found.changed, 'document')} changed in the store: monet changed list")
    if found.given_back:
        named = ", ".join(f"{one.number} {one.amount} {one.currency}" for one in found.named_back)
        more = " …" if len(found.named_back) < found.given_back else ""
        lines.append(f"{_out.many(found.given_back, 'invoice')} with refunds that are not booked: {named}{more}")
    if found.unexplained:
        missing = _out.many(found.unexplained, "number")
        lines.append(f"{missing} missing and not explained: monet reports numbers {found.first:%Y-%m}")
    lines += [f"No rate for {subject}: {_wait(count)}." for subject, count in found.rates]
    lines += [f"OSS misses the rate of {currency} published on {of.published}." for of, currency in found.quarter_rates]
    if "isaf" in found.stands_open:
        against = [f"{words.said(each).wrong}" for each in found.isaf.against]
        refused = [f"{found.isaf.refused_count} would be refused"] if found.isaf.refused_count else []
        lines.append(f"i.SAF: {' '.join((*against, *refused))}: monet reports isaf {found.first:%Y-%m}")
    if found.unsettled:
        lines.append(f"{_out.many(found.unsettled, 'invoice')} registered without moving stock.")
    for line in lines or ["Nothing stands open."]:
        _out.say(line)
    changes = found.isaf.changes
    if found.isaf.since is not None and not changes.are_none:
        _out.say(_changes(changes.added, changes.altered, changes.gone))


def _wait(count: int) -> str:
    return f"{_out.many(count, 'document')} {'waits' if count == 1 else 'wait'}"


def _changes(added: int, altered: int, gone: int) -> str:
    return f"Since the last i.SAF was taken: {added} new, {altered} other, {gone} gone."


def _month(text: str) -> date:
    try:
        if len(text) != len("2026-10"):
            raise ValueError
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise click.UsageError(f"“{text}” is not a month. Type it as 2026-10.") from None


def _quarter(text: str) -> Quarter:
    from monet_web.domain.quarters import read_quarter

    quarter = read_quarter(text)
    if quarter is None:
        raise click.UsageError(f"“{text}” is not a quarter. Type it as 2026-Q4.")
    return quarter
