"""The caller's side of the contract: journal rows as the returns service would send them."""

import hashlib
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import step_pb2, transfer_pb2

# The name under which the tests claim a target. They touch no target that has another.
DATABASE = "contract_test"
KEY = transfer_pb2.TransferKeyKind
EXCEPTION = step_pb2.StepExceptionKind


class Refused:
    """The error of a call, as a program sees it."""

    def __init__(self, error):
        self.code, self.message = error.code(), error.details()
        self.reason = self.domain = None
        self.metadata, self.fields = {}, []
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.reason, self.domain, self.metadata = info.reason, info.domain, dict(info.metadata)
            elif detail.Unpack(bad):
                self.fields = [one.field for one in bad.field_violations]

    def __repr__(self):
        return f"{self.code} {self.domain} {self.reason} {self.fields} {self.message}"


def refused(call, *request):
    """The error of a call that must fail."""
    try:
        answer = call(*request, timeout=20)
    except grpc.RpcError as error:
        return Refused(error)
    raise AssertionError(f"the call was not refused: {answer}")


def assert_refused(found, code, reason):
    """Every error says in its details what a program needs."""
    got = (found.code.name, found.domain, found.reason)
    assert got == (code, "echeck-adapter", reason), found


class Journal:
    """A journal that continues where the target is, so that it fits any target that is ours or
    nobody's."""

    def __init__(self, stub, claim=True):
        self.stub = stub
        progress = stub.GetProgress(proto.GetProgressRequest(), timeout=20)
        known = progress.identity if progress.HasField("identity") else None
        if known and known.database != DATABASE:
            raise AssertionError(f"{progress.target} is {known.database!r}; the tests leave it alone")
        self.id = (known and known.journal_id) or progress.cursor.journal_id or str(uuid.uuid4())
        self.cursor = progress.cursor if progress.HasField("cursor") else None
        self.identity = proto.TargetIdentity(journal_id=self.id, database=DATABASE)
        if claim and not known:
            self.claim()

    def claim(self, **other):
        ask = dict(identity=self.identity, expected_cursor=self.cursor) | other
        return self.stub.ClaimTarget(proto.ClaimTargetRequest(**ask), timeout=20)

    @property
    def position(self):
        return self.cursor.position if self.cursor else 0

    def steps(self, *changes):
        """The next rows of the journal, with one change each; None is an empty step."""
        steps = []
        for position, change in enumerate(changes, self.position + 1):
            step = step_pb2.Step(position=position, row_hash=row_hash(self.id, position))
            if change:
                step.MergeFrom(change)
            steps.append(step)
        return steps

    def batch(self, steps, **other):
        previous = self.cursor.row_hash if self.cursor else b""
        ask = dict(journal_id=self.id, previous_hash=previous, steps=steps, database=DATABASE)
        return proto.ApplyUpdatesRequest(**(ask | dict(contract_version=1) | other))

    def apply(self, *changes):
        """Applies changes; returns the exceptions by position."""
        return self.send(self.batch(self.steps(*changes)))

    def send(self, batch):
        answer = self.stub.ApplyUpdates(batch, timeout=30)
        last = batch.steps[-1]
        here = step_pb2.Cursor(journal_id=self.id, position=last.position, row_hash=last.row_hash)
        assert answer.cursor == here
        self.cursor = here
        return by_position(answer.exceptions)

    def progress(self, after=0, limit=0):
        ask = proto.GetProgressRequest(exceptions_after=after, limit=limit)
        return self.stub.GetProgress(ask, timeout=20)

    def missing(self, steps, followed=()):
        applied = [
            proto.AppliedStep(step=step, followed=step.position in followed)
            for step in steps
            if step.WhichOneof("change")
        ]
        answer = self.stub.VerifyUpdates(proto.VerifyUpdatesRequest(steps=applied), timeout=20)
        return {one.position: one.message for one in answer.missing}


def by_position(exceptions):
    return {one.position: (EXCEPTION.Name(one.kind).split("KIND_")[1], one.message) for one in exceptions}


def row_hash(journal_id, position, past=""):
    return hashlib.sha256(f"{journal_id} {position} {past}".encode()).digest()


# Changes. Each is a step without a position.


def decided(transfer_id, state, code, **more):
    state = transfer_pb2.TransferState.Value(f"TRANSFER_STATE_{state}")
    reason = step_pb2.Reason(code=code, description="told by a test", returned_on="2026-03-02")
    reason.decided_at.FromSeconds(1_772_000_000)
    return dict(transfer_id=transfer_id, expected=dict(state=state), reason=reason) | more


def fails(transfer_id, state="PENDING"):
    fail = decided(transfer_id, state, "", messages=["it never entered the network"], raw_json="{}")
    return step_pb2.Step(fail_transfer=fail)


def returns(transfer_id, state="PENDING", code="R01", **more):
    return step_pb2.Step(return_transfer=decided(transfer_id, state, code, messages=["R01"], **more))


def made(new_id, amount, parent_id=""):
    return dict(id=new_id, amount_minor=amount, currency="USD", parent_id=parent_id, trace_id=f"FNX{new_id}")


def reverses(transfer_id, new_id, amount, state="SUCCEEDED"):
    change = decided(transfer_id, state, "R10", reversal=made(new_id, amount))
    return step_pb2.Step(reverse_transfer=change)


def restores(transfer_id, new_id, parent_id, amount, state="SUCCEEDED"):
    change = decided(transfer_id, state, "R61", restoration=made(new_id, amount, parent_id))
    return step_pb2.Step(restore_transfer=change)


def reapplies(transfer_id, new_id, parent_id, amount, state="SUCCEEDED"):
    change = decided(transfer_id, state, "R71", reversal=made(new_id, amount, parent_id))
    return step_pb2.Step(reapply_return=change)


def releases(new_id, returned_id):
    release = step_pb2.ReleaseToSettlement(transfer_id=new_id, returned_transfer_id=returned_id)
    release.ready_to_settle_at.FromSeconds(1_772_100_000)
    release.decided_at.FromSeconds(1_772_100_000)
    return step_pb2.Step(release_to_settlement=release)


def blocked(change, why):
    change.blocked_reason = why
    return change
