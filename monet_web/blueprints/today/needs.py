"""What needs a person, in words, the most urgent first: each with what happened, what follows, and where to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.formats import day, moment, number
from monet_web.blueprints.runs import month_words, signs
from monet_web.blueprints.runs.texts import _, capitalised, link, ngettext
from monet_web.blueprints.said import told
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.documents.causes import Cause
from monet_web.services.running.next_runs import Obstacle
from monet_web.services.today import Health, Standing, Today

_SHOWN_CAUSES = 5


@dataclass(frozen=True, slots=True)
class Action:
    """A button: where it leads and what it says."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One cause of waiting invoices: how many, for how much, since when."""

    url: str
    count: str
    cause: str
    told: str


@dataclass(frozen=True, slots=True)
class Need:
    """One thing. `figure` and `unit` stand left of the margin; without a figure the mark's icon does."""

    kind: str  # failed | journal | changed
    title: str
    mark: tuple[str, str]  # icon, word
    text: str
    actions: tuple[Action, ...] = ()
    figure: str = ""
    unit: str = ""
    causes: tuple[Waiting, ...] = field(default=())


def needs(today: Today, *, answers: int = 0) -> list[Need]:
    """Everything that does not get better without somebody; `answers`: to this person, unread."""
    return [
        *_months(today), *_nothing_runs(), *_unreadable(today), *_refused(today), *_failed(today), *_orders(today),
        *_asked(today, answers), *_waiting(today), *_changed(today),
    ]  # fmt: skip


def _months(today: Today) -> Iterator[Need]:
    """B3's check: the last catch-up before i.SAF is due found something else than the store has."""
    for one, run in today.differing:
        found = month_words.of(run)
        if found is None:
            continue
        first, last = month_words.days(run)
        launch = link(
            "integrations.page", mask=one.integration.name, first=first.isoformat(), last=last.isoformat(),
            _anchor="launch",
        )  # fmt: skip
        text = _(
            "The store: %(theirs)s. Here: %(ours)s. i.SAF is due; an import of the month compares again.",
            theirs=month_words.side(found.store), ours=month_words.side(found.ours),
        )  # fmt: skip
        yield Need(
            "failed",
            f"{one.integration.name}: {found.title}",
            ("failed", _("Differs")),
            f"{text} {capitalised(found.notes)}" if found.notes else text,
            _actions((link("runs.show", run_id=run.id), _("See both sides")), (launch, _("Import the month again"))),
        )


def _unreadable(today: Today) -> Iterator[Need]:
    for one, why in today.unreadable_settings:
        yield Need(
            "failed",
            _("%(name)s: its settings can’t be read", name=one.integration.name),
            ("failed", _("Nothing comes in")),
            capitalised(why),
            _actions((link("integrations.edit", integration_id=one.integration.id), _("See its settings"))),
        )


def _nothing_runs() -> Iterator[Need]:
    why = signs.why_still()
    if why:
        text = _("What is launched meanwhile waits. Whoever runs this program starts everything with: monet run")
        yield Need("failed", why.rstrip("."), ("failed", _("Nothing runs")), text)


def _refused(today: Today) -> Iterator[Need]:
    for one in today.health:
        integration = one.integration
        if integration.refused_since is None or integration.state is not IntegrationState.ON:
            continue
        tried = one.failed_in_a_row
        yield Need(
            "failed",
            _("%(name)s: the store refuses the key since %(since)s", name=integration.name,
              since=moment(integration.refused_since)),
            ("failed", _("Nothing comes in")),
            told(integration.refused_text),
            _actions((link("integrations.edit", integration_id=integration.id), _mend_key())),
            figure=number(tried) if tried else "",
            unit=ngettext("attempt", "attempts", tried) if tried else "",
        )  # fmt: skip


def _mend_key() -> str:
    return _("Replace the key") if current_user.may(Role.ADMINISTRATOR) else _("See the connection")


def _failed(today: Today) -> Iterator[Need]:
    for one in today.health:
        last = one.last
        if last is None or last.state is not RunState.FAILED or one.current is not None:
            continue
        if one.integration.refused_since is not None or one.integration.state is not IntegrationState.ON:
            continue
        failed = one.failed_in_a_row
        yield Need(
            "failed",
            _("%(name)s: the import of %(when)s failed", name=one.integration.name, when=moment(last.ended_at)),
            ("failed", _("Nothing comes in") if failed > 1 else _("Failed")),
            " ".join(
                part
                for part in (capitalised(told(last.error)), capitalised(told(last.fix)), _gap(one), _again(today, one))
                if part
            ),
            _actions((link("runs.show", run_id=last.id), _("See the run"))),
            figure=number(failed),
            unit=ngettext("failure", "failures", failed),
        )


