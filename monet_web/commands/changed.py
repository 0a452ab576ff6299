"""`monet changed`: documents whose orders changed in the store after they were registered or corrected."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import Here, opened

if TYPE_CHECKING:
    from monet_web.services.documents.answers import Answered
    from monet_web.services.documents.changed import Changed

_PART = 200
_DOES = {
    "refresh": "draft it anew, corrections by hand are lost",
    "leave": "delete it from the journal, nothing was sold",
    "replace": "credit it in full and make a new invoice",
    "credit": "credit it in full",
    "none": "nothing: a credit note of what was given back is due",
}


@click.group(no_args_is_help=True)
def changed() -> None:
    """See and answer what changed in the store after its invoice was final."""


@changed.command("list")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(as_json: bool) -> None:
    """List the documents whose orders changed, and what accepting does with each.

    \b
    monet changed list
    """
    with opened() as here:
        found = _all(here)
    if as_json:
        _out.say_json(
            [
                {
                    "number": one.invoice.number, "order_number": one.invoice.order_number,
                    "integration": one.integration, "state": one.invoice.state.value, "what": one.what,
                    "accept": one.answer.value,
                }
                for one in found
            ]
        )  # fmt: skip
    elif not found:
        _out.say("Every document says what its order says.")
    else:
        _out.table(
            ("Number", "Integration", "State", "Total", "Changed", "Accepting would"),
            [
                (
                    _name(one), one.integration, one.invoice.state.value.replace("_", " "),
                    f"{_out.amount(one.invoice.total)} {one.invoice.currency}", one.what, _DOES[one.answer.value],
                )
                for one in found
            ],
            right=(3,),
        )  # fmt: skip


@changed.command()
@click.option("--number", help="The number of one document, or of its order.")
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(number: str | None, every: bool, yes: bool) -> None:
    """Make documents follow their orders: waiting ones are drafted anew, registered ones credited and replaced.

    \b
    monet changed accept --number KL-7702

    Exit code 1 when a document was left as it is.
    """
    from monet_web.services.documents import accept as service

    with opened() as here:
        found = _meant(here, number, every)
        confirm(_question(found), yes=yes)
        done = service.accept(
            here.session, [one.invoice.id for one in found],
            versions={one.invoice.id: one.version for one in found}, now=here.now, actor=here.actor,
        )  # fmt: skip
    for one in done:
        _out.say(_became(one))
    _fail_if_refused(done)


@changed.command()
@click.option("--number", help="The number of one document, or of its order.")
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--reason", required=True, help="Why the change does not matter.")
def ignore(number: str | None, every: bool, reason: str) -> None:
    """Leave documents as they are, for a reason; only a later change asks again.

    \b
    monet changed ignore --number KL-7702 --reason "only the telephone was rewritten"
    """
    from monet_web.services.documents import ignore as service

    with opened() as here:
        found = _meant(here, number, every)
        done = service.ignore(
            here.session, [one.invoice.id for one in found], reason=reason,
            versions={one.invoice.id: one.version for one in found}, now=here.now, actor=here.actor,
        )  # fmt: skip
    for one in done:
        _out.say(f"{one.was}: {one.refused}" if one.refused else f"{one.was} stays as it is.")
    _fail_if_refused(done)


def _all(here: Here) -> list[Changed]:
    from monet_web.models.base import reading
    from monet_web.services.documents import changed as service

    found: list[Changed] = []
    after: int | None = 0
    while after is not None:
        with reading(here.session):
            page, after = service.page(here.session, after=after, limit=_PART)
        found += page
    return found


def _meant(here: Here, number: str | None, every: bool) -> list[Changed]:
    from monet_web.domain.errors import BrokenRule
    from monet_web.services.books.numbers import number_key

    if (number is None) == (not every):
        raise click.UsageError("Type which: --number NUMBER or --all.")
    found = _all(here)
    if number is not None:
        key = number_key(number)
        found = [one for one in found if key in (one.invoice.number_key, number_key(one.invoice.order_number))]
    if not found:
        raise BrokenRule("No such document changed in its store.", fix="`monet changed list` shows those that did.")
    return found


def _question(found: Sequence[Changed]) -> str:
    parts: list[str] = []
    for answer, does in _DOES.items():
        mine = [one for one in found if one.answer.value == answer]
        if mine:
            sums: dict[str, Decimal] = {}
            for one in mine:
                sums[one.invoice.currency] = sums.get(one.invoice.currency, Decimal(0)) + one.invoice.total
            months = ", ".join(sorted({f"{one.invoice.issue_date:%B %Y}" for one in mine}))
            many = _out.many(len(mine), "document")
            parts.append(f"{many} for {_out.sums(sums)}, dated {months}: {does}")
    return "; ".join(parts) + "?"


def _name(one: Changed) -> str:
    return one.invoice.number or one.invoice.order_number


def _became(one: Answered) -> str:
    if one.refused:
        return f"{one.was}: {one.refused}"
    parts = [f"credited by {one.credit_note}"] if one.credit_note else []
    if one.document_id is not None:
        parts.append(f"{one.number or 'a new invoice'} {'is registered' if one.registered else 'waits'}")
    return f"{one.was}: {', '.join(parts) or 'gone from its journal'}."


def _fail_if_refused(done: Sequence[Answered]) -> None:
    if any(one.refused for one in done):
        raise click.exceptions.Exit(1)
