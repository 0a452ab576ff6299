"""The blueprint that the views of this package hang on."""

from __future__ import annotations

from flask import Blueprint

items = Blueprint("items", __name__, url_prefix="/items")
