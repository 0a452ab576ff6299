"""`monet import-file`: the orders of a file that the shop exported, where the shop itself can't be asked."""

from __future__ import annotations

from pathlib import Path

import click

from monet_web.commands._context import opened
from monet_web.commands._typed import FILE
from monet_web.commands._working import leave_to_workers, report, work


@click.command("import-file")
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would become of each order.")
@click.option("--queue", is_flag=True, help="Leave it to the workers and do not wait.")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def import_file(name: str, file: Path, dry_run: bool, queue: bool, as_json: bool) -> None:
    """Import the orders of FILE for the integration NAME, for example a backup that OpenCart exported.

    \b
    monet import-file "Arbata Ltd" backup.sql --dry-run
    monet import-file "Arbata Ltd" backup.sql

    Safe to repeat: orders already here are skipped, and an older file takes nothing back. Of the file only what
    orders need is kept. Exit code: 0 when it ended, 1 when it failed, 2 for wrong arguments.
    """
    from monet_web.models.base import reading
    from monet_web.models.runs import RunKind, RunState
    from monet_web.services.integrations import installed
    from monet_web.services.opening import uploads

    with opened() as here:
        with reading(here.session):
            integration_id = installed.find(here.session, name).id
        with file.open("rb") as stream:
            upload = uploads.keep(here.session, integration_id, stream, name=file.name, now=here.now, actor=here.actor)
        run = uploads.open_run(
            here.session,
            upload.id,
            kind=RunKind.PREVIEW if dry_run else RunKind.FILE,
            now=here.now,
            actor=here.actor,
            foreground=not queue,
        )
        if queue:
            leave_to_workers(here, [run], as_json=as_json)
            return
        (ended,) = work(here, [run], as_json=as_json)
        report(here, [ended], was_preview=dry_run, as_json=as_json)
    if ended.state is RunState.FAILED:
        raise click.exceptions.Exit(1)
