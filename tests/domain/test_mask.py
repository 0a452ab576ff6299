"""Which integrations a mask means (C2)."""

from __future__ import annotations

import unicodedata

import pytest

from monet_web.domain.mask import Named, fold, matches

KNOWN = [Named("KL"), Named("KL Outlet"), Named("Žuvys"), Named("B2B", available=False), Named("K_1"), Named("50% off")]


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("%", ["KL", "KL Outlet", "Žuvys", "K_1", "50% off"]),
        ("KL", ["KL"]),
        ("kl", ["KL"]),
        ("  kl  ", ["KL"]),
        ("KL%", ["KL", "KL Outlet"]),
        ("%outlet", ["KL Outlet"]),
        ("k_", ["KL"]),
        ("K__", ["K_1"]),
        ("k_1", ["K_1"]),
        ("žUVYS", ["Žuvys"]),
        ("50% off", ["50% off"]),
        ("B2B", ["B2B"]),
        ("b2b", ["B2B"]),
        ("B2_", []),
        ("B%", []),
        ("Žuvys, KL", ["KL", "Žuvys"]),
        ("KL, KL%, kl", ["KL", "KL Outlet"]),
        ("KL,,", ["KL"]),
        ("K.", []),
        ("[K]L", []),
        ("nobody", []),
        ("", []),
        (" , ", []),
    ],
)
def test_a_mask_means_these_integrations(mask: str, names: list[str]) -> None:
    assert matches(mask, KNOWN) == names


def test_a_name_that_looks_like_a_pattern_means_itself_alone() -> None:
    assert matches("K_1", [Named("K_1"), Named("KX1")]) == ["K_1"]
    assert matches("K_1", [Named("KX1")]) == ["KX1"]


def test_an_exact_name_wins_also_when_it_is_switched_off() -> None:
    assert matches("K_", [Named("K_", available=False), Named("KL")]) == ["K_"]


def test_letters_typed_in_two_ways_are_the_same() -> None:
    decomposed = unicodedata.normalize("NFD", "Žuvys")
    assert decomposed != "Žuvys"
    assert matches(decomposed, KNOWN) == ["Žuvys"]
    assert fold(f" {decomposed} ") == "žuvys"


def test_a_pattern_covers_a_name_with_a_line_break() -> None:
    assert matches("K%L", [Named("K\nL")]) == ["K\nL"]
