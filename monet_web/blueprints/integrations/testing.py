"""*Test connection*: begun from either form, asked by a worker, followed by the panel beside the fields (A4)."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web import jobs
from monet_web.blueprints.access import needs
from monet_web.blueprints.integrations import drawing, forms, workers
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.drawing import Panel
from monet_web.blueprints.integrations.forms import Field
from monet_web.blueprints.integrations.translating import _
from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.users import Role
from monet_web.services.integrations import connection_test, integration_form


def held_id(text: str | None) -> int | None:
    """The id of what was typed and held, out of a form or an address."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


@integrations.post("/connect/<platform>/test", defaults={"integration_id": None})
@integrations.post("/<int:integration_id>/test", defaults={"platform": None})
@needs(Role.ADMINISTRATOR)
def begin_test(platform: str | None, integration_id: int | None) -> ResponseReturnValue:
    """Begin a test of what is typed. Nothing is saved but the sealed row it is read from."""
    now, session = now_utc(), db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id) if integration_id is not None else None
        kind = integration.store.platform if integration is not None else platform
        wants_lists = integration is not None and integration.facts is None
    if kind not in CONNECTORS:
        abort(404)
    connector = CONNECTORS[kind]
    texts = forms.read(request.form, connector)
    own = {one.key for one in connector.parameters}
    typed: dict[str, Any] = {
        "platform": kind,
        "integration_id": integration_id,
        "values": {key: text for key, text in texts.items() if key in own},
        "typed": {key: text for key, text in texts.items() if key not in own},
        "held_id": held_id(request.form.get("held")),
        "actor": current_user.email,
    }
    try:
        _look(texts, connector, integration_id, typed["held_id"])
        test = connection_test.begin(session, now=now, **typed)
    except BrokenRule as error:
        test = connection_test.hold(session, now=now, refused=error, **typed)
    else:
        _ring(test.id)
    if request.headers.get("HX-Request") == "true":
        with reading(session):
            held = connection_test.held(session, test.id, now=now, actor=current_user.email)
            return render_template(
                "integrations/_test.html", panel=drawing.panel_of(session, held, None, wants_lists=wants_lists)
            )
    return redirect(_form_url(kind, integration_id, test.id), 303)


@integrations.get("/tests/<int:test_id>")
@needs(Role.ADMINISTRATOR)
def test_panel(test_id: int) -> ResponseReturnValue:
    """The panel of a test, asked again until the store has answered."""
    wants_lists = request.args.get("lists") == "1"
    session = db.session()
    with reading(session):
        test = connection_test.held(session, test_id, now=now_utc(), actor=current_user.email)
        if test is None:
            return render_template("integrations/_test.html", panel=Panel())
        panel = drawing.panel_of(session, test, None, wants_lists=wants_lists)
        if panel.stage and panel.stage == request.args.get("was"):
            return "", 204  # nothing is swapped, so that no screen reader says it every second
        fields = _lists(session, test) if wants_lists and panel.rows else []
        return render_template("integrations/_test.html", panel=panel, lists=fields)


def _lists(session: Session, test: ConnectionTest) -> list[Field]:
    """The fields that choose among what the test found, as they were typed when it began."""
    integration = integration_form.find(session, test.integration_id) if test.integration_id is not None else None
    if integration is None:
        return []
    texts = drawing.saved_texts(integration) | {key: str(text) for key, text in test.typed.items()}
    form = drawing.form_for(session, CONNECTORS[test.platform], texts, integration=integration, held=test)
    return form.fields(forms.FROM_TEST)


def _look(texts: dict[str, str], connector: type[Connector], integration_id: int | None, held: int | None) -> None:
    """What can be seen without asking the store is said in the form's own words. Raises BrokenRule."""
    session = db.session()
    with reading(session):
        form = drawing.form_for(
            session, connector, texts,
            integration=integration_form.find(session, integration_id) if integration_id is not None else None,
            held=connection_test.held(session, held, now=now_utc(), actor=current_user.email),
        )  # fmt: skip
    form.check_connection()
    if wrong := form.to_mend():
        raise BrokenRule(" ".join(f"{one.label}: {one.error}" for one in wrong))


def _ring(test_id: int) -> None:
    if jobs.ring_test(test_id, workers.redis_url()):
        return
    nobody = RetryLater(workers.why_idle() or _("No worker could be told."), fix=_("Then test again."))
    connection_test.give_up(db.session(), test_id, nobody, now=now_utc())


def _form_url(platform: str, integration_id: int | None, test_id: int) -> str:
    if integration_id is not None:
        return url_for("integrations.edit", integration_id=integration_id, held=test_id)
    return url_for("integrations.connect_store", platform=platform, held=test_id)
