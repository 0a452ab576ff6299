"""Files of items and receipts: seen first, entered on a yes, once, by the same person, exactly as they were seen."""

from __future__ import annotations

import io
import random
import re
import string
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.blueprints import uploads
from monet_web.models import Balance, Item, ItemAlias, StockReceipt
from monet_web.models.base import reading, writing
from monet_web.models.items import AliasKind
from monet_web.models.users import Role
from tests.builders import an_item
from tests.web.integrating import HOSTILE, browser, value_of, words
from tests.workbooks import a_workbook

ITEMS = "code,name,unit\nA,Item A,kg\nB,Puodelis,vnt.\n"


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def send(client: FlaskClient, path: str, data: str | bytes, name: str = "goods.csv") -> Any:
    body = data.encode() if isinstance(data, str) else data
    return client.post(path, data={"file": (io.BytesIO(body), name)})


def count(session: Session, table: type[Any]) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(table)) or 0


def on_hand(session: Session) -> list[Decimal]:
    with reading(session):
        return list(session.scalars(select(Balance.on_hand).order_by(Balance.item_id)))


def items(session: Session) -> list[Item]:
    with reading(session):
        return list(session.scalars(select(Item).order_by(Item.id)))


def two_items(session: Session) -> None:
    with writing(session):
        an_item(session, "A", on_hand=1)
        an_item(session, "B")


# --- items -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_of_items_is_shown_first_and_written_on_a_yes(office: FlaskClient, session: Session, kind: str) -> None:
    two_items(session)
    data = (
        (ITEMS + "C,New,\n").encode()
        if kind == "csv"
        else a_workbook(("code", "name", "unit"), ("A", "Item A", "kg"), ("B", "Puodelis", "vnt."), ("C", "New"))
    )
    answer = send(office, "/items/import", data, f"items.{kind}")
    said = words(answer.text)
    assert "Make 1 item, change 2 items." in said
    assert "name: Item B → Puodelis ; unit: – → vnt." in said
    assert count(session, Item) == 2
    done = office.post("/items/import/enter", data={"file": value_of(answer.text, "file")}, follow_redirects=True)
    assert "1 item made, 2 items changed." in words(done.text)
    assert count(session, Item) == 3


def test_every_wrong_row_is_shown_with_what_to_type_and_only_the_good_ones_can_be_loaded(
    office: FlaskClient, session: Session
) -> None:
    answer = send(office, "/items/import", "code,name,kind\n,No code,\nA,A,thing\nB,B,goods\n")
    assert answer.status_code == 422
    said = words(answer.text)
    assert "2 rows can't be used, 1 can." in said
    assert "2 It has no code. Type the item's code, as KN-01." in said
    assert "3 kind is “thing”. Type one of: goods, service." in said
    assert count(session, Item) == 0
    signed = value_of(answer.text, "file")
    refused = office.post("/items/import/enter", data={"file": signed})
    assert (refused.status_code, count(session, Item)) == (422, 0)
    form = {"file": signed, "good_only": value_of(answer.text, "good_only")}
    done = office.post("/items/import/enter", data=form, follow_redirects=True)
    assert "1 item made. 2 rows were left out." in words(done.text)
    assert [item.code for item in items(session)] == ["B"]


def test_a_file_with_no_good_row_has_no_yes(office: FlaskClient, session: Session) -> None:
    answer = send(office, "/items/import", "code,name\n,No code\n")
    assert "1 row can't be used, 0 can. Mend the file and choose it again." in words(answer.text)
    assert 'action="/items/import/enter"' not in answer.text


EXPORT = "Prekės kodas;Pavadinimas;EAN;Mato vnt.;Spalva\nKN-01;Sąsiuvinis;4771;vnt.;žalia\nPU-1;Puodelis;;vnt.;\n"


def chosen(page: str) -> list[str]:
    """What each column is taken for."""
    selects = re.findall(r'<select[^>]*name="column-\d+".*?</select>', page, re.DOTALL)
    return [(re.findall(r'value="(\w*)" selected', each) or [""])[0] for each in selects]


