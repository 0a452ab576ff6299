"""Journals: what waits and why, what a person does about it, numbers in conflict, orders left out by hand."""

from monet_web.blueprints.journals import (
    acting,
    changed,
    checking,
    conflicts,
    correcting,
    invoice,
    left_out,
    mending,
    questions,
    refund,
    settling,
    unsettled,
    vat,
    views,
)
from monet_web.blueprints.journals.blueprint import journals

__all__ = [
    "acting", "changed", "checking", "conflicts", "correcting", "invoice", "journals", "left_out", "mending",
    "questions", "refund", "settling", "unsettled", "vat", "views",
]  # fmt: skip