def _again(today: Today, one: Health) -> str:
    upcoming = today.next_runs.get(one.integration.id)
    if upcoming is None or upcoming.obstacle is not Obstacle.TRIED_AGAIN:
        return ""
    return _("It is tried again by itself %(when)s.", when=moment(upcoming.at))


def _gap(one: Health) -> str:
    until = one.known_until
    return "" if until is None else _("Orders since %(when)s are not here.", when=moment(until))


def _orders(today: Today) -> Iterator[Need]:
    conflicts, unreadable = today.conflicts, today.unreadable
    if conflicts.count:
        count = conflicts.count
        yield Need(
            "failed",
            ngettext(
                "The number of %(num)s order belongs to another document",
                "The numbers of %(num)s orders belong to other documents",
                count,
            ),
            ("failed", ngettext("Conflict", "Conflicts", count)),
            _numbers(conflicts) + " " + _("Each is shown beside the document that has its number, with two answers."),
            _actions((link("journals.conflicts"), _("See both documents"))),
            figure=number(count),
            unit=ngettext("order", "orders", count),
        )
    if unreadable.count:
        count = unreadable.count
        run = "" if unreadable.run_id is None else link("runs.show", run_id=unreadable.run_id, outcome="needs")
        yield Need(
            "failed",
            ngettext("%(num)s order could not be read", "%(num)s orders could not be read", count),
            ("failed", _("Unreadable")),
            _numbers(unreadable) + " " + _("The next run of their days reads them again."),
            _actions((run, _("See why"))),
            figure=number(count),
            unit=ngettext("order", "orders", count),
        )


def _numbers(standing: Standing) -> str:
    shown = ", ".join(standing.numbers)
    more = standing.count - len(standing.numbers)
    return f"{shown}." if more <= 0 else _("%(shown)s and %(more)s more.", shown=shown, more=number(more))


def _waiting(today: Today) -> Iterator[Need]:
    count = today.waiting.count
    if not count:
        return
    causes = len(today.causes)
    title = ngettext("Invoice waits in the journals", "Invoices wait in the journals", count)
    if causes:
        of = ngettext("for %(num)s reason", "for %(num)s reasons", causes)
        title = f"{title} {of}"
    text = _("%(sums)s, dated %(months)s.", sums=sentences.sums(today.waiting.sums),
             months=sentences.months(today.waiting.months))  # fmt: skip
    if causes > _SHOWN_CAUSES:
        text += " " + _("The reasons of the most invoices:")
    yield Need(
        "journal",
        title,
        ("journal", _("In journal")),
        text,
        _actions((link("journals.page"), _("Mend by reason"))),
        figure=number(count),
        unit=ngettext("invoice", "invoices", count),
        causes=tuple(_cause(one) for one in today.causes[:_SHOWN_CAUSES]),
    )


def _asked(today: Today, answers: int) -> Iterator[Need]:
    """Questions to the accountant, and answers that came back."""
    if today.questions and current_user.may(Role.ACCOUNTANT):
        title = ngettext("A question waits for your answer", "%(num)s questions wait for your answer", today.questions)
        text = _("The office asks about invoices that wait; the answer goes back to who asked.")
        yield _of_questions(
            title, text, _("Answer"), today.questions, ngettext("question", "questions", today.questions)
        )
    if answers:
        title = ngettext("The accountant answered you", "The accountant answered %(num)s of your questions", answers)
        text = _("The answer stands on the page of the journals until you put it away.")
        yield _of_questions(title, text, _("Read it"), answers, ngettext("answer", "answers", answers))


def _of_questions(title: str, text: str, label: str, count: int, unit: str) -> Need:
    actions = _actions((link("journals.page"), label))
    return Need("journal", title, ("journal", _("Asked")), text, actions, figure=number(count), unit=unit)


def _cause(one: Cause) -> Waiting:
    since = (
        _("the oldest of %(day)s", day=day(one.oldest)) if one.invoices > 1 else _("of %(day)s", day=day(one.oldest))
    )
    return Waiting(
        link("journals.invoices", cause=one.code, subject=one.subject or None),
        number(one.invoices),
        sentences.said(one.finding).cause,
        f"{sentences.sums(one.sums)}, {since}",
    )


def _changed(today: Today) -> Iterator[Need]:
    count = today.changed
    if count:
        yield Need(
            "changed",
            ngettext(
                "The order of a registered invoice changed in the store",
                "The orders of %(num)s registered invoices changed in their stores",
                count,
            ),
            ("changed", _("Changed in the store")),
            _("A registered invoice stays as it is until the change is accepted, or ignored with a reason."),
            _actions((link("journals.changed"), _("See the differences"))),
            figure=number(count),
            unit=ngettext("invoice", "invoices", count),
        )


def _actions(*typed: tuple[str, str]) -> tuple[Action, ...]:
    return tuple(Action(url, label) for url, label in typed if url)
