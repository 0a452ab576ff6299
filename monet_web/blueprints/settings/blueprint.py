"""The blueprint that the views of this package hang on."""

from __future__ import annotations

from flask import Blueprint

settings = Blueprint("settings", __name__, url_prefix="/settings")
