"""Reports: what the accountant takes from here: a month's state, its numbers, its sales journal, i.SAF and OSS."""

import monet_web.blueprints.reports.isaf
import monet_web.blueprints.reports.month
import monet_web.blueprints.reports.numbers
import monet_web.blueprints.reports.oss
import monet_web.blueprints.reports.sales_journal
import monet_web.blueprints.reports.views  # noqa: F401 - their routes
from monet_web.blueprints.reports.blueprint import reports

__all__ = ["reports"]
