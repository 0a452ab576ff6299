"""`monet keys`."""

from __future__ import annotations

import click

from monet_web.commands import _out
from monet_web.commands._context import opened


@click.group(no_args_is_help=True)
def keys() -> None:
    """Seal the stores' secrets with a new key."""


@keys.command()
def rotate() -> None:
    """Seal every secret anew with the first key of MONET_ENCRYPTION_KEYS.

    \b
    1. Put a new key before the present one, for every process: MONET_ENCRYPTION_KEYS=new,old
    2. monet keys rotate
    3. Take the old one out.

    The embedded default has its keys in MONET_HOME/keys: put the new one first in its list there.
    """
    from monet_web.services.office import keys as service

    with opened() as here:
        counts = service.rotate(here.session, now=here.now, actor=here.actor)
    total = sum(counts.values())
    _out.say(f"{_out.many(total, 'secret')} sealed anew with the first key. The other keys are not needed any more.")
