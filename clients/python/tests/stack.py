"""A suite that runs: `echeck up` with a sample world, and a token for a program."""

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ECHECK = ROOT / "target" / "debug" / "echeck"
ENTRIES = 20
SAMPLE = ["--payments", "400", "--seed", "7"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Stack:
    def __init__(self, folder):
        self.folder, self.data = folder, folder / "data"
        self.environment = os.environ | {"ECHECK_CONFIG_HOME": str(folder / "config")}
        self.port, self.token = free_port(), secrets.token_urlsafe(32)
        self.address = f"localhost:{self.port}"
        self.ca = self.data / "tls" / "ca.pem"
        self.file = folder / "returns.ach"
        self.echeck("sample", "world", "--out", self.data, *SAMPLE)
        self.echeck("sample", "nacha", "--entries", str(ENTRIES), "--out", self.file, *SAMPLE)
        hashed = hashlib.sha256(self.token.encode()).hexdigest()
        everything = json.dumps(["reader", "importer", "operator", "admin"])
        self.settings = folder / "settings.toml"
        self.settings.write_text(
            '[sources.nacha]\nformat = "nacha"\n'
            f'[access.certificates."spiffe://echeck.local/operator"]\nroles = {everything}\n'
            f'[access.tokens.docs]\nsha256 = "{hashed}"\nroles = ["reader", "importer"]\n'
        )
        self.process = None

    def echeck(self, *arguments, check=True):
        command = [str(part) for part in (ECHECK, *arguments)]
        return subprocess.run(
            command, env=self.environment, check=check, capture_output=True, text=True, timeout=60
        )

    def start(self):
        ports = ["--port", self.port, "--gateway-port", 0, "--rallypay-port", 0]
        command = [ECHECK, "up", "--data", self.data, "--settings", self.settings, *ports]
        with open(self.folder / "stack.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], env=self.environment, stdout=log, stderr=log
            )
        until = time.monotonic() + 30
        while self.echeck("status", check=False).returncode != 0:
            log = (self.folder / "stack.log").read_text()
            assert self.process.poll() is None and time.monotonic() < until, log[-4000:]
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=40)

    def first_transfer(self):
        """A transfer that the sample file returns."""
        listed = self.echeck("returns", "--json").stdout.splitlines()
        return json.loads(listed[-1])
