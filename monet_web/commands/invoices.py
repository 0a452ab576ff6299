"""`monet invoices`: invoices as files and as documents."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import PAST_DAY


@click.group(no_args_is_help=True)
def invoices() -> None:
    """Write invoices to a file, or one as PDF."""


@invoices.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "first", type=PAST_DAY, help="Issued from this day.")
@click.option("--to", "last", type=PAST_DAY, help="Issued until this day, included.")
@click.option("--integration", metavar="NAME", help="Only of this one.")
@click.option("--state", metavar="STATE", help="registered or in_journal; both when left out.")
def export(file: Path, first: date | None, last: date | None, integration: str | None, state: str | None) -> None:
    """Write invoices to FILE.csv, FILE.xlsx (one row a line) or FILE.json (one object an invoice).

    \b
    monet invoices export november.xlsx --from 2026-11-01 --to 2026-11-30 --state registered
    """
    from monet_web.models.base import reading
    from monet_web.services.documents.exports.invoices import Wanted
    from monet_web.services.documents.exports.invoices import export as write

    if first is not None and last is not None and last < first:
        raise click.UsageError(f"The period ends on {last} before it begins on {first}.")
    with opened() as here, reading(here.session):
        done = write(here.session, file, Wanted(first, last, integration, state))
    _out.say(f"{_out.many(done.invoices, 'invoice')} with {_out.many(done.rows, 'line')} written to {file}.")


@invoices.command()
@click.argument("number")
@click.option("--language", metavar="LANGUAGE", help="lt, en or both; the company's when left out.")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="Where; NUMBER.pdf when left out.")
def pdf(number: str, language: str | None, file: Path | None) -> None:
    """Write the document with NUMBER as PDF: an invoice, a credit note, or the pro-forma of a waiting invoice.

    \b
    monet invoices pdf KL-1001
    monet invoices pdf KL-1001 --language both --to november/KL-1001.pdf
    """
    from monet_web.domain.errors import BrokenRule
    from monet_web.models.base import reading
    from monet_web.services.books.numbers import number_key
    from monet_web.services.documents.exports import bundles, paper
    from monet_web.services.documents.exports import pdf as drawing
    from monet_web.services.office import company

    with opened() as here:
        with reading(here.session):
            found = bundles.by_number(here.session, number_key(number))
            papers = paper.load(here.session, [found] if found is not None else [])
            logo, usual = paper.logo(here.session), company.get(here.session).language
        if not papers:
            raise BrokenRule(f"No document has the number {number}.", fix="Type it as the list shows it.")
        body = drawing.draw(papers, logo, language or usual)
        target = file or Path(drawing.file_name(papers[0]))
        try:
            target.write_bytes(body)
        except OSError as error:
            raise BrokenRule(
                f"{target} can't be written: {error.strerror or error}.", fix="Name a folder where you may write."
            ) from None
    _out.say(f"{papers[0].title.of('en')} {papers[0].number} written to {target}.")
