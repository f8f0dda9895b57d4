"""A whole suite of processes with TLS: a returns service, and an adapter for each database."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import running

ECHECK = running.BINARIES / "echeck"
PAYMENTS, ENTRIES, SEED = 200, 60, 7


def run(*command, folder):
    environment = os.environ | {"ECHECK_CONFIG_HOME": str(folder)}
    command = [str(part) for part in command]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def certificates(folder):
    """The folder of the CA and the certificates that `echeck up` makes for a stack."""
    command = [ECHECK, "up", "--data", folder, "--port", 0, "--gateway-port", 0, "--rallypay-port", 0]
    stack = running.Process(command, folder.with_suffix(".log"), {"ECHECK_CONFIG_HOME": str(folder)})
    folder.mkdir()
    stack.start()
    try:
        running.eventually("certificates", lambda: stack.check() or (folder / "tls" / "valid_until").exists())
    finally:
        stack.end(signal.SIGTERM)
    return folder


class Suite:
    """The databases are those of a sample world. One of the adapters is the example."""

    def __init__(self, folder, made, example_is_mirror):
        self.folder, self.made, self.example_is_mirror = folder, made, example_is_mirror
        self.tls = self.made / "tls"
        self.port = running.free_port()
        self.world()
        self.example = running.Process(self.example_command(), folder / "example.log")
        name = "gateway" if example_is_mirror else "rallypay"
        self.real = running.Process(self.real_command(name), folder / f"{name}.log")
        self.service = running.Process(self.service_command(), folder / "service.log")

    def world(self):
        world = [ECHECK, "sample", "world", "--out", self.folder, "--payments", PAYMENTS, "--seed", SEED]
        assert run(*world, folder=self.folder).returncode == 0
        file = [ECHECK, "sample", "nacha", "--entries", ENTRIES, "--payments", PAYMENTS, "--seed", SEED]
        assert run(*file, "--out", self.file, folder=self.folder).returncode == 0
        self.table = self.folder / "payments.db"
        db = sqlite3.connect(self.table)
        db.executescript((running.EXAMPLE / "payments.sql").read_text())
        db.execute("ATTACH ? AS gateway", [str(self.folder / "gateway.db")])
        db.execute(
            "INSERT INTO payments (id, type, subtype, state, amount, currency, trace_id, payment_id, "
            "ach_trace, individual_id, merchant, source, destination, parent_id, settlement_date, updated_at) "
            "SELECT id, type, subtype, state, amount, currency, trace_id, payment_id, ach_trace, "
            "individual_id, merchant_identity, source, destination, parent_id, settlement_date, updated_at "
            "FROM gateway.transfers"
        )
        db.commit()
        db.close()

    @property
    def file(self):
        return self.folder / "returns.ach"

    def pair(self, name):
        return self.tls / f"{name}.pem", self.tls / f"{name}.key"

    def example_command(self):
        self.example_port = running.free_port()
        holder = "rallypay-adapter" if self.example_is_mirror else "gateway-adapter"
        command = [sys.executable, running.EXAMPLE / "adapter.py", "--database", self.table]
        command += ["--listen", f"127.0.0.1:{self.example_port}", "--tls", *self.pair(holder)]
        command += [self.tls / "ca.pem", "--caller", "spiffe://echeck.local/returns-service"]
        return command + (["--mirror"] if self.example_is_mirror else [])

    def real_command(self, name):
        self.real_port = running.free_port()
        settings = self.server(self.real_port, f"{name}-adapter")
        settings += f'[target]\nurl = "sqlite://{self.folder / name}.db"\n'
        settings += self.caller("returns-service", ["adapter_client"])
        return [running.BINARIES / f"{name}-adapter", "--config", self.config(name, settings)]

    def service_command(self):
        example, real = f"https://127.0.0.1:{self.example_port}", f"https://127.0.0.1:{self.real_port}"
        leads, follows = (real, example) if self.example_is_mirror else (example, real)
        certificate, key = self.pair("returns-service")
        settings = self.server(self.port, "returns-service")
        settings += self.caller("operator", ["importer", "reader", "operator"])
        settings += (
            f'[adapter_tls]\nca_file = "{self.tls}/ca.pem"\n'
            f'certificate_file = "{certificate}"\nkey_file = "{key}"\n'
            f'[database]\nurl = "sqlite://{self.folder}/returns.db"\n'
            f'[spool]\nfolder = "{self.folder}/spool"\nidentity_file = "{self.made}/spool.key"\n'
            f'[databases.leading]\nadapter = "{leads}"\nrole = "system_of_record"\n'
            f'[databases.following]\nadapter = "{follows}"\nrole = "mirror"\n'
            '[sources.nacha]\nformat = "nacha"\n'
            # Many batches, so that a kill is between two of them.
            "[feed]\nbatch_size = 2\n"
        )
        return [running.BINARIES / "returns-service", "--config", self.config("service", settings)]

    def server(self, port, holder):
        certificate, key = self.pair(holder)
        return (
            f'[server]\nlisten = "127.0.0.1:{port}"\n[server.tls]\ncertificate_file = "{certificate}"\n'
            f'key_file = "{key}"\nclient_ca_file = "{self.tls}/ca.pem"\n'
        )

    def caller(self, holder, roles):
        return f'[access.certificates."spiffe://echeck.local/{holder}"]\nroles = {json.dumps(roles)}\n'

    def config(self, name, settings):
        path = self.folder / f"{name}.toml"
        path.write_text(settings)
        return path

    def start(self):
        for process in (self.example, self.real, self.service):
            process.start()
        running.eventually("the service answers", self.answers)
        running.eventually("it has claimed the target", lambda: self.seen("echeck_identity", "database_name"))
        return self

    def answers(self):
        self.service.check()
        return self.echeck("status").returncode == 0

    def echeck(self, *arguments):
        certificate, key = self.pair("operator")
        at = ["--server", f"https://127.0.0.1:{self.port}", "--ca", self.tls / "ca.pem"]
        command = [ECHECK, *arguments, *at, "--cert", certificate, "--key", key]
        return run(*command, folder=self.folder)

    def stop(self):
        for process in (self.service, self.real, self.example):
            process.end(signal.SIGTERM)

    def query(self, sql, *values):
        db = sqlite3.connect(self.table, timeout=10)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def seen(self, table, column):
        """The value in one of the adapter's own tables, if that is there."""
        try:
            return self.query(f"SELECT max({column}) FROM {table}")[0][0]
        except sqlite3.OperationalError:  # it has not created its tables yet
            return None

    def changed(self):
        """How many payments have been changed."""
        return self.query("SELECT count(*) FROM payments WHERE version > 0 AND subtype != 'SYSTEM'")[0][0]

    def change(self, sql):
        """The owner changes something."""
        db = sqlite3.connect(self.table, timeout=10)
        with db:
            db.execute(sql)
        db.close()

    def returns(self):
        listed = self.echeck("returns", "--json", "--limit", "500")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line) for line in listed.stdout.splitlines()]
