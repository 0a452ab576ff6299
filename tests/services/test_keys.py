"""Keys rotated: afterwards the new key alone opens everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import NeedsOwner
from monet_web.models import Integration, User
from monet_web.models.base import reading, sealer, writing
from monet_web.models.users import Role
from monet_web.services.office import keys
from tests.builders import NOON, an_integration
from tests.databases import OTHER_KEY, TEST_KEY


@pytest.fixture(autouse=True)
def _own_keys(session: Session) -> Iterator[None]:
    sealer.bind([TEST_KEY])
    yield
    sealer.bind([TEST_KEY])


def test_after_a_rotation_the_new_key_alone_opens_every_secret(session: Session) -> None:
    with writing(session):
        for number in range(3):
            an_integration(session, f"Shop {number}", secrets={"key": f"ck_{number}"})
        session.add(User(email="a@b.lt", role=Role.OFFICE, second_factor={"totp": "x"}, created_at=NOON))
    sealer.bind([OTHER_KEY, TEST_KEY])
    assert keys.rotate(session, now=NOON, actor="test") == {"users": 1, "integrations": 3, "connection_tests": 0}
    sealer.bind([OTHER_KEY])
    session.expunge_all()
    with reading(session):
        secrets = session.scalars(select(Integration.secrets).order_by(Integration.id)).all()
        factor = session.scalars(select(User.second_factor)).one()
    assert secrets == [{"key": "ck_0"}, {"key": "ck_1"}, {"key": "ck_2"}]
    assert factor == {"totp": "x"}


def test_with_a_key_missing_nothing_is_changed(session: Session) -> None:
    with writing(session):
        an_integration(session, "Shop", secrets={"key": "ck_1"})
    sealer.bind([OTHER_KEY])
    with pytest.raises(NeedsOwner):
        keys.rotate(session, now=NOON, actor="test")
    sealer.bind([TEST_KEY])
    with reading(session):
        assert session.scalars(select(Integration.secrets)).one() == {"key": "ck_1"}
