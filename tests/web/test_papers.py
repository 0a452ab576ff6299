"""Documents from the pages: one as PDF, the list as one file, many through a worker's page."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.models import Bundle
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.documents.exports import bundles
from tests.builders import NOON
from tests.services.test_pdf import a_company, a_document
from tests.web.integrating import browser

Factory = sessionmaker[Session]


def test_one_document_is_downloaded_in_the_language_asked(app: Flask, session: Session) -> None:
    with writing(session):
        a_company(session)
        id_ = a_document(session)
    client = browser(app, session, Role.VIEWER)
    page = client.get(f"/invoices/{id_}").get_data(as_text=True)
    assert f"/invoices/{id_}/pdf?language=en" in page
    answer = client.get(f"/invoices/{id_}/pdf?language=en")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert "KL-1001.pdf" in answer.headers["Content-Disposition"]
    assert "VAT invoice" in PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert client.get("/invoices/999/pdf").status_code == 404
    assert client.get(f"/invoices/{id_}/pdf?language=xx").status_code == 303


def test_the_pro_forma_of_a_waiting_invoice(app: Flask, session: Session) -> None:
    with writing(session):
        id_ = a_document(session, state=InvoiceState.IN_JOURNAL)
    answer = browser(app, session, Role.VIEWER).get(f"/invoices/{id_}/pdf")
    assert "Pro-forma invoice" in PdfReader(io.BytesIO(answer.data)).pages[0].extract_text().replace("\n", " ")


def test_the_list_as_a_zip_holds_what_the_list_is_narrowed_to(app: Flask, session: Session) -> None:
    with writing(session):
        a_company(session)
        a_document(session, number="KL-1")
        a_document(session, number="KL-2", issue_date=date(2026, 11, 24))
    client = browser(app, session, Role.VIEWER)
    answer = client.post("/invoices/papers?from=2026-11-24", data={"ending": "zip"})
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        assert file.namelist() == ["KL-2.pdf"]
    answer = client.post("/invoices/papers", data={"ending": "pdf", "language": "lt"})
    assert len(PdfReader(io.BytesIO(answer.data)).pages) == 2
    assert client.post("/invoices/papers?q=nothing", data={"ending": "pdf"}).status_code == 303


def test_many_are_drawn_by_a_worker_and_followed_on_a_page(
    app: Flask, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "AT_ONCE", 1)
    with writing(session):
        a_company(session)
        for number in ("KL-1", "KL-2"):
            a_document(session, number=number)
    client = browser(app, session, Role.VIEWER)
    answer = client.post("/invoices/papers", data={"ending": "zip"})
    with reading(session):
        row = session.scalars(select(Bundle)).one()
    assert answer.headers["Location"] == f"/invoices/papers/{row.id}"
    assert row.requested_by == "viewer@example.com"
    page = client.get(f"/invoices/papers/{row.id}").get_data(as_text=True)
    assert "Drawing 2 documents" in page
    assert 'hx-trigger="every 1s"' in page
    assert client.get(f"/invoices/papers/{row.id}/file").status_code == 404
    bundles.work(session_factory, row.id, clock=lambda: NOON, worker="w1")
    page = client.get(f"/invoices/papers/{row.id}", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Download the ZIP" in page
    assert "<html" not in page
    with zipfile.ZipFile(io.BytesIO(client.get(f"/invoices/papers/{row.id}/file").data)) as file:
        assert sorted(file.namelist()) == ["KL-1.pdf", "KL-2.pdf"]
    gone = client.get("/invoices/papers/999", follow_redirects=True).get_data(as_text=True)
    assert "files are kept for a day" in gone
