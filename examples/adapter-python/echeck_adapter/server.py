"""The seven calls of the contract."""

import functools
import sqlite3

import grpc

from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import adapter_service_pb2_grpc, transfer_pb2
from echeck_adapter import request as check
from echeck_adapter.refusal import Refusal, precondition
from echeck_adapter.sqlite import TransactionAborted

MAX_EXCEPTIONS = 10_000


def answers(method):
    """Turns a refusal into the status of the call."""

    @functools.wraps(method)
    def answer(self, request, context):
        try:
            return method(self, request)
        except Refusal as refusal:
            context.abort_with_status(refusal.status)
        except TransactionAborted as aborted:
            context.abort_with_status(precondition("TARGET_REFUSED", str(aborted)).status)

    return answer


class Adapter(adapter_service_pb2_grpc.AdapterServiceServicer):
    def __init__(self, target):
        self.target, self.table = target, target.table

    @property
    def funding_policy(self):
        if self.table.is_mirror:
            return transfer_pb2.FUNDING_POLICY_UNSPECIFIED
        return transfer_pb2.FUNDING_POLICY_STATE

    @answers
    def LookupTransfers(self, request):
        if self.table.is_mirror:
            raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "NO_LOOKUP", "this target is a mirror")
        check.check_keys(request.keys)
        if request.HasField("identity"):
            check.check_claim(request)
        with self.target.database.transaction() as db:
            if request.HasField("identity"):
                # The returns service claims a target with its first look at it.
                if self.target.identity(db) is None:
                    raise Refusal(grpc.StatusCode.ABORTED, "TARGET_BUSY", "nobody has claimed the target")
                self.target.check_identity(db, request.identity)
            found = [self.table.lookup(db, key) for key in request.keys]
        matches = [proto.KeyMatches(transfers=transfers, more=more) for transfers, more in found]
        return proto.LookupTransfersResponse(matches=matches, funding_policy=self.funding_policy)

    @answers
    def ClaimTarget(self, request):
        check.check_claim(request)
        return proto.ClaimTargetResponse(identity=self.target.claim(request))

    @answers
    def ApplyUpdates(self, request):
        check.check_batch(request)
        exceptions = self.target.apply(request, request.steps, request.previous_hash)
        last = request.steps[-1]
        cursor = dict(journal_id=request.journal_id, position=last.position, row_hash=last.row_hash)
        return proto.ApplyUpdatesResponse(cursor=cursor, exceptions=exceptions)

    @answers
    def GetProgress(self, request):
        limit = min(request.limit or 1_000, MAX_EXCEPTIONS)
        with self.target.database.transaction() as db:
            cursor, identity = self.target.cursor(db), self.target.identity(db)
            journal_id = cursor.journal_id if cursor else ""
            after = request.exceptions_after
            exceptions = self.target.exceptions(db, journal_id, after, limit + 1)
        return proto.GetProgressResponse(
            cursor=cursor,
            exceptions=exceptions[:limit],
            has_more=len(exceptions) > limit,
            identity=identity,
            target=self.target.database.shown,
            contract_version=check.CONTRACT_VERSION,
        )

    @answers
    def VerifyUpdates(self, request):
        check.check_applied(request.steps)
        missing = []
        with self.target.database.transaction() as db:
            for applied in request.steps:
                if what := self.table.difference(db, applied):
                    missing.append(proto.MissingUpdate(position=applied.step.position, message=what))
        return proto.VerifyUpdatesResponse(missing=missing)

    @answers
    def AdoptCursor(self, request):
        check.check_adoption(request)
        return proto.AdoptCursorResponse(cursor=self.target.adopt(request))

    @answers
    def CheckTarget(self, request):
        """What is wrong is part of the answer."""
        found = proto.CheckTargetResponse(
            target=self.target.database.shown,
            database_version=f"SQLite {sqlite3.sqlite_version}",
            profile=self.table.name,
            funding_policy=self.funding_policy,
            adapter_version="example",
        )
        found.adapter_time.GetCurrentTime()
        found.database_time.GetCurrentTime()  # a file has no clock of its own
        try:
            timeout = (request.within_ms or 1_800) / 1_000
            with self.target.database.transaction(write=True, timeout=timeout) as db:
                self.table.check(db)
                db.execute("UPDATE echeck_cursor SET position = position")
        except Refusal as refusal:
            found.faults.append(str(refusal))
            found.read_only = refusal.reason == "TARGET_READ_ONLY"
        found.ok = not found.faults
        return found
