"""A backup of orders is uploaded on the integration's page, previewed, and imported from its preview."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException

from monet_web.connectors.base import Surroundings
from monet_web.models import Integration, Invoice, Run, Upload
from monet_web.models.base import now_utc, reading
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.running import run_import
from tests.web.integrating import browser

RECORDED = Path(__file__).parents[1] / "connectors" / "recorded" / "opencart" / "backup_oc3.sql.gz"
MEGABYTE = 1024**2


@pytest.fixture
def integration(session: Session) -> Integration:
    return connect.add_integration(
        session,
        name="Arbata",
        platform="opencart",
        values={"address": "https://arbata.example"},
        now=now_utc(),
        actor="test",
    )


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def upload(client: FlaskClient, integration: Integration, data: bytes, name: str = "backup.sql") -> str:
    """Where it leads."""
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    answer = client.post(
        f"/integrations/{integration.id}/file",
        data=head.encode() + data + b"\r\n--edge--\r\n",
        content_type="multipart/form-data; boundary=edge",
    )
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def runs(session: Session) -> list[Run]:
    with reading(session):
        return list(session.scalars(select(Run).order_by(Run.id).execution_options(populate_existing=True)))


def work(factory: sessionmaker[Session], run: Run) -> Run:
    return run_import.run(factory, run.id, surroundings=Surroundings(), clock=now_utc, worker=claims.this_process())


def test_upload_preview_import(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session], integration: Integration
) -> None:
    at = upload(client, integration, gzip.decompress(RECORDED.read_bytes()), "Temp/backup.sql")
    (run,) = runs(session)
    assert at == f"/runs/{run.id}"
    assert (run.kind, run.state, run.file_name) == (RunKind.PREVIEW, RunState.QUEUED, "backup.sql")
    work(session_factory, run)
    text = client.get(at).text
    assert "Orders of the file backup.sql" in text
    assert "Import these orders" in text
    with reading(session):
        assert session.scalars(select(Invoice)).first() is None
    answer = client.post(f"/integrations/{integration.id}/file/{run.upload_id}/import")
    _, second = runs(session)
    assert answer.headers["Location"] == f"/runs/{second.id}"
    assert second.kind is RunKind.FILE
    assert work(session_factory, second).in_journal == 59
    text = client.get(f"/runs/{second.id}").text
    assert "From a file" in text
    assert "Import these orders" not in text
    assert "Read the file backup.sql for Arbata once more?" in text
    assert "backup.sql" in client.get("/runs").text or "From a file".lower() in client.get("/runs").text.lower()


def test_the_page_says_how_the_file_is_made_and_which_was_uploaded(
    client: FlaskClient, session: Session, integration: Integration
) -> None:
    page = f"/integrations/{integration.id}"
    text = client.get(page).text
    assert "System → Maintenance → Backup" in text
    assert "Import its orders" not in text
    upload(client, integration, gzip.decompress(RECORDED.read_bytes()))
    text = client.get(page).text
    assert "Import its orders" in text
    assert "backup.sql, uploaded" in text


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("", b"", "No file was chosen."),
        ("a.zip", b"PK", "“a.zip” is no .sql file."),
        ("a.sql", b"CREATE TABLE x;", "This file holds no orders of an OpenCart."),
    ],
)
def test_what_is_no_backup_is_told_beside_the_field(
    client: FlaskClient, session: Session, integration: Integration, name: str, data: bytes, said: str
) -> None:
    at = upload(client, integration, data, name)
    assert at.endswith(f"/integrations/{integration.id}#from-file-h")
    assert said in client.get(at.partition("#")[0]).text
    assert runs(session) == []


def test_a_file_larger_than_any_other_upload_is_taken(
    client: FlaskClient, session: Session, integration: Integration
) -> None:
    data = gzip.decompress(RECORDED.read_bytes()) + (b"-- x" * 250 + b"\n") * 42_000
    assert len(data) > 40 * MEGABYTE
    assert upload(client, integration, data).startswith("/runs/")
    with reading(session):
        assert session.scalars(select(Upload.size)).one() == len(data)


@pytest.mark.parametrize(("role", "most"), [(None, 32), (Role.VIEWER, 32), (Role.OFFICE, 1025)])
def test_only_who_may_upload_one_may_send_that_much(app: Flask, session: Session, role: Role | None, most: int) -> None:
    client = browser(app, session, role) if role else app.test_client()
    client.get("/")
    cookie = client.get_cookie("session")
    headers = {"Cookie": f"session={cookie.value}"} if cookie else {}
    for path, allowed in (("/integrations/1/file", most), ("/integrations/1/run", 32)):
        with app.test_request_context(path, method="POST", headers=headers):
            with suppress(HTTPException):
                app.preprocess_request()
            assert request.max_content_length == allowed * MEGABYTE


def test_who_may_only_look_may_upload_nothing(app: Flask, session: Session, integration: Integration) -> None:
    viewer = browser(app, session, Role.VIEWER)
    page = viewer.get(f"/integrations/{integration.id}").text
    assert "Orders from a file" not in page
    form = {"file": (io.BytesIO(b"x"), "a.sql")}
    answer = viewer.post(f"/integrations/{integration.id}/file", data=form, content_type="multipart/form-data")
    assert answer.status_code == 403
    assert viewer.post(f"/integrations/{integration.id}/file/1/import").status_code == 403


def test_other_platforms_offer_no_file(client: FlaskClient, session: Session) -> None:
    other = connect.add_integration(
        session,
        name="Kava",
        platform="woocommerce",
        values={"address": "https://kava.example", "consumer_key": "ck_1", "consumer_secret": "cs_1"},
        now=now_utc(),
        actor="test",
    )
    assert "Orders from a file" not in client.get(f"/integrations/{other.id}").text
    assert upload(client, other, b"x").endswith("#from-file-h")
    assert client.post("/integrations/999/file").status_code == 404


def test_a_file_that_is_gone_is_told(client: FlaskClient, session: Session, integration: Integration) -> None:
    answer = client.post(f"/integrations/{integration.id}/file/77/import")
    assert answer.headers["Location"].endswith("#from-file-h")
    assert "not kept any more" in client.get(f"/integrations/{integration.id}").text
