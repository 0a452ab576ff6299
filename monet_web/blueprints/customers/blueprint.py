"""The blueprint that the views of this package hang on."""

from __future__ import annotations

from flask import Blueprint

customers = Blueprint("customers", __name__, url_prefix="/customers")
