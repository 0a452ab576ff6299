"""The blueprint that the views of this package hang on, and what all of its pages show."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web.blueprints import sentences
from monet_web.blueprints.journals import mistakes
from monet_web.models.users import Role
from monet_web.services.documents import changed, waiting
from monet_web.services.documents.waiting import Sum, Which
from monet_web.services.running import conflicts

journals = Blueprint("journals", __name__, url_prefix="/journals")


def rendered(session: Session, template: str, *, every: Sum | None = None, **values: Any) -> str:
    """A page of this package: its tabs with their counts, and whether the person may act. Inside a transaction."""
    return render_template(
        template,
        every=every or waiting.summary(session, Which()),
        conflicts_count=conflicts.count(session),
        changed_count=changed.count(session),
        may_act=current_user.may(Role.OFFICE),
        may_credit=current_user.may(Role.ACCOUNTANT),
        may_connect=current_user.may(Role.ADMINISTRATOR),
        views=current_app.view_functions,
        mistake=mistakes.take(),
        say=sentences,
        **values,
    )
