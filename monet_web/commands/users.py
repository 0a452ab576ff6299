"""`monet user`."""

from __future__ import annotations

import click

from monet_web.commands import _out
from monet_web.commands._context import Here, opened


@click.group(no_args_is_help=True)
def user() -> None:
    """Let people in."""


@user.command()
@click.argument("email")
@click.option("--role", required=True, help="viewer, office, accountant or administrator.")
@click.option("--name", default="", help="What others see.")
def add(email: str, role: str, name: str) -> None:
    """Add a person and print the link that lets them in; it works once, for an hour.

    \b
    monet user add ona@example.com --role accountant
    """
    from monet_web.services.office import users as service

    with opened() as here:
        added, token = service.add(here.session, email=email, role=role, name=name, now=here.now, actor=here.actor)
        _out.say(f"{added.email} is added as {added.role.value}. The link works once, for an hour:")
        _out.say(link(here, token))


@user.command("link")
@click.argument("email")
def link_(email: str) -> None:
    """Print a new link for a person who is here already, also when a password was forgotten.

    \b
    monet user link ona@example.com
    """
    from monet_web.services.office import users as service

    with opened() as here:
        token = service.new_link(here.session, email=email, now=here.now, actor=here.actor)
        _out.say("The link works once, for an hour:")
        _out.say(link(here, token))


def link(here: Here, token: str) -> str:
    """The address to open; without MONET_URL only its path can be told."""
    from monet_web.services.office.users import link_path

    url = here.installation.config.url
    if url is None:
        _out.note("MONET_URL is not set: put the address of this installation before it.")
    return f"{url or ''}{link_path(token)}"
