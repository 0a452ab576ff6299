"""`monet upgrade`: the database at the newest schema."""

from __future__ import annotations

import click

from monet_web.commands import _out


@click.command()
def upgrade() -> None:
    """Bring the database to the newest schema: the embedded one, or that of DATABASE_URL. Safe to repeat.

    \b
    monet upgrade

    Once after each new version; a second one at the same moment waits, then finds nothing to do.
    """
    from monet_web import migrate
    from monet_web.commands._context import configuration
    from monet_web.models.base import sealer

    config = configuration()
    sealer.bind(config.encryption_keys)
    if migrate.is_current(config.database_url):
        _out.say("The database is up to date already.")
        return
    migrate.upgrade(config.database_url)
    _out.say("The database is up to date now.")
