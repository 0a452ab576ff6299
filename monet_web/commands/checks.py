"""`monet test`."""

from __future__ import annotations

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run every check and test of this program; --quick leaves the slow ones out, anything else goes to pytest.

    \b
    monet test
    monet test --quick
    monet test tests/domain -k vat
    """
    from monet_web import testing

    raise click.exceptions.Exit(testing.run(list(arguments)))
