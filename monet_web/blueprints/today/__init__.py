"""Today, the first page: what needs a person."""

from monet_web.blueprints.today.views import today

__all__ = ["today"]
