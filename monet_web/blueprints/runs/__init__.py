"""Runs: what imports did and do, live; where every order went; why an order is not here."""

import monet_web.blueprints.runs.changing
import monet_web.blueprints.runs.following
import monet_web.blueprints.runs.undoing
import monet_web.blueprints.runs.views  # noqa: F401 - their routes
from monet_web.blueprints.runs.blueprint import runs

__all__ = ["runs"]
