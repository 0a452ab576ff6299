"""The blueprint that the views of this package hang on, and what all its templates know."""

from __future__ import annotations

from flask import Blueprint
from flask_login import current_user

from monet_web.models.users import Role

integrations = Blueprint("integrations", __name__, url_prefix="/integrations")


@integrations.context_processor
def _may() -> dict[str, bool]:
    is_known = current_user.is_authenticated
    return {
        "may_launch": is_known and current_user.may(Role.OFFICE),
        "may_change": is_known and current_user.may(Role.ADMINISTRATOR),
    }
