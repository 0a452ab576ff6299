"""Journals: what waits and why, what a person does about it, numbers in conflict, orders left out by hand."""

from monet_web.blueprints.journals import acting, checking, conflicts, left_out, mending, questions, settling, views
from monet_web.blueprints.journals.blueprint import journals

__all__ = [
    "acting", "checking", "conflicts", "journals", "left_out", "mending", "questions", "settling", "views",
]  # fmt: skip
