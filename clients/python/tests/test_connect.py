"""What `connect` takes, and what it refuses."""

from concurrent import futures

import grpc
import pytest

import echeck_returns
from echeck.returns.v1 import returns_service_pb2 as api
from echeck.returns.v1 import returns_service_pb2_grpc


def ask(channel):
    with channel:
        service = returns_service_pb2_grpc.ReturnsServiceStub(channel)
        return service.ListReturns(api.ListReturnsRequest(page_size=1), timeout=10)


ask.__test__ = False


def a_token_is_enough(stack):
    assert ask(echeck_returns.connect(stack.address, ca_file=stack.ca, token=stack.token)) is not None
    address = f"https://{stack.address}/"
    assert ask(echeck_returns.connect(address, ca_file=str(stack.ca), token=stack.token)) is not None


def a_service_that_is_gone_for_a_moment_is_asked_again():
    attempts = []

    class Service(returns_service_pb2_grpc.ReturnsServiceServicer):
        def ListReturns(self, request, context):
            attempts.append(request)
            if len(attempts) < 3:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the service is stopping")
            return api.ListReturnsResponse()

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    returns_service_pb2_grpc.add_ReturnsServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    assert ask(echeck_returns.connect(f"http://127.0.0.1:{port}")) is not None
    assert len(attempts) == 3
    server.stop(None)


def a_token_may_be_a_function_that_is_called_each_time(stack):
    tokens = iter(["wrong", stack.token])
    with echeck_returns.connect(stack.address, ca_file=stack.ca, token=lambda: next(tokens)) as channel:
        service = returns_service_pb2_grpc.ReturnsServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            service.ListReturns(api.ListReturnsRequest(), timeout=10)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert service.ListReturns(api.ListReturnsRequest(), timeout=10) is not None
        # A function that fails ends the call, and does not hang it.
        with pytest.raises(grpc.RpcError) as failed:
            service.ListReturns(api.ListReturnsRequest(), timeout=10)
        assert failed.value.code() != grpc.StatusCode.DEADLINE_EXCEEDED


def a_certificate_is_enough(stack):
    pair = {f"{kind}_file": stack.ca.with_name(f"operator.{end}") for kind, end in (("cert", "pem"), ("key", "key"))}
    assert ask(echeck_returns.connect(stack.address, ca_file=stack.ca, **pair)) is not None


def a_service_of_another_ca_is_not_trusted(stack):
    with pytest.raises(grpc.RpcError) as refused:
        ask(echeck_returns.connect(stack.address, token=stack.token))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "address, more, why",
    [
        ("", {}, "address is required"),
        ("ftp://returns:1", {}, "must begin with https://"),
        ("returns:1", dict(cert_file="a.pem"), "go together"),
        ("http://returns:1", {}, "for this machine only"),
        ("http://localhost:1", dict(token="secret"), "in clear"),
    ],
)
def what_does_not_go_together_is_refused_at_once(address, more, why):
    with pytest.raises(ValueError, match=why) as refused:
        echeck_returns.connect(address, **more)
    assert "secret" not in str(refused.value)


def a_file_that_is_missing_is_named():
    with pytest.raises(OSError, match="missing.pem"):
        echeck_returns.connect("returns:1", ca_file="missing.pem")


def a_service_on_this_machine_may_be_called_in_clear():
    echeck_returns.connect("http://127.0.0.1:1").close()
