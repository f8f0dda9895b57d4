"""The command line of an adapter, and its process."""

import argparse
import signal
import threading
from concurrent import futures

import grpc

from echeck.adapter.v1 import adapter_service_pb2_grpc
from echeck_adapter.refusal import Refusal
from echeck_adapter.server import Adapter
from echeck_adapter.sqlite import Database
from echeck_adapter.target import Target

MAX_MESSAGE_BYTES = 32 << 20  # a batch of 10,000 steps with the acquirer's rows fits


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


def run(table, about):
    """Runs an adapter in front of a table, until it is stopped. `table` is a class, and
    its argument says whether the target is a mirror."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = f"an existing SQLite file with the table {table.name}"
    parser.add_argument("--database", required=True, help=what)
    parser.add_argument("--listen", default="127.0.0.1:50053")
    parser.add_argument("--mirror", action="store_true", help="repeat what the system of record has")
    parser.add_argument("--name", default=table.name, help="the adapter's row in echeck_cursor")
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "CLIENT_CA"))
    parser.add_argument("--caller", help="with --tls: the name in the certificate of the returns service")
    given = parser.parse_args()
    if given.tls and not given.caller:
        parser.error("--tls needs --caller: not everybody who has a certificate may call an adapter")
    if not given.tls and not given.listen.startswith("127.0.0.1:"):
        parser.error("without --tls the adapter listens on 127.0.0.1 only")

    target = Target(Database(given.database), table(given.mirror), given.name)
    target.create_own_tables()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8),
        interceptors=[OnlyCaller(given.caller)] if given.caller else [],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),  # a second adapter at the same address is a mistake
        ],
    )
    adapter_service_pb2_grpc.add_AdapterServiceServicer_to_server(Adapter(target), server)
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
