"""What docs/adapter.md promises of every adapter."""

import os
import subprocess
import threading
import uuid

import grpc
import pytest

import contract
import mute
import running
from contract import KEY
from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import step_pb2, transfer_pb2


# Whose target it is.


def a_new_target_says_that_it_has_applied_nothing_and_is_nobodys(fresh):
    progress = fresh.stub.GetProgress(proto.GetProgressRequest())
    assert not progress.HasField("cursor") and not progress.HasField("identity")
    assert progress.contract_version == 1
    assert progress.target


def a_target_nobody_has_claimed_takes_no_batch(fresh):
    journal = contract.Journal(fresh.stub, claim=False)
    found = contract.refused(fresh.stub.ApplyUpdates, journal.batch(journal.steps(None)))
    contract.assert_refused(found, "FAILED_PRECONDITION", "TARGET_MISMATCH")
    assert not journal.progress().HasField("cursor")


def a_target_is_claimed_once_and_says_by_whom(fresh):
    journal = contract.Journal(fresh.stub)
    other = proto.TargetIdentity(journal_id=str(uuid.uuid4()), database="another")
    assert journal.claim(identity=other).identity == journal.identity
    assert journal.progress().identity == journal.identity


def a_claim_of_somebody_who_saw_another_cursor_is_refused(journal):
    journal.apply(None)
    request = proto.ClaimTargetRequest(identity=journal.identity)
    found = contract.refused(journal.stub.ClaimTarget, request)
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")


def a_claim_without_a_journal_or_a_name_is_refused_by_its_fields(journal):
    found = contract.refused(journal.stub.ClaimTarget, proto.ClaimTargetRequest())
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert found.fields == ["identity.journal_id", "identity.database"]


def a_batch_for_another_database_is_refused_and_names_the_target(journal):
    batch = journal.batch(journal.steps(None), database="rallypay")
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "TARGET_MISMATCH")
    assert found.metadata["target"] == journal.progress().target
    assert journal.progress().cursor.position == journal.position


# The place of a batch.


def an_empty_step_moves_only_the_cursor(journal):
    assert journal.apply(None, None) == {}
    assert journal.progress().cursor == journal.cursor


def a_gap_is_refused_and_says_where_the_target_is(journal):
    journal.apply(None)
    steps = journal.steps(None, None)[1:]
    found = contract.refused(journal.stub.ApplyUpdates, journal.batch(steps))
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")
    assert found.metadata == {
        "cursor_journal_id": journal.id,
        "cursor_position": str(journal.position),
        "cursor_hash": journal.cursor.row_hash.hex(),
    }
    assert journal.progress().cursor == journal.cursor


def a_batch_that_comes_again_is_refused_and_changes_nothing(adapter, journal):
    payment = adapter.payment()
    batch = journal.batch(journal.steps(contract.returns(payment)))
    journal.send(batch)
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")
    assert adapter.changes(payment) == 1
    assert journal.progress().exceptions == []


def a_batch_that_begins_before_the_cursor_is_refused_whole(adapter, journal):
    first = journal.batch(journal.steps(None))
    journal.send(first)
    payment = adapter.payment()
    steps = [*first.steps, *journal.steps(contract.returns(payment))]
    batch = journal.batch(steps, previous_hash=first.previous_hash)
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")
    assert journal.apply(contract.returns(payment)) == {}


def another_journal_is_refused(journal):
    journal.apply(None)
    batch = journal.batch(journal.steps(None), journal_id=str(uuid.uuid4()))
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "JOURNAL_MISMATCH")
    assert found.metadata["cursor_journal_id"] == journal.id


def the_same_journal_with_another_past_is_refused(journal):
    journal.apply(None)
    other = contract.row_hash(journal.id, journal.position, "another past")
    for previous in (other, b""):
        batch = journal.batch(journal.steps(None), previous_hash=previous)
        found = contract.refused(journal.stub.ApplyUpdates, batch)
        contract.assert_refused(found, "FAILED_PRECONDITION", "HASH_MISMATCH")
        assert found.metadata["cursor_hash"] == journal.cursor.row_hash.hex()


def the_first_batch_has_no_past(fresh):
    journal = contract.Journal(fresh.stub)
    batch = journal.batch(journal.steps(None), previous_hash=contract.row_hash(journal.id, 0))
    found = contract.refused(fresh.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "HASH_MISMATCH")
    assert found.metadata == {}


