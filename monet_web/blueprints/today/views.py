"""The first page."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints.access import signed_in
from monet_web.blueprints.today import words
from monet_web.blueprints.today.needs import needs
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.services import today as service
from monet_web.services.documents import questions

today = Blueprint("today", __name__)


@today.get("/")
@signed_in
def page() -> ResponseReturnValue:
    """What needs a person, orders or euros (`?show=eur`) a day, the health of each integration, the next runs."""
    session = db.session()
    shows_euros = request.args.get("show") == "eur"
    with reading(session):
        stands = service.today(session, now=now_utc())
        found = needs(stands, answers=questions.answered_count(session, current_user.email))
        drawn = words.euros(stands, *service.invoiced(session, day=stands.day)) if shows_euros else words.orders(stands)
        return render_template(
            "today/page.html",
            stands=stands,
            title=words.title(stands),
            headline=words.headline(stands, len(found)),
            needs=found,
            drawn=drawn,
            shows_euros=shows_euros,
            lines=[words.line(one) for one in stands.health],
            next_lines=words.next_lines(stands),
        )
