"""The next run of an integration as the command line says it, in the company's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from monet_web.models import Integration


@dataclass(frozen=True, slots=True)
class Coming:
    """`at`, `start` and `end` are the company's; None where nothing comes by itself."""

    when: str
    obstacle: str
    at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None

    def sentence(self) -> str:
        """`2026-11-24 14:35, imports 2026-11-23 00:00 until 2026-11-24 14:35`."""
        if self.start is None or self.end is None:
            return self.when
        return f"{self.when}, imports {_time(self.start)} until {_time(self.end)}"

    def as_json(self) -> dict[str, str | None] | None:
        """None when it never runs by itself."""
        if self.obstacle in ("switched_off", "frequency_off"):
            return None
        times = {"at": self.at, "start": self.start, "end": self.end}
        return {
            **{key: None if each is None else each.isoformat() for key, each in times.items()},
            "obstacle": self.obstacle or None,
        }


def of_each(session: Session, integrations: Sequence[Integration], *, now: datetime) -> list[Coming]:
    """The next run of each of these, in their order. Inside a transaction."""
    from monet_web.services.opening.plan import zone_of
    from monet_web.services.running.next_runs import NextRun, Obstacle, next_runs

    zone, found = zone_of(session), next_runs(session, now=now)
    words = {
        Obstacle.SWITCHED_OFF: "none: it is switched off",
        Obstacle.FREQUENCY_OFF: "none: it runs when you launch it",
        Obstacle.UNREADABLE: "none: its settings can't be read",
        Obstacle.REFUSED: "waits for a new key",
        Obstacle.TRIED_AGAIN: "tries again {at}",
        Obstacle.QUEUED: "due since {at}, waits for a worker",
        Obstacle.OVERDUE: "overdue since {at}",
    }
    said = []
    for one in integrations:
        coming = found.get(one.id) or NextRun(one.id, Obstacle.FREQUENCY_OFF)
        at = None if coming.at is None else coming.at.astimezone(zone)
        default = (
            "{at}" if at is not None else "after the run at work" if coming.obstacle else "planned within a minute"
        )
        window = coming.window
        said.append(
            Coming(
                words.get(coming.obstacle, default).format(at="" if at is None else _time(at)),
                coming.obstacle.value,
                at,
                None if window is None else window.start.astimezone(zone),
                None if window is None else window.end.astimezone(zone),
            )
        )
    return said


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
