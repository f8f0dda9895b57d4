"""The example adapter in a real suite: a file is imported, and each of its returns takes effect once,
also when the adapter is killed in the middle."""

import json
import subprocess
import threading

import grpc
import pytest

import running
import suite
from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import adapter_service_pb2_grpc


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A CA, certificates and keys, as `echeck up` makes them."""
    return suite.certificates(tmp_path_factory.mktemp("up") / "made")


@pytest.fixture(params=["mirror", "system of record"])
def world(request, tmp_path, made):
    if request.config.getoption("address"):
        pytest.skip("an adapter that runs elsewhere has its own service")
    started = suite.Suite(tmp_path, made, example_is_mirror=request.param == "mirror")
    try:
        yield started.start()
    finally:
        started.stop()


def each_return_of_a_file_takes_effect_once_although_the_adapter_is_killed(world):
    before = dict(world.query("SELECT id, state FROM payments"))
    imported = []
    command = ["import", world.file, "--source", "nacha", "--json"]
    importing = threading.Thread(target=lambda: imported.append(world.echeck(*command)))
    importing.start()
    for at in (suite.ENTRIES // 4, suite.ENTRIES // 2):
        # By the payments: a cursor that came later than they would be caught here.
        running.eventually(f"payment {at}", lambda: world.changed() >= at)
        world.example.end()
        assert at <= world.changed() < suite.ENTRIES, "the kill came too late to prove anything"
        world.example.start()
    importing.join(timeout=60)
    assert imported and imported[0].returncode == 0, imported
    file_import = json.loads(imported[0].stdout)["file_import"]
    assert file_import["state"] == "applied"
    assert [one["exceptions"] for one in file_import["databases"]] == [0, 0]

    returns = world.returns()
    assert len(returns) == suite.ENTRIES
    rows = {row[0]: row[1:] for row in world.query("SELECT id, state, code, version FROM payments")}
    reversals = dict(
        world.query(
            "SELECT parent_id, count(*) FROM payments WHERE type = 'REVERSAL' AND subtype = 'SYSTEM' "
            "GROUP BY parent_id"
        )
    )
    effects = set()
    for one in returns:
        payment, effect = one["transfer_id"], one["effect"]
        effects.add(effect)
        state, code, version = rows[payment]
        assert (code, version) == (one["return_code"], 1), one
        assert state == ("RETURNED" if effect == "return" else before[payment]), one
        assert reversals.get(payment, 0) == (effect == "reverse"), one
    assert effects == {"return", "reverse"}, "the file proves too little"
    returned = {one["transfer_id"] for one in returns}
    for payment, state in before.items():
        assert payment in returned or rows[payment] == (state, None, 0), "somebody else's payment changed"

    # Each reversal is released to settlement, by a row of its own.
    unreleased = "SELECT count(*) FROM payments WHERE subtype = 'SYSTEM' AND ready_to_settle_at IS NULL"
    running.eventually("every reversal is released", lambda: world.query(unreleased) == [(0,)])
    versions = "SELECT DISTINCT version FROM payments WHERE subtype = 'SYSTEM'"
    assert world.query(versions) == [(2,)]

    again = world.echeck(*command)
    assert json.loads(again.stdout)["duplicate_file"]
    verified = world.echeck("journal", "verify", "--targets", "--json")
    assert verified.returncode == 0, verified
    assert world.query("SELECT max(version) FROM payments WHERE subtype != 'SYSTEM'") == [(1,)]

    # The verification really asks the adapter.
    world.change("UPDATE payments SET state = 'SUCCEEDED' WHERE state = 'RETURNED'")
    broken = world.echeck("journal", "verify", "--targets")
    assert broken.returncode == 6, broken


@pytest.mark.parametrize("world", ["mirror"], indirect=True)
def only_the_returns_service_may_call_the_adapter(world):
    def call(holder):
        pair = [path.read_bytes() for path in world.pair(holder)] if holder else [None, None]
        ca = (world.tls / "ca.pem").read_bytes()
        credentials = grpc.ssl_channel_credentials(ca, pair[1], pair[0])
        with grpc.secure_channel(f"127.0.0.1:{world.example_port}", credentials) as channel:
            stub = adapter_service_pb2_grpc.AdapterServiceStub(channel)
            return stub.GetProgress(proto.GetProgressRequest(), timeout=10)

    assert call("returns-service").identity.database == "following"
    for holder, code in (("operator", "PERMISSION_DENIED"), (None, "UNAVAILABLE")):
        with pytest.raises(grpc.RpcError) as refused:
            call(holder)
        assert refused.value.code().name == code


def the_contract_can_be_tested_at_any_address(tmp_path):
    elsewhere = running.Adapter("gateway", tmp_path)
    command = [running.sys.executable, "-m", "pytest", "--basetemp", tmp_path / "inner", "-k", "gap or again"]
    command += ["test_contract.py", "--address", elsewhere.address]
    command += ["--payment", f"PENDING={elsewhere.payment()}"]
    try:
        elsewhere.start()
        tested = subprocess.run(command, cwd=running.EXAMPLE, capture_output=True, text=True)
        assert tested.returncode == 0 and " passed" in tested.stdout, tested.stdout
        # A target that is somebody else's is left alone.
        elsewhere.query("UPDATE echeck_identity SET database_name = 'gateway'")
        before = elsewhere.query("SELECT * FROM echeck_cursor")
        tested = subprocess.run(command, cwd=running.EXAMPLE, capture_output=True, text=True)
        assert tested.returncode != 0 and "the tests leave it alone" in tested.stdout, tested.stdout
        assert elsewhere.query("SELECT * FROM echeck_cursor") == before
    finally:
        elsewhere.stop()


def an_adapter_without_tls_listens_on_this_machine_only(tmp_path):
    command = running.Process([running.sys.executable, running.EXAMPLE / "adapter.py"], tmp_path / "log").command
    for listen in (["--listen", "0.0.0.0:0"], ["--tls", "a", "b", "c"]):
        ended = subprocess.run([*command, "--database", "x", *listen], capture_output=True, text=True)
        assert ended.returncode == 2 and "--tls" in ended.stderr