def the_journal_is_compared_before_the_position_and_that_before_the_hash(journal):
    journal.apply(None)
    steps = journal.steps(None, None)[1:]
    wrong = dict(previous_hash=b"", database="another")
    other = dict(journal_id=str(uuid.uuid4()))
    for more, reason in ((other, "JOURNAL_MISMATCH"), ({}, "CURSOR_MISMATCH")):
        batch = journal.batch(steps, **(wrong | more))
        assert contract.refused(journal.stub.ApplyUpdates, batch).reason == reason


# A batch that cannot be read.


@pytest.mark.parametrize("version", [0, 2])
def another_version_of_the_contract_is_refused(journal, version):
    batch = journal.batch(journal.steps(None), contract_version=version)
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert found.fields == ["contract_version"]


def positions_follow_one_another_within_a_batch(journal):
    first, _, third = journal.steps(None, None, None)
    for steps in ([first, third], [first, first]):
        found = contract.refused(journal.stub.ApplyUpdates, journal.batch(steps))
        contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
        assert found.fields == ["steps[1].position"]
    assert journal.progress().cursor.position == journal.position


def a_batch_has_1_to_10000_steps(journal):
    for count in (0, 10_001):
        batch = journal.batch(journal.steps(*[None] * count))
        found = contract.refused(journal.stub.ApplyUpdates, batch)
        contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
        assert found.fields == ["steps"]
    assert journal.apply(*[None] * 10_000) == {}


