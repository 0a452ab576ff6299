"""The form of an installed integration: parameters, settings, on and off, retiring (A3, A5, A8)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web.blueprints import next_words
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.integrations import drawing, forms, listing, wording
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.drawing import Panel
from monet_web.blueprints.integrations.forms import IntegrationForm
from monet_web.blueprints.integrations.testing import held_id
from monet_web.blueprints.integrations.translating import _, ngettext
from monet_web.blueprints.said import told
from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule
from monet_web.models import Integration, db
from monet_web.models.base import now_utc, reading
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.users import Role
from monet_web.services.integrations import connect, connection_test, installed, integration_form, integration_list
from monet_web.services.integrations.integration_form import Saved
from monet_web.services.office import company
from monet_web.services.opening import uploads
from monet_web.services.running import next_runs


@integrations.get("/<int:integration_id>")
@signed_in
def edit(integration_id: int) -> ResponseReturnValue:
    """The form; those who may not change it read it."""
    session = db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        connector = installed.connector_class(integration.store.platform)
        held = _held(request.args.get("held"), integration_id)
        texts = drawing.saved_texts(integration)
        if held is not None:
            texts |= {key: str(text) for key, text in held.typed.items()}
        form = drawing.form_for(session, connector, texts, integration=integration, held=held)
        return draw(session, integration, form, drawing.panel_of(session, held, integration))


@integrations.post("/<int:integration_id>")
@needs(Role.ADMINISTRATOR)
def save(integration_id: int) -> ResponseReturnValue:
    """Save what was typed; what waits in its journals is checked again."""
    now, session = now_utc(), db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        connector = installed.connector_class(integration.store.platform)
        held = _held(request.form.get("held"), integration_id)
        texts = drawing.saved_texts(integration) | forms.read(request.form, connector)
        form = drawing.form_for(session, connector, texts, integration=integration, held=held)
        earlier = held.id if held is not None else None  # a refusal leaves the row to be loaded anew
    if not form.check():
        return _mend(integration_id, connector, form, earlier)
    try:
        saved = integration_form.save(
            session, integration_id, form.values(), new_name=texts["name"],
            same_store="same_store" in request.form, row_version=held_id(request.form.get("row_version")),
            held_id=earlier, now=now, actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        if error.field != "row_version":
            form.refuse(error)
        return _mend(integration_id, connector, form, earlier, meanwhile=error.field == "row_version")
    _flash(saved)
    return redirect(url_for("integrations.edit", integration_id=integration_id), 303)


@integrations.post("/<int:integration_id>/frequency")
@needs(Role.ADMINISTRATOR)
def set_frequency(integration_id: int) -> ResponseReturnValue:
    """Take up the offer to import daily (A5, A7)."""
    frequency = request.form.get("frequency", "")
    if frequency not in wording.FREQUENCIES:
        abort(400)
    try:
        saved = integration_form.save(
            db.session(), integration_id, {"frequency": frequency}, now=now_utc(), actor=current_user.email
        )
    except BrokenRule as error:
        flash(told(error), "failed")
    else:
        flash(_("%(name)s: %(often)s.", name=saved.integration.name, often=wording.how_often(frequency)))
    return redirect(url_for("integrations.page"), 303)


@integrations.post("/<int:integration_id>/retire")
@needs(Role.ADMINISTRATOR)
def retire(integration_id: int) -> ResponseReturnValue:
    """Remove an integration: with documents it is retired, and its store's memory stays (A8)."""
    session = db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        name = integration.name
    try:
        was_retired = connect.retire(session, name, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("integrations.edit", integration_id=integration_id), 303)
    if was_retired:
        flash(_("%(name)s is retired. Its invoices stay; adding the store again takes its memory over.", name=name))
    else:
        flash(_("%(name)s is removed.", name=name))
    return redirect(url_for("integrations.page"), 303)


