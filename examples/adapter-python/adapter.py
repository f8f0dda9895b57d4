#!/usr/bin/env python
"""An adapter for echeck-returns: a gRPC server in front of the table `payments` of a SQLite file.

    python adapter.py --database payments.db --listen 127.0.0.1:50053 --mirror
"""

import argparse
import functools
import signal
import sqlite3
import threading
from concurrent import futures

import grpc

import request as check
from database import Database, TransactionAborted
from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import adapter_service_pb2_grpc, transfer_pb2
from payments import COLUMNS, Payments
from refusal import Refusal, precondition
from target import Target

MAX_MESSAGE_BYTES = 32 << 20  # a batch of 10,000 steps with the acquirer's rows fits
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
    def __init__(self, target, is_mirror):
        self.target, self.is_mirror = target, is_mirror

    @property
    def funding_policy(self):
        if self.is_mirror:
            return transfer_pb2.FUNDING_POLICY_UNSPECIFIED
        return transfer_pb2.FUNDING_POLICY_STATE

    @answers
    def LookupTransfers(self, request):
        if self.is_mirror:
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
            found = [self.target.payments.lookup(db, key) for key in request.keys]
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
                if what := self.target.payments.difference(db, applied):
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
            profile="payments",
            funding_policy=self.funding_policy,
            adapter_version="example",
        )
        found.adapter_time.GetCurrentTime()
        found.database_time.GetCurrentTime()  # a file has no clock of its own
        try:
            timeout = (request.within_ms or 1_800) / 1_000
            with self.target.database.transaction(write=True, timeout=timeout) as db:
                # Fails where a column is missing or no write is taken; it changes no row.
                db.execute(f"SELECT {', '.join(COLUMNS)} FROM payments WHERE 1 = 0")
                db.execute("UPDATE payments SET state = state WHERE 1 = 0")
                db.execute("UPDATE echeck_cursor SET position = position")
        except Refusal as refusal:
            found.faults.append(str(refusal))
            found.read_only = refusal.reason == "TARGET_READ_ONLY"
        found.ok = not found.faults
        return found


class OnlyCaller(grpc.ServerInterceptor):
    """Lets in the holder of one certificate: the returns service."""

    def __init__(self, name):
        self.name = name.encode()

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if handler is None:
            return None

        def answer(request, context):
            if self.name not in context.auth_context().get("x509_subject_alternative_name", []):
                what = "this certificate may not call the adapter"
                refusal = Refusal(grpc.StatusCode.PERMISSION_DENIED, "CALLER_UNKNOWN", what)
                context.abort_with_status(refusal.status)
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="an existing SQLite file with the table payments")
    parser.add_argument("--listen", default="127.0.0.1:50053")
    parser.add_argument("--mirror", action="store_true", help="repeat what the system of record has")
    parser.add_argument("--name", default="payments", help="the adapter's row in echeck_cursor")
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "CLIENT_CA"))
    parser.add_argument("--caller", help="with --tls: the name in the certificate of the returns service")
    given = parser.parse_args()
    if given.tls and not given.caller:
        parser.error("--tls needs --caller: not everybody who has a certificate may call an adapter")
    if not given.tls and not given.listen.startswith("127.0.0.1:"):
        parser.error("without --tls the adapter listens on 127.0.0.1 only")

    target = Target(Database(given.database), Payments(given.mirror), given.name)
    target.create_own_tables()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8),
        interceptors=[OnlyCaller(given.caller)] if given.caller else [],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),  # a second adapter at the same address is a mistake
        ],
    )
    adapter_service_pb2_grpc.add_AdapterServiceServicer_to_server(Adapter(target, given.mirror), server)
    if given.tls:
        certificate, key, client_ca = map(read, given.tls)
        credentials = grpc.ssl_server_credentials([(key, certificate)], client_ca, require_client_auth=True)
        port = server.add_secure_port(given.listen, credentials)
    else:
        port = server.add_insecure_port(given.listen)
    server.start()
    print(f"listening on port {port}", flush=True)

    stopping = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopping.set())
    stopping.wait()
    server.stop(grace=20).wait()


if __name__ == "__main__":
    main()
