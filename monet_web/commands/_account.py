"""Where a run's orders went: six outcomes that add up, reasons, causes and sums; for people and as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monet_web.commands import _out, _trouble

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from monet_web.commands._trouble import Trouble
    from monet_web.models.runs import Run

MOST_CAUSES = 20
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Cause:
    """Why invoices of a run wait: how many, in words that suit them all, and what to do."""

    invoices: int
    wrong: str
    fix: str


def as_json(run: Run) -> dict[str, Any]:
    """The run as the JSON of `monet import` says it (I3)."""
    return {
        "integration": run.integration.name,
        "state": run.state.value,
        "fetched": run.fetched,
        **run.outcomes(),
        "refreshed": run.refreshed,
        "changed": run.changed,
        "credit_notes": run.credit_notes,
        "findings": dict(run.findings),
        "totals": {currency: dict(sums) for currency, sums in run.totals.items()},
        "seconds": _seconds(run),
        "error": f"{run.error} {run.fix}".strip() or None,
    }


def say(run: Run, causes: list[Cause], troubles: Sequence[Trouble], *, was_preview: bool, see: str = "") -> None:
    """The same for a person; `troubles` are the first of its orders that could not be entered."""
    from monet_web.domain.filters import REASONS

    took = "" if _seconds(run) is None else f" in {_seconds(run)} s"
    _out.say("")
    _out.say(f"{run.integration.name}: {_STATES.get(run.state.value, run.state.value)}{took} (run {run.id})")
    if run.error:
        _out.say(f"{run.error} {run.fix}".strip())
    words = {"registered": "would be registered", "in_journal": "would wait in a journal"} if was_preview else {}
    rows = [(words.get(name, name.replace("_", " ")), _out.count(number)) for name, number in run.outcomes().items()]
    rows += [("fetched", _out.count(run.fetched))]
    rows += [(f"beside it {name.replace('_', ' ')}", _out.count(getattr(run, name)))
             for name in ("refreshed", "changed", "credit_notes") if getattr(run, name)]  # fmt: skip
    _out.table(("Orders", ""), rows, right=(1,))
    if run.filter_reasons:
        _out.say("")
        _out.table(
            ("Filtered, because", ""),
            [(_reason(REASONS, code), _out.count(number)) for code, number in run.filter_reasons.items()],
            right=(1,),
        )
    if run.totals:
        _out.say("")
        _out.table(
            ("Sums", words.get("registered", "registered"), words.get("in_journal", "in journal")),
            [(currency, _out.amount(sums.get("registered", "0")), _out.amount(sums.get("in_journal", "0")))
             for currency, sums in sorted(run.totals.items())],
            right=(1, 2),
        )  # fmt: skip
    if was_preview:
        _say_vat(run)
    if causes:
        _out.say("")
        _out.say("What would wait, by cause:" if was_preview else "What waits, by cause:")
    for cause in causes:
        _out.say(f"{_out.count(cause.invoices):>7}{'' if was_preview else ' '} {cause.wrong}")
        _out.say(f"         → {cause.fix}")
    _trouble.say(troubles, all_there_are=run.conflict + run.unreadable, see=see or f"monet runs show {run.id}")


def causes_of(session: Session, run: Run) -> list[Cause]:
    """The causes of what this run left in its journals, the largest first. Inside a transaction."""
    from monet_web.domain.findings import describe
    from monet_web.domain.findings_general import GENERAL, in_general
    from monet_web.models.runs import RunKind
    from monet_web.services.documents import causes as grouped
    from monet_web.services.running import foreseen_account

    if run.kind is RunKind.PREVIEW:
        # A preview keeps no documents: its groups, and how many beyond them by code.
        foreseen = [
            Cause(one.invoices, f"× {describe(one.finding).cause}", describe(one.finding).fix)
            for one in foreseen_account.causes(run)
        ]
        return foreseen + [
            Cause(number, f"× {in_general(code).phrase}", in_general(code).fix)
            for code, number in sorted(foreseen_account.not_grouped(run).items(), key=lambda pair: (-pair[1], pair[0]))
            if code in GENERAL
        ]
    found = grouped.causes(session, opened_by_run=run.id)
    causes = []
    for one in found[:MOST_CAUSES]:
        text = describe(one.finding)
        causes.append(Cause(one.invoices, f"{text.cause}.", text.fix))
    if len(found) > MOST_CAUSES:
        more = sum(one.invoices for one in found[MOST_CAUSES:])
        causes.append(Cause(more, "and more for other causes.", "See them all: monet journals list"))
    return causes


def _say_vat(run: Run) -> None:
    """Base and VAT of each rate and currency, of what would be registered and of what would wait."""
    from monet_web.services.running import foreseen_account

    for of in foreseen_account.vat([run]):
        _out.say("")
        _out.table(
            (f"VAT, {of.currency}", "base", "VAT", "would wait: base", "VAT"),
            [
                (
                    "no tax" if row.rate is None else f"{row.rate:f} %",
                    *(_out.amount(f"{amount:.2f}") for amount in (*row.registered, *row.in_journal)),
                )
                for row in of.rows
            ],
            right=(1, 2, 3, 4),
        )


_STATES = {"done": "done", "failed": "failed", "stopped": "stopped", "queued": "queued", "running": "at work"}


def _reason(reasons: Any, code: str) -> str:
    text = reasons[code][0] if code in reasons else code.replace("_", " ")
    # The values differ from order to order.
    return re.sub(r"\s*\{\w+\}", "", re.sub(r"\s*\(\{\w+\}\)", "", text))


def _seconds(run: Run) -> float | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.started_at).total_seconds(), 1)
