"""`monet integrations`: connect stores and change how they are imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import opened
from monet_web.commands._typed import pairs

if TYPE_CHECKING:
    from monet_web.connectors.base import StoreFacts
    from monet_web.services.integrations.installed import Shown


@click.group(no_args_is_help=True)
def integrations() -> None:
    """Connect stores and change how they are imported."""


class _Platform(click.Option):
    """Its help names the platforms there are, which are loaded only when somebody reads it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """With the connectors' names."""
        from monet_web.connectors import CONNECTORS

        self.help = f"{'One of: ' if len(CONNECTORS) > 1 else ''}{', '.join(CONNECTORS)}."
        return super().get_help_record(ctx)


@integrations.command()
@click.argument("name")
@click.option("--platform", cls=_Platform, required=True, metavar="KIND")
@click.option("--set", "typed", multiple=True, metavar="KEY=VALUE", help="A connection parameter or a setting.")
@click.argument("more", nargs=-1, metavar="[KEY=VALUE]...")
def add(name: str, platform: str, typed: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Connect a store. Connection parameters and settings are typed alike, as KEY=VALUE.

    \b
    monet integrations add "Kava Ltd" --platform woocommerce \\
      --set address=https://kava.example --set consumer_key=ck_… --set consumer_secret=cs_… \\
      --set not_before=2026-11-01 --set number_prefix=KL-

    Keys that are left out are asked for at a terminal, where they are not shown.
    """
    from monet_web.services.integrations import connect

    values = _with_secrets(platform, pairs((*typed, *more)))
    with opened() as here:
        added = connect.add_integration(
            here.session, name=name, platform=platform, values=values, now=here.now, actor=here.actor
        )
        prefix = f" Numbers begin with {added.number_prefix}." if added.number_prefix else ""
        _out.say(f"{added.name} is added.{prefix}")
        _out.say(f'Next: monet integrations test "{added.name}"')


@integrations.command("list")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(as_json: bool) -> None:
    """List the integrations."""
    from monet_web.commands import _next
    from monet_web.models.base import reading
    from monet_web.services.integrations import installed

    with opened() as here, reading(here.session):
        integrations = installed.list_integrations(here.session)
        shown = [installed.show(one) for one in integrations]
        upcoming = _next.of_each(here.session, integrations, now=here.now)
    if as_json:
        _out.say_json(
            [
                {
                    "name": one.name,
                    "platform": one.platform,
                    "state": one.state,
                    "store": _store(one),
                    "next_run": coming.as_json(),
                }
                for one, coming in zip(shown, upcoming, strict=True)
            ]
        )
    elif not shown:
        _out.say("No integrations yet. An address and a key are enough to begin: monet integrations add --help")
    else:
        _out.table(
            ("Name", "Platform", "State", "Runs", "Next run", "Store"),
            [
                (one.name, one.label, _state(one), one.settings["frequency"], coming.when, _store(one))
                for one, coming in zip(shown, upcoming, strict=True)
            ],
        )


@integrations.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def show(name: str, as_json: bool) -> None:
    """Show an integration with all its settings. Keys are never shown.

    \b
    monet integrations show "Kava Ltd"
    """
    from monet_web.commands import _next
    from monet_web.domain.settings import BY_KEY
    from monet_web.models.base import reading
    from monet_web.services.integrations import installed

    with opened() as here, reading(here.session):
        integration = installed.find(here.session, name)
        shown = installed.show(integration)
        (coming,) = _next.of_each(here.session, [integration], now=here.now)
    if as_json:
        _out.say_json(
            {
                "name": shown.name, "platform": shown.platform, "state": shown.state,
                "parameters": dict(shown.parameters), "secrets": dict(shown.secrets), "settings": dict(shown.settings),
                "refused": shown.refused_text or None, "next_run": coming.as_json(),
            }
        )  # fmt: skip
        return
    _out.say(f"{shown.name} · {shown.label} · {_state(shown)}")
    if shown.refused_text:
        _out.say(f"The store refuses since {shown.refused_since:%Y-%m-%d}: {shown.refused_text}")
    _out.say(f"Next run: {coming.sentence()}")
    secrets = [(key, "(kept, never shown)" if there else "(none)") for key, there in shown.secrets.items()]
    _out.say("")
    _out.table(("Connection", "Value"), [*shown.parameters.items(), *secrets])
    _out.say("")
    _out.table(
        ("Setting", "Value", "What it does"),
        [(key, value or "—", BY_KEY[key].help) for key, value in shown.settings.items()],
    )


@integrations.command("set")
@click.argument("name")
@click.argument("typed", nargs=-1, metavar="KEY=VALUE...")
@click.option("--set", "more", multiple=True, hidden=True)
@click.option("--name", "new_name", help="Another name.")
@click.option("--same-store", is_flag=True, help="A new address is the same shop that moved, with the same orders.")
def set_(name: str, typed: tuple[str, ...], more: tuple[str, ...], new_name: str | None, same_store: bool) -> None:
    """Change an integration. What is not typed stays; an empty key stays too.

    \b
    monet integrations set "Kava Ltd" frequency=daily statuses=processing,completed

    A new scheme, host or port asks for all keys again. What waits in its journals is checked again.
    """
    from monet_web.services.integrations import connect

    values = pairs((*typed, *more))
    if not values and new_name is None:
        raise click.UsageError("Type what to change as key=value: monet integrations set NAME frequency=daily")
    with opened() as here:
        changed = connect.set_values(
            here.session, name, values, new_name=new_name, same_store=same_store, now=here.now, actor=here.actor
        )
        _out.say(f"{changed.name} is changed.")
        _out.mended(here, integration_id=changed.id)


@integrations.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def test(name: str, as_json: bool) -> None:
    """Ask the store whether address, key and rights are right.

    \b
    monet integrations test "Kava Ltd"
    """
    from monet_web.services.integrations import asking

    with opened() as here:
        facts = asking.test_integration(
            here.session, name, surroundings=here.installation.surroundings, now=here.now, actor=here.actor
        )
    if as_json:
        _out.say_json(
            {
                "name": facts.name, "version": facts.version, "time_zone": facts.time_zone, "currency": facts.currency,
                "orders": facts.orders, "statuses": [choice.value for choice in facts.statuses],
                "payment_methods": [choice.value for choice in facts.payment_methods], "notices": list(facts.notices),
            }
        )  # fmt: skip
    else:
        _say_facts(facts)


@integrations.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Remove an integration. Its invoices stay; adding the store again takes its memory over.

    \b
    monet integrations remove "Kava Ltd"
    """
    from monet_web.models.base import reading
    from monet_web.services.integrations import connect, installed

    with opened() as here:
        with reading(here.session):
            name = installed.find(here.session, name).name
        confirm(f"Remove {name}? Its keys are forgotten, its invoices and what waits stay.", yes=yes)
        if connect.retire(here.session, name, now=here.now, actor=here.actor):
            _out.say(f"{name} is retired: its documents stay, and adding the store again takes its memory over.")
        else:
            _out.say(f"{name} is removed.")


def _with_secrets(platform: str, values: dict[str, str]) -> dict[str, str]:
    """Ask at a terminal for required keys that were not typed: there they stay out of the shell's history."""
    from monet_web.services.integrations import installed

    if sys.stdin.isatty():
        for one in installed.connector_class(platform).parameters:
            if one.secret and one.required and not values.get(one.key):
                values[one.key] = click.prompt(f"{one.label} ({one.key}), not shown", hide_input=True)
    return values


def _state(shown: Shown) -> str:
    return "refused" if shown.refused_since else {"on": "on", "off": "switched off"}[shown.state]


def _store(shown: Shown) -> str:
    return next((value for value in shown.parameters.values() if value), "")


def _say_facts(facts: StoreFacts) -> None:
    orders = "" if facts.orders is None else f", {_out.many(facts.orders, 'order')}"
    _out.say(f"The store answers: {facts.name}, version {facts.version}, {facts.currency}, {facts.time_zone}{orders}.")
    for notice in facts.notices:
        _out.say(notice)
    for title, choices in (("Statuses", facts.statuses), ("Payment methods", facts.payment_methods)):
        if choices:
            _out.say("")
            _out.table(
                (title, "", ""),
                [(one.value, one.label, "makes an invoice" if one.is_default else "") for one in choices],
            )
