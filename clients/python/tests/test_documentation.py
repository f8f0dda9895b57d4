"""The programs of docs/clients.md, run as they stand against a suite that runs. Only its examples of
names are replaced: the address, the CA, the token, a transfer and a file."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "clients.md").read_text()
CONNECT, MANY, IMPORT, FOLLOW, ERRORS = range(5)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


blocks.__test__ = False


def filled(stack, program):
    returned = stack.first_transfer()
    for example, real in {
        "returns.pay.example:50051": stack.address,
        "/etc/echeck/tls/ca.pem": str(stack.ca),
        "TR123": returned["transfer_id"],
        '"returns.ach"': f'"{stack.file}"',
    }.items():
        program = program.replace(example, real)
    return program


filled.__test__ = False


@pytest.fixture
def python(imported, monkeypatch):
    """Runs some of the Python blocks as one program; gives its names, and what the last one printed."""
    monkeypatch.setenv("ECHECK_TOKEN", imported.token)
    opened = []

    def run(*chosen):
        names = {"__name__": "documentation"}
        opened.append(names)
        for one in chosen:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(filled(imported, blocks("python")[one]), f"block {one}", "exec"), names)
        return names, printed.getvalue()

    yield run
    for names in opened:
        names["channel"].close()


def the_page_has_a_program_for_each_call():
    for language in ("ruby", "python"):
        assert len(blocks(language)) == 5
    for language in ("go", "java"):
        (program,) = blocks(language)
        for name in ("returns.pay.example:50051", "/etc/echeck/tls/ca.pem", "TR123", "returns.ach"):
            assert name in program
    for name in ("returns.pay.example:50051", "/etc/echeck/tls/ca.pem", "TR123", '"returns.ach"'):
        assert any(name in block for block in blocks("python"))
        assert any(name in block for block in blocks("ruby"))


def one_transfer_in_python(imported, python):
    returned = imported.first_transfer()
    _, printed = python(CONNECT)
    transfer_id, state, code = printed.split()
    assert (transfer_id, code) == (returned["transfer_id"], returned["return_code"])
    assert state in ("SUCCEEDED", "FAILED")


def many_transfers_in_python(imported, python):
    _, printed = python(CONNECT, MANY)
    found, missing = printed.splitlines()
    assert found.split()[0] == imported.first_transfer()["transfer_id"]
    assert missing == "TRnone NOT_FOUND"


def an_import_in_python(imported, python):
    names, printed = python(CONNECT, IMPORT)
    assert printed == "20 read, 0 held\n"
    # It is the file that was imported before.
    assert names["answer"].duplicate_file


def an_error_in_python(python):
    names, printed = python(CONNECT, ERRORS)
    assert printed.startswith("NOT_FOUND NOT_FOUND ")
    assert "TRnone" in printed
    assert names["reason_of"]


class Followed:
    """What a program has saved, and how many times it was interrupted."""

    def __init__(self):
        self.journal_id, self.position, self.returns = "", 0, []

    def save(self, ach_return, journal_id, position):
        assert position >= self.position
        self.journal_id, self.position = journal_id, position
        if ach_return is not None:
            self.returns.append(ach_return.position)
        if len(self.returns) in (5, 12) and ach_return is not None:
            raise Interrupted


class Interrupted(Exception):
    """The program ends in the middle."""


def following_in_python_misses_nothing_and_repeats_nothing(imported, python):
    names, _ = python(CONNECT, FOLLOW)
    names["time"] = SleeplessTime
    saved, done = Followed(), threading.Event()

    def save(*message):
        saved.save(*message)
        if len(saved.returns) == 20:
            done.set()
            raise Interrupted

    def follow():
        names["follow"](names["service"], saved.journal_id, saved.position, save)

    for count in (5, 12):
        with pytest.raises(Interrupted):
            follow()
        assert len(saved.returns) == count
    # Also when the service stops and starts meanwhile.
    imported.stop()
    following = threading.Thread(target=lambda: pytest.raises(Interrupted, follow))
    following.start()
    imported.start()
    assert done.wait(30)
    following.join(10)
    listed = [one["position"] for one in returns(imported)]
    assert sorted(saved.returns) == saved.returns == sorted(listed)


def following_in_python_ends_with_an_error_that_trying_again_does_not_cure(imported, python):
    names, _ = python(CONNECT, FOLLOW, ERRORS)
    for journal_id, position, reason in (
        ("", 1_000_000, "BEYOND_HEAD"),
        ("018f3f1e-0000-7000-8000-000000000001", 1, "ANOTHER_JOURNAL"),
    ):
        with pytest.raises(names["grpc"].RpcError) as refused:
            names["follow"](names["service"], journal_id, position, lambda *_: None)
        assert names["reason_of"](refused.value) == reason


class SleeplessTime:
    """Pauses are short in a test."""

    @staticmethod
    def sleep(seconds):
        threading.Event().wait(min(seconds, 0.05))


def returns(stack):
    import json

    return [json.loads(line) for line in stack.echeck("returns", "--json", "--limit", "500").stdout.splitlines()]


returns.__test__ = False


RUBY = """
$LOAD_PATH.unshift(ENV.fetch("GEM_LIB"))
def load_position = [0, nil]
$saved = []
def save(ach_return, position, journal_id)
  raise "no journal" if journal_id.to_s.empty?
  $saved << position if ach_return
  throw :enough if $saved.size == 20
end
"""


def the_programs_in_ruby(imported, tmp_path):
    if not shutil.which("ruby"):
        pytest.skip("needs Ruby")
    connect, many, import_file, follow, errors = (filled(imported, block) for block in blocks("ruby"))
    program = tmp_path / "program.rb"
    parts = [RUBY, connect, many, import_file, f"catch(:enough) do\n{follow}end\nputs $saved.inspect", errors]
    program.write_text("\n".join(parts))
    ruby = ROOT / "clients" / "ruby"
    environment = os.environ | {"ECHECK_TOKEN": imported.token, "GEM_LIB": str(ruby / "lib")}
    done = subprocess.run(["ruby", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    returned = imported.first_transfer()
    lines = done.stdout.splitlines()
    assert lines[0].split()[0::2] == [returned["transfer_id"], returned["return_code"]]
    assert lines[1].startswith(f"{returned['transfer_id']}: ") and "TRnone" in lines[2]
    assert lines[3] == "applied: 20 read, 0 held"
    positions = sorted(one["position"] for one in returns(imported))
    assert lines[4] == f"[{', '.join(map(str, positions))}]"
    assert lines[5].startswith("NOT_FOUND: ") and "TRnone" in lines[5]
