"""What the two forms of an integration share: filled from what is saved, typed or held; the test's panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.blueprints import said
from monet_web.blueprints.formats import moment
from monet_web.blueprints.integrations import workers
from monet_web.blueprints.integrations.forms import IntegrationForm
from monet_web.blueprints.integrations.translating import _, ngettext
from monet_web.connectors.base import Connector
from monet_web.models.base import now_utc
from monet_web.models.connection_tests import ConnectionTest, TestState
from monet_web.models.integrations import Integration
from monet_web.models.stock import Warehouse
from monet_web.services.integrations import asking, connection_test, installed
from monet_web.services.office import company

_SOON = timedelta(seconds=3)  # a worker that lives has taken the test by then


@dataclass(frozen=True, slots=True)
class Panel:
    """What the place beside the connection's fields shows of its test."""

    held_id: int | None = None
    poll_url: str = ""  # while it is not known yet
    stage: str = ""  # how far it is: as long as it stays, there is nothing new to show
    says: str = ""  # while it is not known yet
    error: str = ""
    fix: str = ""
    told: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()


def form_for(
    session: Session,
    connector: type[Connector],
    texts: Mapping[str, str],
    *,
    integration: Integration | None = None,
    held: ConnectionTest | None = None,
) -> IntegrationForm:
    """The form with these texts. Inside a transaction."""
    facts = (held.facts if held is not None else None) or (integration.facts if integration is not None else None)
    keeps = held is not None and asking.same_place(connector.kind, held.typed, texts)
    warehouses = session.execute(select(Warehouse.code, Warehouse.name).order_by(Warehouse.id))
    return IntegrationForm(
        connector=connector,
        texts=dict(texts),
        facts=facts or {},
        saved_secrets=installed.show(integration).secrets if integration is not None else {},
        saved_parameters=integration.parameters if integration is not None else None,
        held_secrets=frozenset(held.secrets) if held is not None and keeps else frozenset(),
        warehouses=[(row.code, row.name) for row in warehouses],
    )


def saved_texts(integration: Integration) -> dict[str, str]:
    """What is saved, as texts by key."""
    shown = installed.show(integration)
    return {"name": shown.name, **shown.parameters, **shown.settings}


def panel_of(
    session: Session, test: ConnectionTest | None, integration: Integration | None, *, wants_lists: bool = False
) -> Panel:
    """The panel of a test, or of what the last one found of an installed integration. Inside a transaction.

    `wants_lists`: the form around it has none yet, and is to get those that the test brings.
    """
    ours = company.get(session).time_zone
    if test is None or test.state is TestState.HELD:
        held_id = test.id if test is not None else None
        if integration is None or integration.facts is None:
            return Panel(held_id)
        told = _("Tested %(moment)s", moment=moment(integration.tested_at))
        return _found(held_id, integration.facts, integration.parameters, told, ours)
    if test.state is TestState.DONE and test.facts is not None:
        return _found(test.id, test.facts, test.connection, _seconds(test), ours)
    if test.state is TestState.FAILED:
        return Panel(test.id, error=said.told(test.error), fix=said.told(test.fix), told=_asked(test))
    now = now_utc()
    if connection_test.is_lost(test, now):
        return Panel(
            test.id, error=_("The test was not finished, because its worker ended."), fix=_("Test again."),
            told=_asked(test),
        )  # fmt: skip
    stage = "running" if test.state is TestState.RUNNING else "late" if now - test.created_at > _SOON else "begins"
    again = url_for("integrations.test_panel", test_id=test.id, was=stage, lists="1" if wants_lists else None)
    return Panel(test.id, poll_url=again, stage=stage, says=_says(stage))


def _found(held_id: int | None, facts: Mapping[str, Any], connection: Mapping[str, str], told: str, ours: str) -> Panel:
    lists = [
        ngettext("%(num)s status", "%(num)s statuses", len(facts.get("statuses", ()))),
        ngettext("%(num)s tax rate", "%(num)s tax rates", len(facts.get("tax_rates", ()))),
        ngettext("%(num)s payment method", "%(num)s payment methods", len(facts.get("payment_methods", ()))),
        ngettext("%(num)s shop", "%(num)s shops", len(facts.get("shops", ()))),
    ]
    filled = ", ".join(one for one in lists if not one.startswith("0 "))
    zone = facts.get("time_zone") or ""
    same = _("%(zone)s, the same as ours", zone=zone) if zone == ours else zone
    orders = facts.get("orders")
    rows = (
        (_("Address"), next(iter(connection.values()), "")),
        (_("Store"), " ".join(part for part in (facts.get("name", ""), facts.get("version", "")) if part)),
        (_("Time zone"), same),
        (_("Currency"), facts.get("currency") or ""),
        (_("Orders"), "" if orders is None else ngettext("%(num)s in all", "%(num)s in all", int(orders))),
        (_("Lists filled"), filled),
    )
    return Panel(
        held_id,
        told=told,
        rows=tuple(row for row in rows if row[1]),
        notices=tuple(said.told(one) for one in facts.get("notices", ())),
    )


def _says(stage: str) -> str:
    match stage:
        case "running":
            return _("Asking the store: address, key, rights, lists. At most 20 s.")
        case "begins":
            return _("The test begins.")
        case _:
            return workers.why_idle() or _("The test waits for a worker that is busy.")


def _seconds(test: ConnectionTest) -> str:
    if test.started_at is None or test.ended_at is None:
        return _("Connected")
    return _("Connected in %(seconds)s s", seconds=f"{(test.ended_at - test.started_at).total_seconds():.1f}")


def _asked(test: ConnectionTest) -> str:
    return "" if test.started_at is None else _("Asked %(moment)s", moment=moment(test.ended_at or test.created_at))
