"""Which adapters are tested: the example and the real ones, or one at any address.

    ./test                                     # those that the tests start themselves
    ./test --address adapter:50053 --tls CA CERTIFICATE KEY --payment PENDING=TR1,TR2
"""

import grpc
import pytest

import contract
import running
from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import adapter_service_pb2_grpc


def pytest_addoption(parser):
    parser.addoption("--address", help="test the adapter that runs there, and no other")
    parser.addoption("--tls", nargs=3, metavar=("CA", "CERTIFICATE", "KEY"))
    what = "debits of its target that the tests may change, by their state"
    parser.addoption("--payment", action="append", default=[], metavar="STATE=ID,ID", help=what)


def pytest_generate_tests(metafunc):
    if "adapter" in metafunc.fixturenames:
        address = metafunc.config.getoption("address")
        names = [address] if address else list(running.KINDS)
        metafunc.parametrize("adapter", names, indirect=True, scope="session")


class Elsewhere:
    """An adapter that somebody else has started. Its target cannot be seen but through it."""

    def __init__(self, config):
        self.address, tls = config.getoption("address"), config.getoption("tls")
        if tls:
            ca, certificate, key = (open(path, "rb").read() for path in tls)
            credentials = grpc.ssl_channel_credentials(ca, key, certificate)
            self.channel = grpc.secure_channel(self.address, credentials)
        else:
            self.channel = grpc.insecure_channel(self.address)
        self.stub = adapter_service_pb2_grpc.AdapterServiceStub(self.channel)
        given = (one.split("=", 1) for one in config.getoption("payment"))
        self.payments = {state: ids.split(",") for state, ids in given}
        self.is_mirror = self.has_no_look_up()

    def has_no_look_up(self):
        try:
            self.stub.LookupTransfers(proto.LookupTransfersRequest(), timeout=20)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise
            return True
        return False

    def payment(self, state="PENDING", **more):
        if more or not self.payments.get(state):
            pytest.skip(f"needs a payment that is {state}: --payment {state}=ID")
        return self.payments[state].pop()

    def changes(self, transfer_id):
        return 1  # only its owner could count

    def __getattr__(self, name):
        pytest.skip(f"needs the process or the database of the adapter ({name})")


@pytest.fixture(scope="session")
def adapter(request, tmp_path_factory):
    if request.config.getoption("address"):
        yield Elsewhere(request.config)
        return
    started = running.Adapter(request.param, tmp_path_factory.mktemp(request.param))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture
def fresh(adapter):
    """A target that nobody has claimed."""
    adapter.reset()
    return adapter


@pytest.fixture
def journal(adapter):
    """A journal that continues where the target is. A target of our own begins from nothing."""
    if isinstance(adapter, running.Adapter):
        adapter.reset()
    return contract.Journal(adapter.stub)


@pytest.fixture
def record(adapter):
    """A system of record."""
    if adapter.is_mirror:
        pytest.skip("a mirror")
    return adapter


def pytest_collection_modifyitems(items):
    """One adapter after the other."""
    order = {name: at for at, name in enumerate(running.KINDS)}

    def adapter_of(item):
        return item.callspec.params.get("adapter") if hasattr(item, "callspec") else None

    items.sort(key=lambda item: order.get(adapter_of(item), len(order)))