@integrations.get("/sentence")
@signed_in
def sentence() -> ResponseReturnValue:
    """What a frequency will do, as the choices change."""
    session = db.session()
    with reading(session):
        settings = wording.parsed({key: text for key, text in request.args.items() if key in _IN_SENTENCE})
        text = wording.frequency_sentence(settings, zone=company.get(session).time_zone)
        return render_template("integrations/_sentence.html", sentence=text)


_IN_SENTENCE = ("frequency", "daily_days", "select_by", "accounting_type", "register_automatically")


def draw(
    session: Session, integration: Integration, form: IntegrationForm, panel: Panel, *, meanwhile: bool = False
) -> str:
    """The whole page. Inside a reading transaction."""
    now = now_utc()
    row = integration_list.row(session, integration.id, now=now)
    upcoming = next_runs.next_runs(session, now=now)
    line = listing.lines([row], upcoming, now=now)[0] if row is not None else None
    next_run = ""
    if integration.settings.get("frequency", "off") == form.texts.get("frequency", "off"):
        # Of a choice that is not saved yet nobody can tell.
        next_run = next_words.sentence(integration, upcoming.get(integration.id), now=now)
    return render_template(
        "integrations/edit.html",
        integration=integration,
        line=line,
        form=form,
        panel=panel,
        sentence=wording.frequency_sentence(
            wording.parsed(form.texts), zone=company.get(session).time_zone, next_run=next_run
        ),
        in_sentence=", ".join(f"[name={key}]" for key in _IN_SENTENCE),
        orders=form.fields(forms.ORDERS),
        when=form.fields(forms.WHEN),
        question=_question(session, integration),
        meanwhile=meanwhile,
        uploaded=uploads.newest(session, integration.id) if form.connector.orders_file else None,
        change=integration_form.last_change(session, integration.id) if meanwhile else None,
    )


def _question(session: Session, integration: Integration) -> str:
    """What goes and what stays when it is retired (A8, H6)."""
    stays = integration_form.stays(session, integration.id)
    if not stays.invoices and not stays.waiting:
        return _("%(name)s has no invoices. Its key is forgotten.", name=integration.name)
    return _(
        "The key of %(name)s is forgotten and it never runs again. What it brought stays: %(invoices)s, %(waiting)s. "
        "Adding the store again takes its memory over.",
        name=integration.name,
        invoices=ngettext("%(num)s registered invoice", "%(num)s registered invoices", stays.invoices),
        waiting=ngettext("%(num)s that waits in a journal", "%(num)s that wait in journals", stays.waiting),
    )


def _flash(saved: Saved) -> None:
    text = _("%(name)s is saved.", name=saved.integration.name)
    done = saved.rechecked
    if done is not None and done.checked:
        text += " " + _(
            "%(checked)s that waited were checked again: %(registered)s registered, %(waiting)s still wait.",
            checked=done.checked, registered=done.registered, waiting=done.waiting,
        )  # fmt: skip
    flash(f"{text} {saved.not_checked}".strip(), "journal" if saved.not_checked else "registered")


def _mend(
    integration_id: int,
    connector: type[Connector],
    form: IntegrationForm,
    earlier: int | None,
    *,
    meanwhile: bool = False,
) -> ResponseReturnValue:
    """The form as typed, with what is wrong; secrets typed are held sealed."""
    now, session = now_utc(), db.session()
    own = {one.key for one in connector.parameters}
    kept = connection_test.hold(
        session, platform=connector.kind, integration_id=integration_id,
        values={key: text for key, text in form.texts.items() if key in own},
        typed={key: text for key, text in form.texts.items() if key not in own},
        held_id=earlier, now=now, actor=current_user.email,
    )  # fmt: skip
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        form.held_secrets = frozenset(kept.secrets)
        panel = drawing.panel_of(session, kept, integration)
        return draw(session, integration, form, panel, meanwhile=meanwhile), 409 if meanwhile else 422


def _held(text: str | None, integration_id: int) -> ConnectionTest | None:
    held = connection_test.held(db.session(), held_id(text), now=now_utc(), actor=current_user.email)
    return held if held is not None and held.integration_id == integration_id else None
