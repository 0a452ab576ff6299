"""`monet timetable`: the slots of days with what each imports."""

from __future__ import annotations

from tests.cli.conftest import Monet, said

DAY = ("--from", "2026-03-29", "--to", "2026-03-29")  # in Vilnius clocks are put forward at 03:00


def add(monet: Monet, name: str, *settings: str) -> None:
    monet("integrations", "add", name, "--platform", "scripted", "--set", f"address={name}", *settings)


def test_slots_are_json_with_offsets(monet: Monet) -> None:
    add(monet, "Kava", "frequency=daily")
    assert said(monet("timetable", "kava", *DAY, "--json")) == [
        {
            "integration": "Kava",
            "at": "2026-03-29T04:13:00+03:00",
            "start": "2026-03-26T00:00:00+02:00",
            "end": "2026-03-29T04:13:00+03:00",
        }
    ]


def test_all_that_run_by_themselves_are_listed_and_the_rest_is_named(monet: Monet) -> None:
    add(monet, "Kava", "frequency=hours")
    add(monet, "Arbata")
    shown = monet("timetable", *DAY)
    assert shown.stdout.count("Kava") == 12
    assert "2026-03-29 07:00  2026-03-28 00:00  2026-03-29 07:00" in shown.stdout
    assert "Arbata does not run by itself: its frequency is off." in shown.stderr


def test_days_in_the_wrong_order_and_names_that_are_none_are_said(monet: Monet) -> None:
    add(monet, "Kava", "frequency=weekly")
    assert "None runs by itself on these days." in monet("timetable", *DAY).stdout
    assert "Type --from first" in monet("timetable", "--from", "2026-03-29", "--to", "2026-03-28", code=2).stderr
    assert "Is it Kava?" in monet("timetable", "kavaa", *DAY, code=2).stderr
