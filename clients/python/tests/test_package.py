"""The package as somebody installs it: built, and put into an environment of its own with the newest
versions of what it needs."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent
WHEELS = PACKAGE.parents[1] / ".tools" / "python" / "wheels"
PROGRAM = """
import os, google.protobuf, grpc
import echeck_returns
from echeck.returns.v1.returns_service_pb2 import GetTransferRequest
from echeck.returns.v1.returns_service_pb2_grpc import ReturnsServiceStub

with echeck_returns.connect(os.environ["ADDRESS"], ca_file=os.environ["CA"], token=os.environ["TOKEN"]) as channel:
    ask = GetTransferRequest(transfer_id=os.environ["TRANSFER"])
    transfer = ReturnsServiceStub(channel).GetTransfer(ask, timeout=10).transfer
print(transfer.ach_return.return_code, google.protobuf.__version__, grpc.__version__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    # sdist first, and the wheel from it, as PyPI would have them.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, PACKAGE]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = folder.glob("echeck_returns-*-py3-none-any.whl")
    return found


def the_wheel_has_stubs_types_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    kept = (path.relative_to(PACKAGE / "src") for path in (PACKAGE / "src").rglob("*") if path.is_file())
    assert names == {str(path) for path in kept if "__pycache__" not in path.parts}
    assert {"echeck_returns/py.typed", "echeck/returns/py.typed"} <= names
    assert "echeck/returns/v1/returns_service_pb2_grpc.pyi" in names
    # `echeck` is shared with other packages, so it has no __init__ of its own.
    assert "echeck/__init__.py" not in names


def the_package_works_in_an_environment_of_its_own(wheel, imported, tmp_path):
    venv.create(tmp_path / "own", with_pip=False)
    python = tmp_path / "own" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-index", "--find-links", WHEELS, wheel], check=True)
    returned = imported.first_transfer()
    environment = {"ADDRESS": imported.address, "CA": str(imported.ca), "TOKEN": imported.token}
    environment |= {"TRANSFER": returned["transfer_id"], "PATH": os.environ["PATH"]}
    command = [python, "-I", "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    newest = dict(line.split("==") for line in (PACKAGE / "newest.txt").read_text().splitlines() if "==" in line)
    versions = [f"{newest['protobuf']}", newest["grpcio"]]
    assert done.stdout.split() == [returned["return_code"], *versions]
