"""Many documents as one file: few at once, many by a worker, who leaves the file in the database for a day."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models.base import reading, writing
from monet_web.models.bundles import Bundle
from monet_web.models.errands import ErrandState
from monet_web.models.invoices import Invoice
from monet_web.services.documents import queued
from monet_web.services.documents.exports import paper, pdf
from monet_web.services.documents.exports.paper import Logo, Paper
from monet_web.services.documents.exports.paper_words import LANGUAGES

ENDINGS = ("zip", "pdf")
AT_ONCE = 10  # while the person waits: a document takes some tenths of a second
MOST = 500  # in one file
KEPT = timedelta(days=1)
_STEP = 10


def chosen(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[int]:
    """The ids of invoices by date and number. Inside a transaction. Raises BrokenRule for none and for too many."""
    query = select(Invoice.id).where(*conditions).order_by(Invoice.issue_date, Invoice.number_key, Invoice.id)
    ids = list(session.scalars(query.limit(MOST + 1)))
    if not ids:
        raise BrokenRule("No invoice is chosen.", fix="Change what the list is narrowed to.")
    if len(ids) > MOST:
        raise BrokenRule(
            f"More than {MOST} documents don't go into one file.", fix="Narrow the list, for example to ten days."
        )
    return ids


def by_number(session: Session, number_key: str) -> int | None:
    """The id of the document with that number. Inside a transaction."""
    return session.scalar(select(Invoice.id).where(Invoice.number_key == number_key))


def file_of(session: Session, invoice_ids: Sequence[int], *, ending: str, language: str) -> bytes:
    """The file of a few documents, drawn outside any transaction. Raises BrokenRule."""
    with reading(session):
        papers, logo = paper.load(session, invoice_ids), paper.logo(session)
    pile = _Pile(ending, logo, language)
    for one in papers:
        pile.add(one)
    return pile.finish()


def begin(
    session: Session, invoice_ids: Sequence[int], *, ending: str, language: str, now: datetime, actor: str
) -> Bundle:
    """A queued bundle; commit first, then ring. Bundles of the day before are forgotten. Raises BrokenRule."""
    _known(ending, language)
    with reading(session):
        paper.must_be_complete(session, now)
    with writing(session):
        session.execute(delete(Bundle).where(Bundle.created_at < now - KEPT))
        row = Bundle(
            ending=ending, language=language, invoice_ids=list(invoice_ids), requested_by=actor[:200], created_at=now
        )
        session.add(row)
        session.flush()
    return row


def find(session: Session, bundle_id: int) -> Bundle | None:
    """The bundle as it is now, without its file. Inside a transaction."""
    return session.get(Bundle, bundle_id, populate_existing=True)


def body(session: Session, bundle_id: int) -> bytes | None:
    """The file, None while there is none. Inside a transaction."""
    return session.scalar(select(Bundle.body).where(Bundle.id == bundle_id, Bundle.state == ErrandState.DONE))


def to_ring(session: Session, *, now: datetime) -> list[Bundle]:
    """Bundles that a worker should be told of again: queued a while ago, or taken by one that died."""
    return queued.to_ring(session, Bundle, now=now)


def work(session_factory: Callable[[], Session], bundle_id: int, *, clock: Callable[[], datetime], worker: str) -> None:
    """Draw one queued bundle to its end; nothing happens when it is not queued any more."""
    session = session_factory()
    try:
        attempt = queued.take(session, Bundle, bundle_id, now=clock(), worker=worker, written=0)
        if attempt is None:
            return
        try:
            for written, whole in _drawn(session, bundle_id):
                state = ErrandState.RUNNING if whole is None else ErrandState.DONE
                if not _told(session, bundle_id, attempt, state=state, written=written, body=whole, now=clock()):
                    return
        except MonetError as trouble:
            _told(session, bundle_id, attempt, state=ErrandState.FAILED, error=trouble.sentence(), now=clock())
        except Exception:
            fault = "A fault of this program; its log says more."
            _told(session, bundle_id, attempt, state=ErrandState.FAILED, error=fault, now=clock())
            raise
    finally:
        session.close()


def _drawn(session: Session, bundle_id: int) -> Iterator[tuple[int, bytes | None]]:
    """(documents so far, None) after every few; (all, the file) at the end."""
    with reading(session):
        row = session.get_one(Bundle, bundle_id, populate_existing=True)
        ids, ending, language, logo = list(row.invoice_ids), row.ending, row.language, paper.logo(session)
    pile = _Pile(ending, logo, language)
    for start in range(0, len(ids), _STEP):
        with reading(session):
            papers = paper.load(session, ids[start : start + _STEP])
            session.expunge_all()
        for one in papers:
            pile.add(one)
        yield pile.count, None
    yield pile.count, pile.finish()


def _told(
    session: Session, bundle_id: int, attempt: int, *, state: ErrandState, now: datetime, **values: object
) -> bool:
    """Write how far it is; False when another worker has it now."""
    return queued.tell(session, Bundle, bundle_id, attempt, state=state, heartbeat_at=now, **values)


def _known(ending: str, language: str) -> None:
    if ending not in ENDINGS:
        raise BrokenRule(f"“{ending}” is no kind of file.", fix=f"Type one of: {', '.join(ENDINGS)}.")
    if language not in LANGUAGES:
        raise BrokenRule(f"“{language}” is no language of documents.", fix=f"Type one of: {', '.join(LANGUAGES)}.")


class _Pile:
    """Documents put on one another: pages of one PDF, or files of one ZIP with names of their own."""

    def __init__(self, ending: str, logo: Logo | None, language: str) -> None:
        _known(ending, language)
        self.count = 0
        self._logo, self._language = logo, language
        self._book = pdf.Book(logo, language) if ending == "pdf" else None
        self._bytes = io.BytesIO()
        self._zip = zipfile.ZipFile(self._bytes, "w", zipfile.ZIP_DEFLATED) if ending == "zip" else None
        self._names: set[str] = set()

    def add(self, one: Paper) -> None:
        self.count += 1
        if self._book is not None:
            self._book.add(one)
        if self._zip is not None:
            self._zip.writestr(self._name(pdf.file_name(one)), pdf.draw([one], self._logo, self._language))

    def finish(self) -> bytes:
        if not self.count:
            raise BrokenRule("The invoices are gone.", fix="Choose again: they were deleted meanwhile.")
        if self._book is not None:
            return self._book.finish()
        if self._zip is not None:
            self._zip.close()
        return self._bytes.getvalue()

    def _name(self, wanted: str) -> str:
        """File systems without case must keep both of two."""
        name, n = wanted, 1
        while name.casefold() in self._names:
            n += 1
            name = f"{wanted.removesuffix('.pdf')}-{n}.pdf"
        self._names.add(name.casefold())
        return name
