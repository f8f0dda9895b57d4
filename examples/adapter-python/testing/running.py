"""Adapters that the tests start as processes, each in front of a SQLite file of its own."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import grpc

from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck.adapter.v1 import adapter_service_pb2_grpc

EXAMPLE = Path(__file__).resolve().parent.parent
ROOT = EXAMPLE.parent.parent
BINARIES = ROOT / "target" / "debug"

# What the owner of a target may have: triggers that refuse a row, ignore a change, undo the whole
# transaction, or let the commit fail. They go by the id of the payment. Each change of a row is counted.
TRIGGERS = """
CREATE TABLE test_changes (id TEXT NOT NULL);
CREATE TABLE test_late (id TEXT REFERENCES test_late_parents (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE test_late_parents (id TEXT NOT NULL PRIMARY KEY);
CREATE TRIGGER test_counts AFTER UPDATE ON {table}
BEGIN INSERT INTO test_changes VALUES (NEW.{key}); END;
CREATE TRIGGER test_refuses BEFORE UPDATE ON {table} WHEN NEW.{key} LIKE 'TRrefuse%'
BEGIN SELECT RAISE(ABORT, 'account 123456789 is closed'); END;
CREATE TRIGGER test_ignores BEFORE UPDATE ON {table} WHEN NEW.{key} LIKE 'TRignore%'
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER test_undoes BEFORE UPDATE ON {table} WHEN NEW.{key} LIKE 'TRundo%'
BEGIN SELECT RAISE(ROLLBACK, 'everything is undone'); END;
CREATE TRIGGER test_fails_the_commit AFTER UPDATE ON {table} WHEN NEW.{key} LIKE 'TRlate%'
BEGIN INSERT INTO test_late VALUES (NEW.{key}); END;
"""
OWN_TABLES = ("echeck_cursor", "echeck_identity", "echeck_exceptions", "echeck_adoptions")
TEST_TABLES = ("test_changes", "test_late")


class Kind:
    """What the tests must know of a target: its table, and how its owner adds a payment."""

    def __init__(self, table, key, state, schema, insert, is_mirror=False):
        self.table, self.key, self.state = table, key, state
        self.schema, self.insert, self.is_mirror = schema, insert, is_mirror


AT = "2026-02-20T10:00:00.000000Z"


def insert_payment(db, at, payment):
    db.execute(
        "INSERT INTO payments (id, type, state, amount, trace_id, payment_id, ach_trace, individual_id, "
        "merchant, source, destination, updated_at) VALUES (?, 'DEBIT', ?, ?, ?, ?, ?, ?, 'MU1', 'PI1', "
        "'PI2', ?)",
        [payment["id"], payment["state"], payment["amount"], payment["trace_id"], payment["payment_id"]]
        + [payment["ach_trace"], payment["individual_id"], at],
    )


def insert_transfer(db, at, payment):
    db.execute(
        "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, ach_trace, individual_id, "
        "application, merchant_identity, source, destination, created_at, updated_at) VALUES (?, 'DEBIT', "
        "?, ?, ?, ?, ?, ?, 'AP1', 'MU1', 'PI1', 'PI2', ?, ?)",
        [payment["id"], payment["state"], payment["amount"], payment["trace_id"], payment["payment_id"]]
        + [payment["ach_trace"], payment["individual_id"], at, at],
    )


def insert_transaction(db, at, payment):
    db.execute(
        "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?)",
        [payment["id"], payment["amount"], payment["state"].lower(), at, at],
    )


PAYMENTS = ("payments", "id", "state", EXAMPLE / "payments.sql", insert_payment)
GATEWAY = ROOT / "gateway-adapter" / "schema" / "sqlite.sql"
RALLYPAY = ROOT / "rallypay-adapter" / "schema" / "sqlite.sql"
KINDS = {
    "python": Kind(*PAYMENTS),
    "python-mirror": Kind(*PAYMENTS, is_mirror=True),
    "gateway": Kind("transfers", "id", "state", GATEWAY, insert_transfer),
    "rallypay": Kind("transactions", "transfer_id", "status", RALLYPAY, insert_transaction, is_mirror=True),
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def eventually(what, holds, seconds=30):
    """Waits for a condition, and returns what it gives."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.002)
    return found


class Process:
    """A program in a process group of its own, with its output in a file."""

    def __init__(self, command, log, environment=None):
        self.command, self.log, self.child = [str(part) for part in command], log, None
        self.environment = os.environ | (environment or {})

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.environment, start_new_session=True
            )
        return self

    def check(self):
        if self.child.poll() is not None:
            raise AssertionError(f"{self.command} ended: {Path(self.log).read_text()[-4000:]}")

    def end(self, sign=signal.SIGKILL):
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, sign)
        if self.child:
            self.child.wait(timeout=30)


