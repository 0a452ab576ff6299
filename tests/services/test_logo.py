"""The company's logo: what is kept of a picture, and what is refused in a sentence."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import AuditEntry, Company
from monet_web.models.base import reading, writing
from monet_web.models.users import Role
from monet_web.services.office import company, logo
from tests.builders import NOON
from tests.web.integrating import browser


def a_picture(kind: str = "PNG", size: tuple[int, int] = (30, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#125").save(out, kind)
    return out.getvalue()


def kept(session: Session) -> Image.Image | None:
    with reading(session):
        row = logo.get(session)
    return None if row is None else Image.open(io.BytesIO(row.body))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_drawn_anew_as_png_with_nothing_else_of_its_file(session: Session, kind: str) -> None:
    logo.put(session, a_picture(kind) + b"<script>alert(1)</script>", now=NOON, actor="a")
    found = kept(session)
    assert found is not None
    assert (found.format, found.size) == ("PNG", (30, 10))
    with reading(session):
        row = logo.get(session)
        assert row is not None
        assert b"script" not in row.body
        assert session.scalars(select(AuditEntry.action)).all() == ["logo_changed"]


def test_a_large_one_is_made_smaller_and_a_second_takes_its_place(session: Session) -> None:
    logo.put(session, a_picture(), now=NOON, actor="a")
    logo.put(session, a_picture(size=(3000, 1000)), now=NOON, actor="a")
    found = kept(session)
    assert found is not None
    assert found.size == (1200, 400)
    assert logo.remove(session, now=NOON, actor="a")
    assert not logo.remove(session, now=NOON, actor="a")
    assert kept(session) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"x" * (logo.LARGEST + 1), "1,024 KB"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "SVG"),
        (b"GIF89a" + bytes(40), "no PNG or JPEG"),
        (a_picture()[:40], "no PNG or JPEG"),
        (a_picture(size=(4001, 1)), "4001 × 1"),
    ],
    ids=["empty", "large", "svg", "gif", "cut off", "many points"],
)
def test_what_is_no_logo_is_refused(session: Session, body: bytes, said: str) -> None:
    with pytest.raises(BrokenRule, match=said) as caught:
        logo.put(session, body, now=NOON, actor="a")
    assert caught.value.field == "logo"
    assert kept(session) is None


def test_the_page_takes_shows_and_removes_it(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.ADMINISTRATOR)
    assert client.get("/settings/logo").status_code == 404
    refused = client.post("/settings/logo", data={"logo": (io.BytesIO(b"<svg/>"), "a.svg")})
    assert refused.status_code == 422
    assert "Save it as PNG" in refused.get_data(as_text=True)
    assert client.post("/settings/logo", data={"logo": (io.BytesIO(a_picture()), "a.png")}).status_code == 303
    shown = client.get("/settings/logo")
    assert (shown.mimetype, shown.data[:4]) == ("image/png", b"\x89PNG")
    assert "/settings/logo" in client.get("/settings").get_data(as_text=True)
    assert browser(app, session, Role.ACCOUNTANT).post("/settings/logo", data={"remove": "1"}).status_code == 403
    assert client.post("/settings/logo", data={"remove": "1"}).status_code == 303
    assert client.get("/settings/logo").status_code == 404


def test_the_bank_account_is_checked_and_put_in_groups(session: Session) -> None:
    company.set_values(session, {"bank_account": "lt121000011101001000"}, now=NOON, actor="a")
    with reading(session):
        assert session.get_one(Company, 1).bank_account == "LT12 1000 0111 0100 1000"
    for wrong in ("LT121000011101001001", "LT12 1000"):
        with pytest.raises(BrokenRule, match="IBAN"):
            company.set_values(session, {"bank_account": wrong}, now=NOON, actor="a")
    company.set_values(session, {"bank_account": "12-34-56 12345678", "language": "both"}, now=NOON, actor="a")
    with pytest.raises(BrokenRule, match="number of the account"):
        company.set_values(session, {"vat_account": ""}, now=NOON, actor="a")


def test_documents_are_in_both_languages_until_somebody_says_otherwise(session: Session) -> None:
    with writing(session):
        assert session.get_one(Company, 1).language == "both"
