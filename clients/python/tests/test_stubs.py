"""The stubs are those of the protos, and their types are right."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent
RIGHT = """
import echeck_returns
import grpc
from echeck.returns.v1 import returns_service_pb2 as api
from echeck.returns.v1.returns_service_pb2_grpc import ReturnsServiceStub

channel: grpc.Channel = echeck_returns.connect("returns:50051", ca_file="ca.pem", token=lambda: "…")
service = ReturnsServiceStub(channel)
answer = service.GetTransfer(api.GetTransferRequest(transfer_id="TR1"), timeout=10)
amount: int = answer.transfer.amount_minor
for message in service.StreamReturns(api.StreamReturnsRequest(after_position=1)):
    code: str = message.ach_return.return_code
"""
WRONG = {
    "a field that is not there": 'api.GetTransferRequest(transfer="TR1")',
    "a field of another type": "code: int = answer.transfer.state",
    "a call that is not there": "service.GetTransfers(api.GetTransferRequest())",
    "a request of another call": "service.GetTransfer(api.GetHoldRequest())",
    "an argument that connect does not have": 'echeck_returns.connect("returns:1", password="…")',
}


def the_stubs_are_those_of_the_protos(tmp_path):
    subprocess.run([PACKAGE / "generate", tmp_path], check=True)
    made, kept = ({path.relative_to(root) for path in root.rglob("*.py*")} for root in roots(tmp_path))
    assert {path for path in kept if "__pycache__" not in path.parts} == made, "run clients/python/generate"
    differs = [str(path) for path in made if not filecmp.cmp(*(root / path for root in roots(tmp_path)), False)]
    assert not differs, "run clients/python/generate"


def roots(folder):
    return folder / "echeck", PACKAGE / "src" / "echeck"


roots.__test__ = False


def check(tmp_path, program):
    file = tmp_path / "program.py"
    file.write_text(program)
    cache = PACKAGE.parents[1] / ".tools" / "python" / "mypy"
    command = [sys.executable, "-m", "mypy", "--config-file", PACKAGE / "pyproject.toml", "--cache-dir", cache]
    environment = os.environ | {"MYPYPATH": str(PACKAGE / "src")}
    return subprocess.run(
        [*command, file, PACKAGE / "src" / "echeck_returns"], env=environment, capture_output=True, text=True
    )


check.__test__ = False


def a_program_that_is_right_has_no_faults(tmp_path):
    checked = check(tmp_path, RIGHT)
    assert checked.returncode == 0, checked.stdout


def each_mistake_of_a_program_is_found(tmp_path):
    checked = check(tmp_path, RIGHT + "\n".join(WRONG.values()) + "\n")
    first = RIGHT.count("\n") + 1
    lines = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line}
    assert lines == {first + at for at in range(len(WRONG))}, checked.stdout