def test_columns_of_any_name_are_proposed_chosen_and_remembered(office: FlaskClient, session: Session) -> None:
    asked = send(office, "/items/import", EXPORT, "eksportas.csv")
    assert asked.status_code == 200
    assert chosen(asked.text) == ["code", "name", "barcode", "unit", ""]
    said = words(asked.text)
    assert "What the columns of eksportas.csv are" in said
    assert "Pavadinimas Sąsiuvinis · Puodelis" in said
    columns = {f"column-{place}": field for place, field in enumerate(["code", "name", "sku", "unit", ""])}
    look = office.post("/items/import/columns", data={"file": value_of(asked.text, "file"), **columns})
    assert "Make 2 items, add 1 name of a store." in words(look.text)
    assert count(session, Item) == 0
    again = office.post(
        "/items/import/columns", data={"file": value_of(look.text, "file"), **columns, "step": "columns"}
    )
    assert chosen(again.text) == ["code", "name", "sku", "unit", ""]
    form = {"file": value_of(look.text, "file"), **columns}
    done = office.post("/items/import/enter", data=form, follow_redirects=True)
    assert "2 items made, 1 name of a store added." in words(done.text)
    with reading(session):
        assert session.scalars(select(ItemAlias.kind)).all() == [AliasKind.SKU]
    next_time = send(office, "/items/import", EXPORT.replace("Puodelis", "Puodas"), "eksportas.csv")
    assert "change 1 item" in words(next_time.text).lower()
    assert "Change what the columns are" in next_time.text


def test_a_file_with_only_skus_is_read_by_them(office: FlaskClient) -> None:
    asked = send(office, "/items/import", "Name,SKU,Colour\nNotebook,KN-01,red\n")
    assert chosen(asked.text) == ["name", "code", ""]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["name", "", ""], "No column is the item's code."),
        (["code", "code", "name"], "Two columns are code."),
        (["nonsense", "name", ""], "No column is the item's code."),
    ],
)
def test_a_choice_of_columns_that_can_t_be_is_said_above_them(
    office: FlaskClient, session: Session, columns: list[str], said: str
) -> None:
    asked = send(office, "/items/import", "A,B,C\n1,2,3\n")
    form = {f"column-{place}": field for place, field in enumerate(columns)}
    answer = office.post("/items/import/columns", data={"file": value_of(asked.text, "file"), **form})
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert len(chosen(answer.text)) == 3
    assert count(session, Item) == 0


def test_headings_and_values_of_a_file_stay_words(office: FlaskClient) -> None:
    page = send(office, "/items/import", f'"{HOSTILE.replace(chr(34), "")}",B\n{HOSTILE.replace(chr(34), "")},2\n').text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_formula_is_left_out_with_the_wrong_rows(office: FlaskClient, session: Session) -> None:
    data = a_workbook(
        ("code", "name"), ("A", None), ("B", "Good"),
        then=lambda _book, sheet: sheet.write_formula("B2", "=A2", None, "A"),
    )  # fmt: skip
    answer = send(office, "/items/import", data, "items.xlsx")
    form = {"file": value_of(answer.text, "file"), "good_only": "yes"}
    assert office.post("/items/import/enter", data=form).status_code == 303
    assert [item.code for item in items(session)] == ["B"]


def test_a_formula_is_a_wrong_row(office: FlaskClient) -> None:
    data = a_workbook(
        ("code", "name"), ("A", None), then=lambda _book, sheet: sheet.write_formula("B2", "=A2", None, "A")
    )
    answer = send(office, "/items/import", data, "items.xlsx")
    assert answer.status_code == 422
    assert "2 B2 is a formula. Copy the cell and paste it as a value." in words(answer.text)


