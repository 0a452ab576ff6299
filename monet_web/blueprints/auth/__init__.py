"""Sign-in, the one-time link that lets somebody in the first time, sign-out."""

from monet_web.blueprints.auth.views import auth

__all__ = ["auth"]
