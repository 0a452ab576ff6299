"""A group of commands that are loaded when typed, and errors that reach a person as a sentence."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import click

BAD_ARGUMENTS = 2
FAILED = 1


class Failure(click.ClickException):
    """An error as the terminal shows it: the sentence on stderr, nothing else."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        """Say it."""
        click.echo(self.message, file=file or sys.stderr)


class Commands(click.Group):
    """Commands by name; `commands_at` says where each is and what help says of it without loading it."""

    def __init__(self, *, commands_at: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(**options, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
        self._at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the parent's arguments
        """In the order of their need, not of the alphabet."""
        return list(self._at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command."""
        if cmd_name not in self._at:
            return None
        module, _, name = self._at[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"monet_web.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self._at.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run what was typed; whatever goes wrong becomes a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click knows what to do
        except Exception as error:
            if os.environ.get("MONET_DEBUG") == "1":
                traceback.print_exc()
            raise _failure(error) from error


def _failure(error: Exception) -> Failure:
    from sqlalchemy.exc import DatabaseError

    from monet_web.config import ConfigError
    from monet_web.domain.errors import BrokenRule, MonetError
    from monet_web.embedded import EmbeddedRedisFailed

    match error:
        case BrokenRule():
            return Failure(error.sentence(), BAD_ARGUMENTS)
        case MonetError():
            return Failure(error.sentence(), FAILED)
        case ConfigError() | EmbeddedRedisFailed():
            return Failure(str(error), FAILED)
        case DatabaseError():
            return Failure(_database_sentence(error), FAILED)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return Failure(f"{where}{error.strerror or error}.", FAILED)
        case _:
            # The error's own text may quote what it worked on, a secret too: only its kind is said.
            return Failure(
                f"This did not work because of a fault of this program ({type(error).__name__}). "
                "Try again; if it repeats, type MONET_DEBUG=1 before the command and send us what it prints.",
                FAILED,
            )


def _database_sentence(error: Exception) -> str:
    said = str(error).casefold()
    if "no such table" in said or "no such column" in said or "does not exist" in said:
        return "The database is not up to date. Type: monet upgrade"
    if "locked" in said:
        return "Another program keeps the database busy. Try again in a minute."
    return "The database does not answer or refused what was asked. Type: monet doctor"
