"""Journals: what waits and why, what a person does about it, numbers in conflict, orders left out by hand."""

from monet_web.blueprints.journals import acting, conflicts, left_out, mending, views
from monet_web.blueprints.journals.blueprint import journals

__all__ = ["acting", "conflicts", "journals", "left_out", "mending", "views"]
