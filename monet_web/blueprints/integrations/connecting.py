"""Connecting a store: which platform, five questions on one page, then what the last seven days would bring (A7)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web import jobs
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.integrations import asking, drawing, forms, workers
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.drawing import Panel
from monet_web.blueprints.integrations.forms import IntegrationForm
from monet_web.blueprints.integrations.testing import held_id
from monet_web.blueprints.integrations.translating import _
from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.users import Role
from monet_web.services.integrations import connection_test, installed, integration_form
from monet_web.services.office import company


@integrations.get("/connect")
@needs(Role.ADMINISTRATOR)
def choose() -> ResponseReturnValue:
    """Which platform; only those that have a connector."""
    session = db.session()
    with reading(session):
        return render_template("integrations/choose.html", connectors=CONNECTORS.values())


@integrations.get("/connect/<platform>")
@needs(Role.ADMINISTRATOR)
def connect_store(platform: str) -> ResponseReturnValue:
    """The five questions, empty, or as they were typed before a test."""
    connector = _connector(platform)
    now, session = now_utc(), db.session()
    with reading(session):
        held = _held(request.args.get("held"), connector)
        if held is not None:
            texts = {key: str(text) for key, text in held.typed.items()}
        else:
            today = local_day(now, company.zone(session))
            texts = {
                "name": "",
                **{one.key: one.default for one in connector.parameters if not one.secret},
                "not_before": today.replace(day=1).isoformat(),
                "issued_by": "monet",
                "accounting_type": "goods",
                "register_automatically": "yes",
            }
        form = drawing.form_for(session, connector, texts, held=held)
        return draw(form, drawing.panel_of(session, held, None))


@integrations.post("/connect/<platform>")
@needs(Role.ADMINISTRATOR)
def add(platform: str) -> ResponseReturnValue:
    """Save the connection and preview its last seven days; a store that was here before is taken over (A8)."""
    connector = _connector(platform)
    now, session = now_utc(), db.session()
    texts = forms.read(request.form, connector)
    with reading(session):
        held = _held(request.form.get("held"), connector)
        form = drawing.form_for(session, connector, texts, held=held)
        earlier = held.id if held is not None else None  # a refusal leaves the row to be loaded anew
    if not form.check():
        return _mend(form, earlier)
    try:
        integration, was_tested = integration_form.add(
            session, name=texts["name"], platform=connector.kind, values=form.values(),
            held_id=earlier, now=now, actor=current_user.email,
        )  # fmt: skip
        run = integration_form.preview(session, integration.id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        form.refuse(error)
        return _mend(form, earlier)
    jobs.ring([run], workers.redis_url())
    if not was_tested:
        _test(integration.id, connector)
    flash(_("%(name)s is connected.", name=integration.name))
    return redirect(url_for("integrations.first", integration_id=integration.id), 303)


@integrations.get("/<int:integration_id>/first")
@signed_in
def first(integration_id: int) -> ResponseReturnValue:
    """The last seven days in words; then *daily* is offered."""
    idle = workers.why_idle()
    session = db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        run = integration_form.newest_preview(session, integration_id)
        question = asking.question(session, str(run.id), now_utc()) if run is not None else None
        return render_template(
            "integrations/first.html", integration=integration, settings=installed.settings_of(integration),
            question=question, idle=idle,
        )  # fmt: skip


@integrations.get("/<int:integration_id>/first/preview")
@signed_in
def first_preview(integration_id: int) -> ResponseReturnValue:
    """The preview alone, asked again until it has ended."""
    session = db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        run = integration_form.newest_preview(session, integration_id)
        question = asking.question(session, str(run.id), now_utc()) if run is not None else None
        if integration is None or question is None:
            abort(404)
        if not question.has_ended and request.args.get("was") == str(question.version):
            return "", 204
        return render_template("integrations/_first.html", integration=integration, question=question, is_fragment=True)


def draw(form: IntegrationForm, panel: Panel) -> str:
    """The page of the five questions. Inside a reading transaction."""
    return render_template(
        "integrations/connect.html", form=form, panel=panel, questions=form.fields(forms.FIRST_QUESTIONS)
    )


def _mend(form: IntegrationForm, earlier: int | None) -> ResponseReturnValue:
    """The form with its errors; secrets typed are held sealed, so that nobody types them twice."""
    now, session = now_utc(), db.session()
    own = {one.key for one in form.connector.parameters}
    kept = connection_test.hold(
        session, platform=form.connector.kind, integration_id=None,
        values={key: text for key, text in form.texts.items() if key in own},
        typed={key: text for key, text in form.texts.items() if key not in own},
        held_id=earlier, now=now, actor=current_user.email,
    )  # fmt: skip
    with reading(session):
        form.held_secrets = frozenset(kept.secrets)
        return draw(form, drawing.panel_of(session, kept, None)), 422


def _test(integration_id: int, connector: type[Connector]) -> None:
    """Ask who the store is beside the preview: the form of the settings needs its lists."""
    session = db.session()
    try:
        test = connection_test.begin(
            session, platform=connector.kind, integration_id=integration_id, values={}, typed={},
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except BrokenRule:
        return  # the preview says the same, in its own place
    jobs.ring_test(test.id, workers.redis_url())


def _connector(platform: str) -> type[Connector]:
    if platform not in CONNECTORS:
        abort(404)
    return CONNECTORS[platform]


def _held(text: str | None, connector: type[Connector]) -> ConnectionTest | None:
    held = connection_test.held(db.session(), held_id(text), now=now_utc(), actor=current_user.email)
    return held if held is not None and held.platform == connector.kind and held.integration_id is None else None
