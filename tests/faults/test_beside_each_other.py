"""Several processes at once: one claim an integration, one stock, one customer a key, no lock that anybody sees."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from monet_web.models import Customer, Invoice, Run
from monet_web.models.base import reading
from monet_web.models.runs import RunKind, RunState
from tests.databases import postgresql_only, sqlite_only
from tests.faults import books
from tests.faults.office import PLENTY, Office, Shop
from tests.faults.processes import Worker, until
from tests.faults.worker_process import Said


def at_once(stack: ExitStack, office: Office, *run_ids: int, wait: bool = False) -> list[tuple[Worker, Said]]:
    """The runs worked by a process each, which begin at the same moment; the processes and what they ended with."""
    workers = [stack.enter_context(office.worker(run_id, wait=wait)) for run_id in run_ids]
    for worker in workers:
        worker.go()
    return [(worker, worker.end()) for worker in workers]


def is_refused_claim(trouble: str) -> bool:
    """The unique index says that another run of the integration is at work."""
    return "unique constraint" in trouble.casefold() and "integration" in trouble


def deadlocks(office: Office) -> int:
    """How many deadlocks PostgreSQL has broken in this database."""
    if not office.database_url.startswith("postgresql"):
        return 0
    with reading(office.session):
        count = office.session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    return int(count or 0)


def test_of_two_terminals_of_one_integration_the_second_waits(office: Office) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", 100) as shop, ExitStack() as stack:
        runs = (office.queued(shop, foreground=True), office.queued(shop, foreground=True))
        ended = at_once(stack, office, *runs, wait=True)
        assert [said.text for _, said in ended] == ["done", "done"]
        first, second = sorted((office.run(run_id) for run_id in runs), key=lambda run: str(run.started_at))
        assert (first.registered, first.already_there) == (100, 0)
        assert (second.registered, second.already_there) == (0, 100)
        troubles = [trouble for worker, _ in ended for trouble in worker.troubles]
        assert troubles, "the second was never refused the claim"
        assert [trouble for trouble in troubles if not is_refused_claim(trouble)] == []
        office.check(runs=runs, whole=(shop,))


@pytest.mark.parametrize("turn", range(2))
def test_two_integrations_never_sell_the_same_piece_and_share_customers(office: Office, turn: int) -> None:
    # 100 orders a store, one line of 1 to 3 pieces of 5 items: about 70 pieces an item are wanted, 30 are there.
    office.receive(5, 30 + turn)
    with (
        office.plain("A", 100, lines=1, skus=5, private_buyers="each") as first,
        office.plain("B", 100, lines=1, skus=5, private_buyers="each") as second,
        ExitStack() as stack,
    ):
        runs = (office.queued(first), office.queued(second))
        ended = at_once(stack, office, *runs)
        assert [said.text for _, said in ended] == ["done", "done"]
        assert [worker.troubles for worker, _ in ended] == [[], []]
        assert deadlocks(office) == 0
        assert set(books.balances(office.session).values()) == {Decimal(0)}
        assert all(said.result["registered"] and said.result["in_journal"] for _, said in ended)
        with reading(office.session):
            emails = office.session.scalars(select(Customer.email)).all()
        assert len(emails) == len(set(emails)) == 100
        office.check(runs=runs, whole=(first, second))


def test_two_integrations_make_the_same_company_and_the_same_item_once(office: Office) -> None:
    made = {"unknown_items": "create", "vat_rate_check": "off"}
    with (
        office.realistic("A", 120, **made) as first,
        office.realistic("B", 120, **made) as second,
        ExitStack() as stack,
    ):
        runs = (office.queued(first), office.queued(second))
        ended = at_once(stack, office, *runs)
        assert [said.text for _, said in ended] == ["done", "done"]
        assert [worker.troubles for worker, _ in ended] == [[], []]
        assert deadlocks(office) == 0
        assert ended[0][1].result == ended[1][1].result
        assert _companies(office, first) == _companies(office, second)
        assert len(_companies(office, first)) > 5
        office.check(runs=runs)


def _companies(office: Office, shop: Shop) -> dict[str, int | None]:
    """External id of an order of a company → its customer."""
    with reading(office.session):
        invoices = office.session.scalars(select(Invoice).where(Invoice.store_id == shop.store_id)).all()
    return {one.external_id: one.customer_id for one in invoices if one.buyer["company_code"] or one.buyer["vat_code"]}


@postgresql_only
def test_customers_that_two_integrations_meet_at_the_same_moment_are_made_once(office: Office) -> None:
    # Without goods there is no stock whose lock would make them take turns.
    with (
        office.plain("A", 40, accounting_type="amounts", private_buyers="each") as first,
        office.plain("B", 40, accounting_type="amounts", private_buyers="each") as second,
    ):
        runs = (office.queued(first), office.queued(second))
        with (
            office.worker(runs[0], stop_before=("INSERT INTO customer_keys", 1)) as late,
            office.worker(runs[1]) as early,
        ):
            late.go()
            late.wait_for("paused")  # it has looked, and knows none of them
            early.go()
            assert early.end().result["registered"] == 40
            late.go()
            assert late.end().result["registered"] == 40
            assert late.troubles == []
        with reading(office.session):
            emails = office.session.scalars(select(Customer.email)).all()
        assert len(emails) == len(set(emails)) == 40
        office.check(runs=runs, whole=(first, second))


@sqlite_only
def test_four_writers_of_one_sqlite_file_see_no_lock(office: Office) -> None:
    office.receive(10, PLENTY)
    with ExitStack() as stack:
        shops = [stack.enter_context(office.plain(name, 80, private_buyers="each")) for name in "ABCD"]
        runs = tuple(office.queued(shop) for shop in shops)
        ended = at_once(stack, office, *runs)
        assert [said.text for _, said in ended] == ["done"] * 4
        assert [worker.troubles for worker, _ in ended] == [[]] * 4
        assert [said.result["registered"] for _, said in ended] == [80] * 4
        office.check(runs=runs, whole=tuple(shops))


def test_checking_again_waits_for_the_import_of_the_same_integration(office: Office) -> None:
    office.receive(10, 0)
    with office.plain("KL", 60) as shop:
        assert office.worked(office.queued(shop)).in_journal == 60
        office.receive(10, PLENTY)
        run_id = office.queued(shop)
        with office.worker(run_id) as importing, office.worker(recheck=shop.integration_id) as checking:
            with shop.held_at_page(3):
                importing.go()
                shop.wait_until_held()
                checking.go()
                # Refused by the unique index, it looks again every half second.
                refused = checking.wait_for("trouble", "ended")
                assert is_refused_claim(refused.text)
                (waiting,) = _of_kind(office, RunKind.RECHECK)
                assert (waiting.state, office.state(run_id)) == (RunState.QUEUED, RunState.RUNNING)
            assert importing.end().result["already_there"] == 60
            assert checking.end().result == {"registered": 60, "waiting": 0}
        (checked,) = _of_kind(office, RunKind.RECHECK)
        assert checked.started_at
        assert checked.started_at > checked.created_at  # its time does not stand still while it waits
        office.check(runs=(run_id,), whole=(shop,))


def test_an_import_waits_for_checking_again(office: Office) -> None:
    office.receive(10, 0)
    with office.plain("KL", 60) as shop:
        assert office.worked(office.queued(shop)).in_journal == 60
        office.receive(10, PLENTY)
        run_id = office.queued(shop, foreground=True)
        with (
            office.worker(recheck=shop.integration_id, stop_before=("SELECT company", 1)) as checking,
            office.worker(run_id, wait=True) as importing,
        ):
            checking.go()
            checking.wait_for("paused")
            importing.go()
            until(lambda: office.state(run_id) is RunState.QUEUED, "the import waits")
            checking.go()
            assert checking.end().result == {"registered": 60, "waiting": 0}
            assert importing.end().result["already_there"] == 60
        office.check(runs=(run_id,), whole=(shop,))


def _of_kind(office: Office, kind: RunKind) -> list[Run]:
    with reading(office.session):
        query = select(Run).where(Run.kind == kind).execution_options(populate_existing=True)
        return list(office.session.scalars(query))