def everything_that_is_wrong_is_named_by_its_field(journal):
    steps = journal.steps(contract.fails(""), contract.reverses("TR1", "RV1", 0), None)
    steps[0].row_hash = b"short"
    steps[1].reverse_transfer.expected.Clear()
    steps[2].blocked_reason = "nothing to block"
    batch = journal.batch(steps, journal_id="no journal", previous_hash=b"short")
    found = contract.refused(journal.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert sorted(found.fields) == [
        "journal_id",
        "previous_hash",
        "steps[0].fail_transfer.transfer_id",
        "steps[0].row_hash",
        "steps[1].reverse_transfer.expected.state",
        "steps[1].reverse_transfer.reversal.amount_minor",
        "steps[2].blocked_reason",
    ]


def twenty_faults_of_a_request_are_enough(journal):
    steps = journal.steps(*[contract.fails("") for _ in range(30)])
    found = contract.refused(journal.stub.ApplyUpdates, journal.batch(steps))
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert len(found.fields) == 20


# Changes.


def a_batch_may_be_larger_than_what_grpc_takes_by_default(adapter, journal):
    payments = [adapter.payment() for _ in range(12)]
    changes = [contract.fails(payment) for payment in payments]
    for change in changes:
        change.fail_transfer.raw_json = '"' + "x" * 500_000 + '"'
    assert journal.apply(*changes) == {}


def a_payment_fails(adapter, journal):
    payment = adapter.payment()
    steps = journal.steps(contract.fails(payment))
    assert journal.send(journal.batch(steps)) == {}
    assert journal.missing(steps) == {}
    assert adapter.changes(payment) == 1


def a_payment_is_returned(adapter, journal):
    payment = adapter.payment("SUCCEEDED")
    steps = journal.steps(contract.returns(payment, "SUCCEEDED"))
    assert journal.send(journal.batch(steps)) == {}
    assert journal.missing(steps) == {}
    assert adapter.changes(payment) == 1


def a_payment_is_reversed_by_a_new_transfer(adapter, journal):
    payment = adapter.payment("SUCCEEDED", amount=777)
    steps = journal.steps(contract.reverses(payment, f"RV{payment}", 777))
    assert journal.send(journal.batch(steps)) == {}
    assert journal.missing(steps) == {}
    assert adapter.changes(payment) == 1
    # RallyPay's app has no row for it.
    assert adapter.rows(f"RV{payment}") == (adapter.name != "rallypay")


def a_reversal_that_is_there_already_is_not_inserted_twice(adapter, journal):
    payment = adapter.payment("SUCCEEDED", amount=777)
    reverse = contract.reverses(payment, f"RV{payment}", 777)
    found = journal.apply(reverse, reverse)
    second = journal.position
    assert [*found] == [second] and found[second][0] in ("REFUSED", "MOVED_ON")
    assert adapter.changes(payment) == 1


def the_whole_life_of_a_return_fits_into_one_batch(adapter, journal):
    payment = adapter.payment("SUCCEEDED", amount=777)
    reversal, restoration, again = f"RV{payment}", f"RS{payment}", f"RA{payment}"
    steps = journal.steps(
        contract.reverses(payment, reversal, 777),
        contract.releases(reversal, payment),
        contract.restores(payment, restoration, reversal, 777),
        contract.releases(restoration, payment),
        contract.reapplies(payment, again, restoration, 777),
        contract.releases(again, payment),
    )
    assert journal.send(journal.batch(steps)) == {}
    first = steps[0].position
    assert journal.missing(steps, followed=[first, first + 1, first + 2, first + 3]) == {}


def a_restoration_needs_what_it_undoes(adapter, journal):
    payment = adapter.payment("SUCCEEDED", amount=777)
    found = journal.apply(contract.restores(payment, f"RS{payment}", "RVmissing", 777))
    kind, _ = found[journal.position]
    assert kind == ("MOVED_ON" if adapter.name == "rallypay" else "NOT_FOUND")
    assert adapter.changes(payment) == 0


# Steps that change nothing.


def a_payment_that_has_moved_on_stays_as_it_is(adapter, journal):
    payments = [adapter.payment("SUCCEEDED") for _ in range(3)]
    adapter.change(payments[1], "CANCELED")
    found = journal.apply(*[contract.returns(payment, "SUCCEEDED") for payment in payments])
    second = journal.position - 1
    assert [*found] == [second]
    kind, message = found[second]
    assert kind == "MOVED_ON" and payments[1] in message and "CANCELED" in message.upper()
    assert [adapter.changes(payment) for payment in payments] == [1, 0, 1]


def a_system_of_record_compares_the_state_that_was_decided_on(record, journal):
    payment = record.payment("SUCCEEDED")
    found = journal.apply(contract.returns(payment, "PENDING"))
    assert found[journal.position][0] == "MOVED_ON"
    assert record.changes(payment) == 0


def a_system_of_record_compares_the_amount_of_a_reversal(record, journal):
    payment = record.payment("SUCCEEDED", amount=777)
    found = journal.apply(contract.reverses(payment, f"RV{payment}", 778))
    assert found[journal.position][0] == "MOVED_ON"
    assert record.changes(payment) == 0 and record.rows(f"RV{payment}") == 0


def a_deposit_that_the_target_does_not_record_is_not_guessed(record, journal):
    payment = record.payment("SUCCEEDED")
    change = contract.returns(payment, "SUCCEEDED")
    change.return_transfer.expected.in_deposit = True
    found = journal.apply(change)
    assert found[journal.position][0] == "MOVED_ON"
    assert record.changes(payment) == 0


def a_mirror_may_be_behind_the_state_that_was_decided_on(adapter, journal):
    if not adapter.is_mirror:
        pytest.skip("a system of record")
    payment = adapter.payment("PENDING")
    assert journal.apply(contract.returns(payment, "SUCCEEDED")) == {}
    assert adapter.changes(payment) == 1


def a_payment_that_is_missing_is_an_exception(journal):
    found = journal.apply(None, contract.returns("TRmissing"), None)
    second = journal.position - 1
    assert [*found] == [second]
    kind, message = found[second]
    assert kind == "NOT_FOUND" and "TRmissing" in message


@pytest.mark.parametrize("how", ["TRrefuse", "TRignore", "TRundo", "TRlate"])
def a_row_that_the_database_refuses_stops_nothing_around_it(adapter, journal, how):
    payments = [adapter.payment(), adapter.payment(prefix=how), adapter.payment()]
    found = journal.apply(*[contract.returns(payment) for payment in payments])
    second = journal.position - 1
    assert [*found] == [second]
    kind, message = found[second]
    assert kind == "REFUSED" and message
    # A database's message may quote an account number.
    assert "123456789" not in message
    assert [adapter.changes(payment) for payment in payments] == [1, 0, 1]
    assert contract.by_position(journal.progress().exceptions) == found
    assert journal.progress().cursor == journal.cursor


def a_blocked_change_is_not_made_and_says_why(adapter, journal):
    payment = adapter.payment()
    why = "the return at 17 had no effect here"
    found = journal.apply(contract.blocked(contract.returns(payment), why))
    assert found == {journal.position: ("MOVED_ON", why)}
    assert adapter.changes(payment) == 0


def a_transfer_is_released_once(record, journal):
    payment = record.payment("SUCCEEDED", amount=777)
    reversal = f"RV{payment}"
    release = contract.releases(reversal, payment)
    found = journal.apply(contract.reverses(payment, reversal, 777), release, release)
    assert [*found] == [journal.position]
    assert found[journal.position][0] == "MOVED_ON"


def a_transfer_that_can_never_be_settled_is_refused(record, journal):
    payment = record.payment("SUCCEEDED", amount=777)
    reversal = f"RV{payment}"
    journal.apply(contract.reverses(payment, reversal, 777))
    record.change(reversal, "CANCELED")
    found = journal.apply(contract.releases(reversal, payment))
    assert found[journal.position][0] == "REFUSED"


def a_release_of_a_transfer_that_is_missing_is_an_exception(record, journal):
    found = journal.apply(contract.releases("RVmissing", "TRmissing"))
    assert found[journal.position][0] == "NOT_FOUND"


# Progress.


def exceptions_are_read_again_page_by_page(journal):
    sent = journal.apply(*[contract.returns(f"TRmissing{n}") for n in range(5)])
    after, read = journal.position - 5, {}
    while True:
        page = journal.progress(after, limit=2)
        assert len(page.exceptions) <= 2
        read |= contract.by_position(page.exceptions)
        if not page.has_more:
            break
        after = page.exceptions[-1].position
    assert read == sent
    assert journal.progress(after=journal.position).exceptions == []
    assert journal.progress(after=2**64 - 1).exceptions == []


# Verification.


def what_no_longer_shows_is_reported(adapter, journal):
    payments = [adapter.payment("PENDING"), adapter.payment("PENDING")]
    steps = journal.steps(*[contract.returns(payment) for payment in payments])
    journal.send(journal.batch(steps))
    adapter.change(payments[1], "SUCCEEDED")
    missing = journal.missing(steps)
    assert [*missing] == [steps[1].position]
    assert payments[1] in missing[steps[1].position]


def what_a_later_step_has_overwritten_is_not_missed(adapter, journal):
    payment = adapter.payment("SUCCEEDED", amount=777)
    reversal, restoration = f"RV{payment}", f"RS{payment}"
    steps = journal.steps(
        contract.reverses(payment, reversal, 777),
        contract.restores(payment, restoration, reversal, 777),
    )
    journal.send(journal.batch(steps))
    assert journal.missing(steps, followed=[steps[0].position]) == {}


def a_step_without_a_change_cannot_be_verified(journal):
    step = proto.AppliedStep(step=journal.steps(None)[0])
    request = proto.VerifyUpdatesRequest(steps=[step])
    found = contract.refused(journal.stub.VerifyUpdates, request)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert found.fields == ["steps[0].step.change"]


# Looking up.


def look_up(journal, *keys, identity=True):
    keys = [transfer_pb2.TransferKey(kind=kind, value=value) for kind, value in keys]
    meant = journal.identity if identity else None
    request = proto.LookupTransfersRequest(keys=keys, identity=meant)
    return journal.stub.LookupTransfers(request, timeout=20)


look_up.__test__ = False


def a_mirror_may_say_that_it_has_no_look_up(adapter, journal):
    if not adapter.is_mirror:
        pytest.skip("a system of record")
    request = proto.LookupTransfersRequest()
    found = contract.refused(journal.stub.LookupTransfers, request)
    contract.assert_refused(found, "UNIMPLEMENTED", "NO_LOOKUP")


def each_key_finds_its_transfer_in_the_order_of_the_keys(record, journal):
    ids = dict(payment_id="83986824170138000", ach_trace="091000010000001", individual_id="ID1")
    first = record.payment("SUCCEEDED", amount=777, trace_id="FNXa", **ids)
    second = record.payment("PENDING", amount=888, trace_id="FNXb")
    answer = look_up(
        journal,
        (KEY.TRANSFER_KEY_KIND_TRANSFER_ID, second),
        (KEY.TRANSFER_KEY_KIND_TRACE_ID, "FNXa"),
        (KEY.TRANSFER_KEY_KIND_PAYMENT_ID, "83986824170138000"),
        (KEY.TRANSFER_KEY_KIND_ACH_TRACE, "091000010000001"),
        (KEY.TRANSFER_KEY_KIND_INDIVIDUAL_ID, "ID1"),
        (KEY.TRANSFER_KEY_KIND_TRACE_ID, "FNXnobody"),
        (KEY.TRANSFER_KEY_KIND_TRANSFER_ID, second),
    )
    found = [[one.id for one in match.transfers] for match in answer.matches]
    assert found == [[second], [first], [first], [first], [first], [], [second]]
    assert answer.funding_policy == transfer_pb2.FUNDING_POLICY_STATE
    transfer = answer.matches[1].transfers[0]
    assert transfer.amount_minor == 777 and transfer.currency == "USD"
    assert transfer.type == transfer_pb2.TRANSFER_TYPE_DEBIT
    assert transfer.state == transfer_pb2.TRANSFER_STATE_SUCCEEDED
    assert transfer.ach_trace == "091000010000001" and transfer.merchant_identity == "MU1"
    assert not transfer.unreadable


def an_ambiguous_key_lists_ten_transfers_and_says_that_there_are_more(record, journal):
    for _ in range(10):
        record.payment(payment_id="several")
    key = KEY.TRANSFER_KEY_KIND_PAYMENT_ID, "several"
    (match,) = look_up(journal, key).matches
    assert len(match.transfers) == 10 and not match.more
    record.payment(payment_id="several")
    (match,) = look_up(journal, key).matches
    assert len(match.transfers) == 10 and match.more


def a_transfer_lists_its_reversals(record, journal):
    payment = record.payment("SUCCEEDED", amount=777)
    journal.apply(contract.reverses(payment, f"RV{payment}", 777))
    (match,) = look_up(journal, (KEY.TRANSFER_KEY_KIND_TRANSFER_ID, payment)).matches
    assert match.transfers[0].reversal_ids == [f"RV{payment}"]


def a_row_that_cannot_be_used_is_found_and_says_why(record, journal):
    payment = record.payment("SUCCEEDED", amount=0)
    (match,) = look_up(journal, (KEY.TRANSFER_KEY_KIND_TRANSFER_ID, payment)).matches
    assert "amount" in match.transfers[0].unreadable


def a_key_without_a_kind_or_a_value_is_refused_by_its_field(record, journal):
    keys = [transfer_pb2.TransferKey(kind=1, value="TR1"), transfer_pb2.TransferKey()]
    request = proto.LookupTransfersRequest(keys=keys)
    found = contract.refused(journal.stub.LookupTransfers, request)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert sorted(found.fields) == ["keys[1].kind", "keys[1].value"]


def more_than_10000_keys_are_refused(record, journal):
    keys = [transfer_pb2.TransferKey(kind=1, value="TR1")] * 10_001
    found = contract.refused(journal.stub.LookupTransfers, proto.LookupTransfersRequest(keys=keys))
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert found.fields == ["keys"]


def a_look_up_that_means_another_target_is_refused(record, journal):
    other = proto.TargetIdentity(journal_id=journal.id, database="rallypay")
    request = proto.LookupTransfersRequest(identity=other)
    found = contract.refused(journal.stub.LookupTransfers, request)
    contract.assert_refused(found, "FAILED_PRECONDITION", "TARGET_MISMATCH")
    assert found.metadata["target"]


def a_look_up_waits_until_the_target_is_claimed(record, fresh):
    journal = contract.Journal(fresh.stub, claim=False)
    request = proto.LookupTransfersRequest(identity=journal.identity)
    found = contract.refused(fresh.stub.LookupTransfers, request)
    contract.assert_refused(found, "ABORTED", "TARGET_BUSY")
    # Without an identity it is only a question.
    assert look_up(journal, identity=False).funding_policy


# The check.


def a_target_that_fits_is_said_to_fit(adapter, journal):
    found = journal.stub.CheckTarget(proto.CheckTargetRequest())
    assert found.ok and found.faults == [] and not found.read_only
    assert found.target and found.database_version and found.adapter_version
    assert abs(found.adapter_time.seconds - found.database_time.seconds) < 60
    policies = transfer_pb2.FUNDING_POLICY_UNSPECIFIED, transfer_pb2.FUNDING_POLICY_STATE
    assert found.funding_policy == policies[not adapter.is_mirror]


def a_column_that_is_missing_is_a_fault_and_stops_batches(adapter, journal):
    payment = adapter.payment()
    column, table = adapter.kind.state, adapter.kind.table
    adapter.query(f"ALTER TABLE {table} RENAME COLUMN {column} TO renamed")
    try:
        found = journal.stub.CheckTarget(proto.CheckTargetRequest())
        assert not found.ok and column in found.faults[0]
        batch = journal.batch(journal.steps(contract.returns(payment)))
        error = contract.refused(journal.stub.ApplyUpdates, batch)
        # Not an exception: a return must not be passed because of a mistake in the schema.
        contract.assert_refused(error, "FAILED_PRECONDITION", "MAPPING_FAULT")
    finally:
        adapter.query(f"ALTER TABLE {table} RENAME COLUMN renamed TO {column}")
    assert journal.apply(contract.returns(payment)) == {}
    assert adapter.changes(payment) == 1


def another_writer_is_waited_for_and_then_named(adapter, journal):
    payment = adapter.payment()
    with adapter.database() as db:
        db.execute("BEGIN IMMEDIATE")
        batch = journal.batch(journal.steps(contract.returns(payment)))
        found = contract.refused(journal.stub.ApplyUpdates, batch)
        contract.assert_refused(found, "ABORTED", "TARGET_BUSY")
        db.execute("ROLLBACK")
    assert journal.send(batch) == {}
    assert adapter.changes(payment) == 1


# Adoption.


def adopt(journal, position, **other):
    new = step_pb2.Cursor(journal_id=journal.id, position=position)
    if position:
        new.row_hash = contract.row_hash(journal.id, position)
    who = dict(adoption_id=str(uuid.uuid4()), actor="ann", reason="a test", database=contract.DATABASE)
    ask = dict(expected_cursor=journal.cursor, new_cursor=new) | who | other
    return proto.AdoptCursorRequest(**ask)


adopt.__test__ = False


def an_operator_moves_the_cursor_and_both_are_recorded(adapter, journal):
    journal.apply(None, None, None)
    last = journal.position
    request = adopt(journal, last - 1)
    answer = journal.stub.AdoptCursor(request)
    assert answer.cursor == request.new_cursor == journal.progress().cursor
    recorded = "SELECT from_position, to_position, actor, reason FROM echeck_adoptions WHERE adoption_id = ?"
    assert adapter.query(recorded, request.adoption_id) == [(last, last - 1, "ann", "a test")]
    journal.cursor = answer.cursor
    assert journal.apply(None) == {}


def an_adoption_by_somebody_who_saw_another_cursor_is_refused(journal):
    journal.apply(None, None)
    request = adopt(journal, journal.position - 1)
    journal.apply(None)
    found = contract.refused(journal.stub.AdoptCursor, request)
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")
    assert journal.progress().cursor == journal.cursor


def a_place_that_no_database_can_hold_is_refused_by_its_field(journal):
    journal.apply(None)
    request = adopt(journal, 2**63)
    found = contract.refused(journal.stub.AdoptCursor, request)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert found.fields == ["new_cursor"]


def an_adoption_is_performed_once(adapter, journal):
    journal.apply(None, None)
    request = adopt(journal, journal.position - 1)
    journal.cursor = journal.stub.AdoptCursor(request).cursor
    journal.apply(None)
    # Its answer was lost: it is given again, and nothing moves. The id is what tells.
    again = journal.stub.AdoptCursor(request).cursor
    assert again == request.new_cursor
    assert journal.progress().cursor == journal.cursor
    assert adapter.query("SELECT count(*) FROM echeck_adoptions") == [(1,)]


def exceptions_of_rows_that_were_left_are_set_aside(adapter, journal):
    missing = contract.returns("TRmissing")
    journal.apply(missing, missing, missing)
    first = journal.position - 2
    journal.cursor = journal.stub.AdoptCursor(adopt(journal, first)).cursor
    assert [*contract.by_position(journal.progress(first - 1).exceptions)] == [first]
    assert journal.apply(None, None) == {}
    assert [*contract.by_position(journal.progress(first - 1).exceptions)] == [first]


def an_empty_target_is_adopted_at_the_start_of_the_journal(fresh):
    journal = contract.Journal(fresh.stub, claim=False)
    answer = fresh.stub.AdoptCursor(adopt(journal, 0))
    assert not answer.HasField("cursor")
    progress = journal.progress()
    assert progress.identity == journal.identity and not progress.HasField("cursor")
    assert journal.apply(None) == {}


def a_target_of_another_journal_is_adopted(adapter, journal):
    journal.apply(None)
    other = contract.Journal(adapter.stub)
    other.id = str(uuid.uuid4())
    request = adopt(other, 7)
    other.cursor = adapter.stub.AdoptCursor(request).cursor
    assert other.cursor.journal_id == other.id and other.position == 7
    assert journal.progress().identity.journal_id == other.id
    assert other.apply(None) == {}


def an_adoption_says_who_decided_it_and_why(journal):
    journal.apply(None)
    request = adopt(journal, journal.position, actor="", reason="", database="", adoption_id="1")
    found = contract.refused(journal.stub.AdoptCursor, request)
    contract.assert_refused(found, "INVALID_ARGUMENT", "INVALID_REQUEST")
    assert sorted(found.fields) == ["actor", "adoption_id", "database", "reason"]


# Crashes.


def a_kill_between_commit_and_answer_neither_loses_nor_repeats_anything(adapter, journal):
    payments = [adapter.payment(), adapter.payment()]
    changes = [contract.returns(payments[0]), contract.returns("TRmissing"), contract.returns(payments[1])]
    steps = journal.steps(*changes)
    batch = journal.batch(steps)
    proxy = mute.MuteableProxy(adapter.port)
    adapter.connect(proxy.address)
    proxy.is_mute = True
    call = adapter.stub.ApplyUpdates.future(batch, timeout=60)
    running.eventually("the commit", lambda: adapter.position() == steps[-1].position)
    adapter.kill()
    proxy.close()
    assert call.exception(), "an answer that was swallowed arrived"
    adapter.start()
    again = contract.Journal(adapter.stub)
    # The answer was lost; the cursor and the exceptions were not.
    assert again.position == steps[-1].position
    assert [*contract.by_position(again.progress().exceptions)] == [steps[1].position]
    found = contract.refused(adapter.stub.ApplyUpdates, batch)
    contract.assert_refused(found, "FAILED_PRECONDITION", "CURSOR_MISMATCH")
    assert [adapter.changes(payment) for payment in payments] == [1, 1]
    assert again.apply(None) == {}


def a_kill_before_the_commit_leaves_nothing_behind(adapter, journal):
    payment = adapter.payment()
    batch = journal.batch(journal.steps(contract.returns(payment)))
    proxy = mute.MuteableProxy(adapter.port)
    adapter.connect(proxy.address)
    with adapter.database() as db:
        # The adapter cannot begin to write before this transaction ends.
        db.execute("BEGIN IMMEDIATE")
        before = proxy.passed
        call = adapter.stub.ApplyUpdates.future(batch, timeout=60)
        running.eventually("the adapter has the batch", lambda: proxy.passed - before > batch.ByteSize())
        adapter.kill()
        db.execute("ROLLBACK")
    proxy.close()
    assert call.exception()
    adapter.start()
    again = contract.Journal(adapter.stub)
    assert again.position == journal.position and adapter.changes(payment) == 0
    assert again.send(batch) == {}
    assert adapter.changes(payment) == 1


def an_adapter_that_was_stopped_continues_where_it_was(adapter, journal):
    payment = adapter.payment()
    journal.apply(contract.returns("TRmissing"))
    adapter.stop()
    adapter.start()
    again = contract.Journal(adapter.stub)
    assert again.cursor == journal.cursor and again.identity == journal.identity
    assert len(again.progress().exceptions) == 1
    assert again.apply(contract.returns(payment)) == {}
    assert adapter.changes(payment) == 1


def two_copies_do_not_apply_a_batch_twice(adapter, journal):
    payment = adapter.payment()
    batch = journal.batch(journal.steps(contract.returns(payment)))
    outcomes = []

    def send():
        try:
            outcomes.append(adapter.stub.ApplyUpdates(batch, timeout=20))
        except grpc.RpcError as error:
            outcomes.append(contract.Refused(error))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusals = [one for one in outcomes if isinstance(one, contract.Refused)]
    assert len(refusals) == 7 and {one.reason for one in refusals} <= {"CURSOR_MISMATCH", "TARGET_BUSY"}
    assert adapter.changes(payment) == 1


# The same as a program.


def echeck_adapter_test_holds_every_case(adapter, fresh, tmp_path):
    payments = [option for _ in range(4) for option in ("--payment", fresh.payment())]
    payments += ["--funded", fresh.payment("SUCCEEDED"), "--funded-amount-minor", "5000"]
    tried = subprocess.run(
        [running.BINARIES / "echeck", "adapter-test", fresh.address, *payments],
        capture_output=True, text=True, env=os.environ | {"ECHECK_CONFIG_HOME": str(tmp_path)}, check=False,
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "left out" not in tried.stdout
