"""Files of orders: kept line by line as they come, and runs opened that read them in place of the store.

A file is taken in small transactions, so that a hundred megabytes hold up nobody, and is read by no run before it is
whole. Only what orders need is kept of it (the connector says what that is).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import BinaryIO

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading, writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.models.uploads import Upload, UploadPart
from monet_web.services import audit
from monet_web.services.importing.claims import patiently

LARGEST = 1024**3  # bytes of a file
LONGEST_LINE = 16 * 1024**2
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before there were e-shops
_PART = 1024**2  # bytes before packing
_LEVEL = 3  # of packing: a tenth of the size at a hundred megabytes a second


def keep(session: Session, integration_id: int, file: BinaryIO, *, name: str, now: datetime, actor: str) -> Upload:
    """Take a file in; the integration's earlier ones are forgotten. Raises BrokenRule, and then keeps nothing."""
    connector = _connector(session, integration_id, name)
    size = _Size()
    upload_id = _begin(session, integration_id, name, now=now, actor=actor)
    try:
        for n, part in enumerate(_parts(connector.kept_of_file(_lines(file, size)))):
            patiently(partial(_add, session, upload_id, n, zlib.compress(part, _LEVEL)))
    except BaseException:
        patiently(partial(_drop, session, upload_id))
        raise
    return patiently(partial(_end, session, integration_id, upload_id, size.bytes, now=now, actor=actor))


def newest(session: Session, integration_id: int) -> Upload | None:
    """The integration's file that can be read. Inside a transaction."""
    return session.scalars(
        select(Upload)
        .where(Upload.integration_id == integration_id, Upload.is_whole)
        .order_by(Upload.id.desc())
        .limit(1)
    ).first()


def open_run(session: Session, upload_id: int, *, kind: RunKind, now: datetime, actor: str, foreground: bool) -> Run:
    """A queued run (FILE, or PREVIEW) that reads this file. Raises BrokenRule when it is gone."""
    with writing(session):
        upload = session.get(Upload, upload_id, populate_existing=True)
        if upload is None or not upload.is_whole:
            raise _gone("This file")
        integration = session.get_one(Integration, upload.integration_id, populate_existing=True)
        if integration.state is IntegrationState.RETIRED:
            raise BrokenRule(f"{integration.name} was deleted.", fix="Connect the store again, then upload the file.")
        run = Run(
            integration_id=integration.id,
            kind=kind,
            state=RunState.QUEUED,
            window_start=EARLIEST,
            window_end=now,
            foreground=foreground,
            created_at=now,
            requested_by=actor,
            upload_id=upload.id,
            file_name=upload.name,
        )
        session.add(run)
        session.flush()
        run.integration = integration
    return run


def lines(session: Session, upload_id: int, name: str) -> Iterator[bytes]:
    """The kept lines of a file, a part in memory at a time. Raises BrokenRule when it is gone."""
    n = 0
    while (body := patiently(partial(_part_of, session, upload_id, n))) is not None:
        yield from zlib.decompress(body).splitlines(keepends=True)
        n += 1
    if n == 0:
        raise _gone(name)


def forget(session: Session, integration_id: int, *, but: int | None = None) -> None:
    """Delete the integration's files, all `but` one. Inside a writing transaction."""
    old = select(Upload.id).where(Upload.integration_id == integration_id, Upload.id != (but or 0))
    session.execute(delete(UploadPart).where(UploadPart.upload_id.in_(old)))
    session.execute(
        delete(Upload)
        .where(Upload.integration_id == integration_id, Upload.id != (but or 0))
        .execution_options(synchronize_session=False)
    )


class _Size:
    """How much of a file was read."""

    bytes = 0


def _connector(session: Session, integration_id: int, name: str) -> type[Connector]:
    with reading(session):
        integration = session.get(Integration, integration_id, populate_existing=True)
        if integration is None or integration.state is IntegrationState.RETIRED:
            raise BrokenRule("This integration was deleted.", fix="Look at the list of integrations.")
        connector = CONNECTORS[integration.store.platform]
    if connector.orders_file is None:
        raise BrokenRule(
            f"{connector.label} gives its orders by its address and key, not in a file.",
            fix=f"Import them: monet import “{integration.name}” --from … --to …",
        )
    if not name.lower().endswith(connector.orders_file.ending):
        raise BrokenRule(
            f"“{name[:80]}” is no {connector.orders_file.ending} file.",
            fix="Choose the file that the shop's admin exported; if it is packed (.zip, .gz), unpack it first.",
        )
    return connector


def _lines(file: BinaryIO, size: _Size) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 1):
        size.bytes += len(line)
        if size.bytes > LARGEST:
            raise BrokenRule(
                f"The file is larger than {LARGEST // 1024**2} MB.", fix="Export only the tables that this page names."
            )
        if len(line) > LONGEST_LINE:
            raise BrokenRule(
                f"A line of the file is longer than {LONGEST_LINE // 1024**2} MB, which no backup of orders has.",
                fix="Export it anew with the shop's own backup page.",
            )
        yield line


def _parts(kept: Iterable[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for line in kept:
        part += line if line.endswith(b"\n") else line + b"\n"
        if len(part) >= _PART:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _begin(session: Session, integration_id: int, name: str, *, now: datetime, actor: str) -> int:
    with writing(session):
        upload = Upload(integration_id=integration_id, name=name[-200:], size=0, created_at=now, created_by=actor[:200])
        session.add(upload)
        session.flush()
        return upload.id


def _add(session: Session, upload_id: int, n: int, body: bytes) -> None:
    with writing(session):
        session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id, UploadPart.n == n))
        session.add(UploadPart(upload_id=upload_id, n=n, body=body))
    session.expunge_all()


def _end(session: Session, integration_id: int, upload_id: int, size: int, *, now: datetime, actor: str) -> Upload:
    with writing(session):
        forget(session, integration_id, but=upload_id)
        session.execute(
            update(Upload)
            .where(Upload.id == upload_id)
            .values(is_whole=True, size=size)
            .execution_options(synchronize_session=False)
        )
        upload = session.get_one(Upload, upload_id, populate_existing=True)
        audit.record(
            session, at=now, actor=actor, action="orders_uploaded", subject_kind="integration",
            subject_id=integration_id, after={"file": upload.name, "bytes": str(size)},
        )  # fmt: skip
    return upload


def _drop(session: Session, upload_id: int) -> None:
    with writing(session):
        session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))
        session.execute(delete(Upload).where(Upload.id == upload_id))


def _part_of(session: Session, upload_id: int, n: int) -> bytes | None:
    with reading(session):
        return session.scalars(
            select(UploadPart.body).where(UploadPart.upload_id == upload_id, UploadPart.n == n)
        ).one_or_none()


def _gone(name: str) -> BrokenRule:
    return BrokenRule(f"{name} is not kept any more: a newer file took its place.", fix="Upload it again.")
