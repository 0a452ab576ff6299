"""A run as one tick of a strip, and a strip in words."""

from __future__ import annotations

from collections.abc import Sequence

from monet_web.blueprints.runs.texts import _, joined
from monet_web.models.runs import Run, RunState


def kind(run: Run) -> str:
    """registered | journal | failed | skipped."""
    if run.state is RunState.FAILED:
        return "failed"
    if run.state is RunState.STOPPED:
        return "skipped"
    if run.conflict or run.unreadable:
        return "failed"
    return "journal" if run.in_journal else "registered"


def told(kinds: Sequence[str]) -> str:
    """`3 clean and 1 failed or need a person`, for those who do not see them."""
    if not kinds:
        return _("no run yet")
    words = (
        ("registered", _("%(num)s clean")),
        ("journal", _("%(num)s with invoices in a journal")),
        ("failed", _("%(num)s failed or need a person")),
        ("skipped", _("%(num)s stopped")),
    )
    return joined(text.replace("%(num)s", str(kinds.count(kind))) for kind, text in words if kind in kinds)
