"""Integrations: the list, connecting a store, its form, and the manual launch below the list."""

import monet_web.blueprints.integrations.changing
import monet_web.blueprints.integrations.connecting
import monet_web.blueprints.integrations.downloads
import monet_web.blueprints.integrations.from_file
import monet_web.blueprints.integrations.gaps
import monet_web.blueprints.integrations.launching
import monet_web.blueprints.integrations.testing
import monet_web.blueprints.integrations.views  # noqa: F401 - their routes
from monet_web.blueprints.integrations.blueprint import integrations

__all__ = ["integrations"]
