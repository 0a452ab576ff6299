"""Settings: how a person wants pages, the company, the people, closed periods, rates, numbers used elsewhere."""

import monet_web.blueprints.settings.numbers
import monet_web.blueprints.settings.people
import monet_web.blueprints.settings.periods
import monet_web.blueprints.settings.rates
import monet_web.blueprints.settings.vat
import monet_web.blueprints.settings.views  # noqa: F401 - their routes
from monet_web.blueprints.settings.blueprint import settings

__all__ = ["settings"]
