"""`monet journals`: what waits, and what a person does about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import Here, opened

if TYPE_CHECKING:
    from monet_web.models.invoices import Invoice

F = TypeVar("F", bound=Callable[..., Any])

_PART = 500
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Which:
    """Which waiting invoices a command means."""

    number: str | None
    cause: str | None
    every: bool


@dataclass(slots=True)
class _Sum:
    """What a question before deleting names."""

    ids: list[int] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    months: set[date] = field(default_factory=set)
    touched: int = 0


@click.group(no_args_is_help=True)
def journals() -> None:
    """See, check, register or delete the invoices that wait."""


def _which(command: F) -> F:
    command = click.option("--all", "every", is_flag=True, help="Everything that waits.")(command)
    command = click.option("--cause", metavar="CODE", help="What waits for this, as item_unknown.")(command)
    return click.option("--number", help="A journal's number, or an invoice's or its order's.")(command)


@journals.command("list")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(as_json: bool) -> None:
    """List the journals with what waits in them, and the causes.

    \b
    monet journals list
    """
    from sqlalchemy import select

    from monet_web.models.base import reading
    from monet_web.models.integrations import Integration
    from monet_web.services.documents import journals as service

    with opened() as here, reading(here.session):
        found = service.list_journals(here.session)
        rows = here.session.execute(select(Integration.id, Integration.name))
        names = {row.id: row.name for row in rows}
        causes = _causes(here)
    if as_json:
        _out.say_json(
            {
                "journals": [
                    {
                        "number": one.number, "type": one.accounting_type.value, "date": one.local_day.isoformat(),
                        "integration": names.get(one.integration_id, ""), "invoices": one.count,
                        "sums": {currency: f"{total:.2f}" for currency, total in one.sums.items()},
                    }
                    for one in found
                ],
                "causes": [{"code": code, "subject": subject, "invoices": count} for code, subject, count, _ in causes],
            }
        )  # fmt: skip
        return
    if not found:
        _out.say("No invoice waits.")
        return
    titles = {"goods": "Goods sales", "amounts": "Sales"}
    _out.table(
        ("Journal", "Kind", "Integration", "Waits", "Sum", "Dated"),
        [
            (
                one.number, titles[one.accounting_type.value], names.get(one.integration_id, ""),
                _out.count(one.count), _out.sums(one.sums), f"{one.first} – {one.last}",
            )
            for one in found
        ],
        right=(3,),
    )  # fmt: skip
    _out.say("")
    for code, _, count, (cause, fix) in causes[:_MOST_SHOWN]:
        _out.say(f"{_out.count(count):>7}  {cause}  [{code}]")
        _out.say(f"         → {fix}")


@journals.command()
@_which
def check(number: str | None, cause: str | None, every: bool) -> None:
    """Check again what waits; what passes is registered where the integration registers by itself.

    \b
    monet journals check --cause item_unknown
    """
    from monet_web.services.documents import mend

    which = _one_of(number, cause, every)
    with opened() as here:
        total = Counter[str]()
        for ids in _parts(here, which):
            done = mend.check_again(here.session, invoice_ids=ids, now=here.now, actor=here.actor)
            total.update(checked=done.checked, registered=done.registered, waiting=done.waiting)
        if not total["checked"]:
            _out.say("Nothing waits for this.")
            return
        became = f"{_out.count(total['registered'])} registered, {_out.count(total['waiting'])} still wait"
        _out.say(f"{_out.count(total['checked'])} checked again: {became}.")


@journals.command()
@_which
def register(number: str | None, cause: str | None, every: bool) -> None:
    """Register what waits and passes every check; say of the rest why it still waits.

    \b
    monet journals register --number KL-7702
    monet journals register --all

    Exit code 1 when an invoice that was named by its number still waits.
    """
    from monet_web.domain.findings import describe
    from monet_web.services.documents import register as service

    which = _one_of(number, cause, every)
    done = asked = 0
    with opened() as here:
        for ids in _parts(here, which):
            for one in service.register(here.session, ids, now=here.now, actor=here.actor):
                asked += 1
                done += one.ok
                if not one.ok and asked - done <= _MOST_SHOWN:
                    _out.say(f"{one.number or f'invoice {one.invoice_id}'} still waits:")
                    for finding in one.findings:
                        text = describe(finding)
                        _out.say(f"  {text.wrong} {text.fix}")
    _out.say(f"{_out.count(done)} of {_out.count(asked)} registered." if asked else "Nothing waits for this.")
    if number is not None and done < asked:
        raise click.exceptions.Exit(1)


@journals.command()
@_which
@click.option("--leave-out", metavar="REASON", help="Their orders do not come back at the next import, because …")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(number: str | None, cause: str | None, every: bool, leave_out: str | None, yes: bool) -> None:
    """Delete what waits. The next import brings the orders back, unless they are left out.

    \b
    monet journals delete --number J-12
    monet journals delete --number KL-7702 --leave-out "a test order"
    """
    from monet_web.models.base import reading
    from monet_web.services.documents import journals as service

    which = _one_of(number, cause, every)
    with opened() as here:
        what = _Sum()
        for invoice in _waiting(here, which):
            what.ids.append(invoice.id)
            what.totals[invoice.currency] += invoice.total
            what.months.add(invoice.issue_date.replace(day=1))
            what.touched += invoice.touched_at is not None
        if not what.ids:
            _out.say("Nothing waits for this.")
            return
        with reading(here.session):
            service.must_be_deletable(here.session, what.ids, leave_out=leave_out is not None)
        confirm(_question(what, leaves_out=leave_out is not None), yes=yes)
        deleted = 0
        for start in range(0, len(what.ids), _PART):
            deleted += service.delete(
                here.session, what.ids[start : start + _PART], leave_out=leave_out is not None,
                reason=leave_out or "", now=here.now, actor=here.actor,
            )  # fmt: skip
    became = (
        "Their orders are left out; monet journals bring-back NUMBER takes it back."
        if leave_out is not None
        else "The next import brings their orders back."
    )
    _out.say(f"{_out.many(deleted, 'invoice')} deleted. {became}")


@journals.command("left-out")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def left_out(as_json: bool) -> None:
    """List the orders that were left out by hand, the newest first, with the reasons.

    \b
    monet journals left-out
    """
    from monet_web.models.base import reading
    from monet_web.services.documents import journals as service

    rows: list[tuple[str, str, str, str]] = []
    before: int | None = None
    with opened() as here, reading(here.session):
        while True:
            found, before = service.left_out(here.session, before=before, limit=_PART)
            rows += [
                (one.order_number, name, str(one.placed_at.date() if one.placed_at else ""), one.left_out_reason)
                for one, name in found
            ]
            if before is None:
                break
    if as_json:
        keys = ("order", "integration", "date", "reason")
        _out.say_json([dict(zip(keys, row, strict=True)) for row in rows])
    elif not rows:
        _out.say("No order is left out by hand.")
    else:
        _out.table(("Order", "Integration", "Placed", "Left out because"), rows)
        _out.say("")
        _out.say("To have one again: monet journals bring-back NUMBER")


@journals.command("bring-back")
@click.argument("number")
def bring_back(number: str) -> None:
    """Take back that the order NUMBER was left out: the next import of its day enters it again.

    \b
    monet journals bring-back 1001
    """
    from monet_web.domain.errors import BrokenRule
    from monet_web.services.documents import journals as service

    with opened() as here:
        count = service.bring_back(here.session, number, now=here.now, actor=here.actor)
    if not count:
        raise BrokenRule(
            f"No order {number.strip()} is left out by hand.", fix="`monet journals left-out` shows those that are."
        )
    _out.say(f"{_out.many(count, 'order')} brought back. Import the day again: monet import --help")


@journals.command("import-anew")
@click.argument("number")
def import_anew(number: str) -> None:
    """Say yes to importing the order NUMBER anew, whose invoice was credited in full.

    \b
    monet journals import-anew 1001
    """
    from monet_web.domain.errors import BrokenRule
    from monet_web.services.books.numbers import number_key
    from monet_web.services.documents import credited

    with opened() as here:
        count = credited.import_number_anew(here.session, number_key(number), now=here.now, actor=here.actor)
    if not count:
        raise BrokenRule(
            f"The invoice of no order {number.strip()} is credited in full.", fix="`monet runs show` names the orders."
        )
    _out.say(f"{_out.many(count, 'order')} open again. Import the day again: monet import --help")


def _question(what: _Sum, *, leaves_out: bool) -> str:
    months = ", ".join(f"{month:%B %Y}" for month in sorted(what.months))
    question = f"Delete {_out.many(len(what.ids), 'invoice')} for {_out.sums(what.totals)}, dated {months}"
    if leaves_out:
        question += ", and leave their orders out"
    if what.touched:
        question += f"? {_out.many(what.touched, 'of them was', 'of them were')} corrected by hand, which is lost"
    return question + "?"


def _one_of(number: str | None, cause: str | None, every: bool) -> Which:
    if [number is not None, cause is not None, every].count(True) != 1:
        raise click.UsageError("Type which: --number NUMBER, --cause CODE or --all.")
    return Which(number, cause, every)


def _parts(here: Here, which: Which) -> Iterator[Sequence[int]]:
    """The ids of what is meant, all found before the first is changed."""
    ids = [invoice.id for invoice in _waiting(here, which)]
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]


def _waiting(here: Here, which: Which) -> Iterator[Invoice]:
    from monet_web.models.base import reading
    from monet_web.services.documents import journals as service

    after = 0
    while True:
        with reading(here.session):
            page = service.waiting(here.session, number=which.number, cause=which.cause, after_id=after, limit=_PART)
            here.session.expunge_all()  # or thousands of invoices stay in memory
        yield from page
        if len(page) < _PART:
            return
        after = page[-1].id


def _causes(here: Here) -> list[tuple[str, str, int, tuple[str, str]]]:
    """(code, subject, how many, (the cause, what to do)), the largest first. Inside a transaction."""
    from monet_web.domain.findings import describe
    from monet_web.services.documents import causes

    found = []
    for one in causes.causes(here.session):
        text = describe(one.finding)
        found.append((one.code, one.subject, one.invoices, (f"{text.cause}.", text.fix)))
    return found
