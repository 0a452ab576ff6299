"""Help comes at once, without loading what is not typed, and each command has an example."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from monet_web.cli import COMMANDS, cli
from monet_web.config import CHECKOUT


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, each) for each, one in command.commands.items() if not one.hidden]
        else:
            found.append((name,))
    return found


def test_help_names_every_command_and_loads_no_library() -> None:
    code = (
        "import sys; from monet_web.cli import cli\n"
        "try: cli(['--help'], prog_name='monet')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'flask', 'cryptography', 'redis', 'rq', 'requests', 'xlsxwriter'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert ended.returncode == 0, ended.stderr
    for name in COMMANDS:
        assert f"  {name} " in ended.stdout


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_has_a_sentence_and_most_an_example(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, [*command, "--help"], prog_name="monet")
    assert shown.exit_code == 0
    assert f"Usage: monet {' '.join(command)}" in shown.output
    listed = command[-1] in ("list", "show") and command[0] in ("integrations", "company")
    assert listed or f"monet {' '.join(command)}" in shown.output.split("Usage:")[1].split("\n", 1)[1]


@pytest.mark.parametrize(
    "typed", [["nonsense"], ["import"], ["import", "%"], ["runs", "show", "x"], ["run", "--store-port", "8090"]]
)
def test_wrong_arguments_end_with_two(typed: list[str]) -> None:
    assert CliRunner().invoke(cli, typed, prog_name="monet").exit_code == 2
