"""`monet items` and `monet customers`: columns of any name, a dry run, good rows alone; two of them merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from monet_web.models import Customer
from tests.cli.conftest import Monet

EXPORT = "Item no.;Title;Colour\nKN-01;Notebook;red\n;No code;\nPU-1;Cup;\n"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT)
    return path


MAPS = ("--map", "Item no.=code", "--map", "Title=name", "--map", "Colour=")


def test_a_dry_run_names_every_wrong_row_and_writes_nothing(monet: Monet, export: Path) -> None:
    said = monet("items", "import", export, *MAPS, "--dry-run", code=2).output
    assert "2 items would be added, 0 changed, 0 aliases added; 0 are so already." in said
    assert "2 good rows; 1 row can't be used:" in said
    assert "Row 3: It has no code." in said
    assert "0 items" not in monet("items", "import", export, *MAPS, "--good-only", "--dry-run").output.split(";")[0]
    assert "2 items added" in monet("items", "import", export, *MAPS, "--good-only").output


def test_a_file_with_a_wrong_row_is_refused_whole_unless_told_otherwise(monet: Monet, export: Path) -> None:
    assert "Row 3: It has no code." in monet("items", "import", export, *MAPS, code=2).output
    said = monet("items", "import", export, *MAPS, "--good-only").output
    assert "2 items added, 0 changed, 0 the same; 0 new aliases." in said
    assert "1 row left out." in said


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (["Item no.=code", "Title=name"], 'Say what it is with --map "colour=FIELD"'),
        (["Item no.=code", "Title=name", "Colour=paint"], "paint is no field."),
        (["Item no.=code", "Nothing=name"], "The file has no column Nothing."),
        (["Item no.=code", "Title=code", "Colour="], "Two columns are code."),
        (["Title=name", "Item no.=", "Colour="], "No column is the item's code."),
        (["Title"], "is not COLUMN=FIELD"),
    ],
)
def test_a_map_that_can_t_be_says_what_to_type(monet: Monet, export: Path, maps: list[str], said: str) -> None:
    options = [part for each in maps for part in ("--map", each)]
    assert said in monet("items", "import", export, *options, code=2).output


def test_two_items_are_merged_after_a_yes(monet: Monet, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("code,name\nKN-01,Notebook\nKN-1,Notebook\n")
    monet("items", "import", path)
    assert "Type --yes" in monet("items", "merge", "kn-1", "KN-01", code=2).output
    assert "KN-1 is KN-01 from now on." in monet("items", "merge", "kn-1", "KN-01", "--yes").output
    assert "There is no item with the code KN-1." in monet("items", "merge", "KN-1", "KN-01", code=2).output


def some_customers(home: Path) -> None:
    engine = create_engine(f"sqlite:///{home / 'monet.sqlite3'}")
    with Session(engine) as session:
        session.add_all(
            [
                Customer(name="UAB Šviesa", is_company=True, vat_code="LT100001738313"),
                Customer(name="Sviesa, UAB", is_company=True, company_code="304123455"),
                Customer(name="Ona Onaitė", email="ona@example.com"),
            ]
        )
        session.commit()
    engine.dispose()


def test_customers_are_listed_and_found(monet: Monet, home: Path) -> None:
    assert "No customers yet." in monet("customers", "list").output
    some_customers(home)
    rows = json.loads(monet("customers", "list", "--json").output)
    assert [row["name"] for row in rows] == ["Ona Onaitė", "Sviesa, UAB", "UAB Šviesa"]
    assert "UAB Šviesa" in monet("customers", "list", "šVIESA").output
    assert "Ona" not in monet("customers", "list", "--companies").output
    assert "No customer has these words." in monet("customers", "list", "nobody").output


def test_two_customers_are_merged_after_a_yes(monet: Monet, home: Path) -> None:
    some_customers(home)
    assert "Type --yes" in monet("customers", "merge", "304123455", "UAB Šviesa", code=2).output
    said = monet("customers", "merge", "304123455", "UAB Šviesa", "--yes").output
    assert "The two are UAB Šviesa from now on. No invoice was changed." in said
    (row,) = json.loads(monet("customers", "list", "--companies", "--json").output)
    assert (row["vat_code"], row["company_code"]) == ("LT100001738313", "304123455")
    assert "private person" in monet("customers", "merge", "#3", "#1", "--yes", code=2).output