def test_a_file_that_changes_nothing_says_so(office: FlaskClient, session: Session) -> None:
    two_items(session)
    said = words(send(office, "/items/import", "code,name\nA,\nB,\n").text)
    assert "The file changes nothing. All 2 items of it are here and are so already." in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "The file is empty."),
        (b"PK\x03\x04xyz", "can't be read as an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "old Excel workbook"),
    ],
)
@pytest.mark.parametrize("path", ["/items/import"])
def test_what_is_no_table_is_refused_beside_the_field(
    office: FlaskClient, path: str, data: str | bytes, said: str
) -> None:
    answer = send(office, path, data)
    assert answer.status_code == 422
    assert said in words(answer.text)


@pytest.mark.parametrize("path", ["/items/import", "/items/receive/file"])
def test_no_file_and_one_too_large_are_said_in_words(
    office: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No file was chosen." in words(office.post(path, data={}).text)
    monkeypatch.setattr(uploads, "LARGEST_FILE", 10)
    assert "The file is too large for a page." in words(send(office, path, "code,quantity\nA,1\n").text)


def test_a_table_too_long_to_be_carried_is_refused_and_not_cut(office: FlaskClient, session: Session) -> None:
    # Random letters don't pack; below 500 kB the test's client keeps them in memory, where nothing is left open.
    letters = random.Random(1)
    rows = "".join(f"{n},{''.join(letters.choices(string.ascii_letters, k=100))}\n" for n in range(4300))
    answer = send(office, "/items/import", "code,name\n" + rows)
    assert answer.status_code == 422
    assert "The file is too large for a page. Split it into several files" in words(answer.text)


def test_ten_thousand_rows_are_carried(office: FlaskClient, session: Session) -> None:
    rows = "".join(f"PU-{n:05d},Puodelis {n}\n" for n in range(10_000))
    answer = send(office, "/items/import", "code,name\n" + rows)
    assert "and 9,800 more" in words(answer.text)
    signed = value_of(answer.text, "file")
    assert len(signed) < 400_000
    assert office.post("/items/import/enter", data={"file": signed}).status_code == 303
    assert count(session, Item) == 10_000


# --- receipts ----------------------------------------------------------------------------------------------------

RECEIPT = "code;quantity;date\nA;5;\nB;2,5;2026-11-20\nA;-1;\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_of_goods_is_shown_first_and_entered_on_a_yes(office: FlaskClient, session: Session, kind: str) -> None:
    two_items(session)
    data = (
        RECEIPT.encode()
        if kind == "csv"
        else a_workbook(("code", "quantity", "date"), ("A", 5), ("B", 2.5, "2026-11-20"), ("A", -1))
    )
    answer = send(office, "/items/receive/file", data, f"delivery.{kind}")
    said = words(answer.text).replace("\u00a0", " ")
    assert "Receive 2 items, 7.5 pieces, take out 1 item, 1 piece in MAIN" in said
    assert "A Item A MAIN" in said
    assert "1 +5 6 2" in said
    assert "6 −1 5 4" in said
    assert count(session, StockReceipt) == 0
    done = office.post("/items/receive/file/enter", data={"file": value_of(answer.text, "file")}, follow_redirects=True)
    assert "Received 2 items" in words(done.text)
    assert on_hand(session) == [Decimal(5), Decimal("2.5")]
    with reading(session):
        assert set(session.scalars(select(StockReceipt.note))) == {f"delivery.{kind}"}


def test_a_yes_sent_twice_is_entered_once(office: FlaskClient, session: Session) -> None:
    two_items(session)
    signed = value_of(send(office, "/items/receive/file", "code,quantity\nA,5\n").text, "file")
    answers = [office.post("/items/receive/file/enter", data={"file": signed}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert on_hand(session) == [Decimal(6), Decimal(0)]
    assert "it was not entered a second time" in words(office.get("/items").text)


def test_every_wrong_row_of_a_receipt_is_shown(office: FlaskClient, session: Session) -> None:
    two_items(session)
    answer = send(office, "/items/receive/file", "code,quantity\nNONE,1\nA,x\nA,0\n")
    assert answer.status_code == 422
    said = words(answer.text)
    assert "2 There is no item NONE." in said
    assert "3 “x” is not a number." in said
    assert "4 The quantity is zero." in said
    below = words(send(office, "/items/receive/file", "code,quantity\nA,-2\n").text)
    assert "A would be at -1 in MAIN, where 1 is on hand now." in below


def test_what_changed_between_the_preview_and_the_yes_is_said(office: FlaskClient, session: Session) -> None:
    two_items(session)
    signed = value_of(send(office, "/items/receive/file", "code,quantity\nA,-1\n").text, "file")
    other = value_of(send(office, "/items/receive/file", "code,quantity\nA,-1\n").text, "file")
    assert office.post("/items/receive/file/enter", data={"file": signed}).status_code == 303
    late = office.post("/items/receive/file/enter", data={"file": other})
    assert late.status_code == 422
    assert "A would be at -1 in MAIN, where 0 is on hand now." in words(late.text)
    assert on_hand(session) == [Decimal(0), Decimal(0)]


# --- what is carried ---------------------------------------------------------------------------------------------


def test_what_the_page_carries_can_not_be_changed(office: FlaskClient, session: Session) -> None:
    two_items(session)
    signed = value_of(send(office, "/items/receive/file", "code,quantity\nA,5\n").text, "file")
    for forged in (signed[:-2] + "xx", "x" + signed, "", "a.b.c"):
        answer = office.post("/items/receive/file/enter", data={"file": forged})
        assert answer.status_code == 422
        assert "This preview is too old to be entered. Choose the file once more." in words(answer.text)
    assert count(session, StockReceipt) == 0


def test_what_was_previewed_by_one_person_or_for_another_purpose_is_not_entered(
    app: Flask, office: FlaskClient, session: Session
) -> None:
    two_items(session)
    signed = value_of(send(office, "/items/receive/file", "code,quantity\nA,5\n").text, "file")
    other = browser(app, session, Role.ADMINISTRATOR)
    assert other.post("/items/receive/file/enter", data={"file": signed}).status_code == 422
    assert office.post("/items/import/enter", data={"file": signed}).status_code == 422
    assert count(session, StockReceipt) == 0


def test_a_preview_of_yesterday_is_not_entered(app: Flask, session: Session) -> None:
    two_items(session)
    with time_machine.travel("2026-11-23T08:00:00Z", tick=False):
        office = browser(app, session, Role.OFFICE)
        signed = value_of(send(office, "/items/receive/file", "code,quantity\nA,5\n").text, "file")
    with time_machine.travel("2026-11-23T20:00:01Z", tick=False):
        office = browser(app, session, Role.OFFICE)
        assert office.post("/items/receive/file/enter", data={"file": signed}).status_code == 422


@pytest.mark.parametrize("path", ["/items/import", "/items/receive/file"])
def test_hostile_words_of_a_file_stay_words(office: FlaskClient, session: Session, path: str) -> None:
    with writing(session):
        an_item(session, "A", name=HOSTILE)
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    good = f"code,name\n{quoted},{quoted}\n" if path == "/items/import" else "code,quantity\nA,1\n"
    bad = f"code,name,kind\nA,A,{quoted}\n" if path == "/items/import" else f"code,quantity\n{quoted},1\n"
    for data in (good, bad):
        page = send(office, path, data, f"{HOSTILE}.csv").text
        assert '<script>alert("1")' not in page
        assert "&lt;script&gt;" in page


# --- samples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_samples_can_be_imported_as_they_are(office: FlaskClient, session: Session, kind: str) -> None:
    sample = office.get(f"/items/samples/items.{kind}")
    assert f'filename="items.{kind}"' in sample.headers["Content-Disposition"]
    assert "Make 2 items" in words(send(office, "/items/import", sample.data, f"items.{kind}").text)
    with writing(session):
        an_item(session, "KN-01")
        an_item(session, "KN-02", on_hand=2)
    receipt = send(office, "/items/receive/file", office.get(f"/items/samples/receipt.{kind}").data, f"receipt.{kind}")
    assert receipt.status_code == 200, words(receipt.text)


def test_there_are_no_other_samples(office: FlaskClient) -> None:
    assert [office.get(f"/items/samples/{name}").status_code for name in ("x.csv", "items.exe", "items")] == [404] * 3
