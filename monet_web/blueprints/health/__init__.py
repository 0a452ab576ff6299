"""Whether this installation lives, for those who watch it: no sign-in, no secret, one sentence each."""

from monet_web.blueprints.health.views import health

__all__ = ["health"]
