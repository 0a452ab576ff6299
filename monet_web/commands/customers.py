"""`monet customers`."""

from __future__ import annotations

from itertools import islice

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import opened

_MOST = 200  # of a table; JSON has all of them


@click.group(no_args_is_help=True)
def customers() -> None:
    """List customers, merge two of them; no invoice changes by it."""


@customers.command("list")
@click.argument("words", nargs=-1)
@click.option("--companies", "kind", flag_value="companies", help="Only companies.")
@click.option("--persons", "kind", flag_value="persons", help="Only private persons.")
@click.option("--json", "as_json", is_flag=True, help="Only JSON, all of them.")
def list_(words: tuple[str, ...], kind: str | None, as_json: bool) -> None:
    """List customers by name; with WORDS those that have them in name, code or e-mail.

    \b
    monet customers list
    monet customers list šviesa --companies --json
    """
    from monet_web.models.base import reading
    from monet_web.services.customers.found import Wanted
    from monet_web.services.documents.exports import customers as exports

    with opened() as here, reading(here.session):
        every = exports.rows(here.session, Wanted(" ".join(words), kind or ""))
        rows = list(every if as_json else islice(every, _MOST + 1))
    if as_json:
        _out.say_json(
            [{**row, "id": int(row["id"]), "keys": [key for key in row["keys"].split("; ") if key]} for row in rows]
        )
    elif not rows:
        _out.say("No customer has these words." if words else "No customers yet.")
    else:
        columns = ("id", "name", "company_code", "vat_code", "email", "country")
        _out.table(
            ("Id", "Name", "Company code", "VAT code", "E-mail", "Country"),
            [[row[column] for column in columns] for row in rows[:_MOST]],
            right=(0,),
        )
        if len(rows) > _MOST:
            _out.note(f"Only the first {_MOST}. Type words to look for, or --json for all.")


@customers.command()
@click.argument("gone")
@click.argument("kept")
@click.option("--yes", is_flag=True, help="Do not ask.")
def merge(gone: str, kept: str, yes: bool) -> None:
    """Merge the customer GONE into KEPT: each a name, a company code, a VAT code, an e-mail or #id of the list.

    \b
    monet customers merge "Sviesa, UAB" LT100001738313
    monet customers merge "#12" "#7" --yes

    Orders of both lead to KEPT from now on. No invoice changes.
    """
    from monet_web.models.base import reading
    from monet_web.services.customers import found
    from monet_web.services.customers import merge as service

    with opened() as here:
        with reading(here.session):
            ids = [
                int(each[1:]) if each[:1] == "#" and each[1:].isdecimal() else found.meant(here.session, each)
                for each in (gone, kept)
            ]
            plan = service.plan(here.session, gone_id=ids[0], kept_id=ids[1])
        if plan.refusal is not None:
            raise plan.refusal
        confirm(f"{plan.gone.name} becomes {plan.kept.name}. This can't be taken back.", yes=yes)
        done = service.merge(here.session, gone_id=plan.gone.id, kept_id=plan.kept.id, now=here.now, actor=here.actor)
    _out.say(f"The two are {done.name} from now on. No invoice was changed.")