class Adapter:
    """An adapter and its target."""

    def __init__(self, name, folder):
        self.name, self.kind, self.folder = name, KINDS[name], Path(folder)
        self.is_mirror = self.kind.is_mirror
        self.path = self.folder / f"{name}.db"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.executescript("PRAGMA journal_mode = WAL;" + self.kind.schema.read_text())
            db.executescript(TRIGGERS.format(table=self.kind.table, key=self.kind.key))
        self.process = Process(self.command(), self.folder / f"{name}.log")
        self.channel = None
        self.made = 0

    def command(self):
        if self.name.startswith("python"):
            role = ["--mirror"] if self.is_mirror else []
            listen = ["--listen", self.address, "--database", self.path]
            return [sys.executable, EXAMPLE / "adapter.py", *listen, *role]
        config = self.folder / f"{self.name}.toml"
        config.write_text(
            f'[server]\nlisten = "{self.address}"\n'
            f'[target]\nurl = "sqlite://{self.path}"\nbusy_timeout_ms = 500\n'
            '[access]\nanonymous_roles = ["adapter_client"]\n'
        )
        return [BINARIES / f"{self.name}-adapter", "--config", config]

    # The process.

    def start(self):
        self.process.start()
        self.connect(self.address)
        return self

    def connect(self, address):
        """Connects there, and waits for an answer. A connection that was refused is not tried again for
        a second, so each try has a connection of its own, without retries."""

        def answers():
            self.process.check()
            if self.channel:
                self.channel.close()
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
            self.channel = grpc.insecure_channel(address, options)
            self.stub = adapter_service_pb2_grpc.AdapterServiceStub(self.channel)
            try:
                return self.stub.GetProgress(proto.GetProgressRequest(), timeout=5)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise

        eventually(f"{self.name} answers", answers)

    def kill(self):
        self.process.end(signal.SIGKILL)

    def stop(self):
        if self.channel:
            self.channel.close()
        self.process.end(signal.SIGTERM)

    # The target, as its owner sees it.

    @contextlib.contextmanager
    def database(self):
        db = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        try:
            yield db
        finally:
            db.close()

    def query(self, sql, *values):
        with self.database() as db:
            return db.execute(sql, values).fetchall()

    def reset(self):
        """Leaves a target that nobody has claimed, without a payment."""
        with self.database() as db:
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("BEGIN IMMEDIATE")
            for table in (*OWN_TABLES, *TEST_TABLES, self.kind.table):
                db.execute(f"DELETE FROM {table}")
            db.execute("COMMIT")

    def payment(self, state="PENDING", amount=5_000, prefix="TR", **more):
        """A new payment in a state; returns its id."""
        self.made += 1
        payment_id = f"{prefix}{self.made:06}"
        ids = dict(trace_id=f"FNX{self.made}", payment_id=None, ach_trace=None, individual_id=None)
        payment = dict(id=payment_id, state=state, amount=amount) | ids | more
        with self.database() as db:
            self.kind.insert(db, AT, payment)
        return payment_id

    def change(self, transfer_id, state):
        """The owner changes the state of a payment."""
        word = state.lower() if self.name == "rallypay" else state
        sql = f"UPDATE {self.kind.table} SET {self.kind.state} = ? WHERE {self.kind.key} = ?"
        with self.database() as db:
            db.execute(sql, [word, transfer_id])
            db.execute("DELETE FROM test_changes WHERE id = ?", [transfer_id])

    def changes(self, transfer_id):
        """How often the adapter has changed the row."""
        return self.query("SELECT count(*) FROM test_changes WHERE id = ?", transfer_id)[0][0]

    def rows(self, transfer_id):
        """How many rows have this id: 0 or 1."""
        sql = f"SELECT count(*) FROM {self.kind.table} WHERE {self.kind.key} = ?"
        return self.query(sql, transfer_id)[0][0]

    def position(self):
        return self.query("SELECT coalesce(max(position), 0) FROM echeck_cursor")[0][0]
