"""The servers of a measurement: PostgreSQL with durable settings, and the three services."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import certificates

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
# The folder of the programs.
TARGET = pathlib.Path(os.environ.get(
    "ECHECK_PROGRAMS", pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target")) / "release"))
DATABASES = ("gateway", "rallypay", "returns")

ACCOUNT_SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
fsync = on
synchronous_commit = on
full_page_writes = on
"""


def say(text):
    print(f"\033[1m==>\033[0m {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A throwaway PostgreSQL server."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = binaries[-1] if binaries else pathlib.Path(shutil.which("initdb")).parent
        self.data = folder / "pg"
        self.data.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        os.chmod(folder, 0o755)
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8",
                 "-E", "UTF8", "-N")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(ACCOUNT_SETTINGS)
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.data}'\n")
        self.run("pg_ctl", "-D", self.data, "-l", self.data / "log", "-w", "start")

    def run(self, program, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def configure(self, settings):
        """Starts again with more settings."""
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(settings)
        self.run("pg_ctl", "-D", self.data, "-l", self.data / "log", "-w", "restart")

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, database, *statements):
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(database)]
        for statement in statements:
            command += ["-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def script(self, database, text):
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", self.url(database)], check=True,
                       input=text, text=True, stdout=subprocess.DEVNULL)

    def copy(self, origin, to):
        self.psql("postgres", f"DROP DATABASE IF EXISTS {to} WITH (FORCE)",
                  f"CREATE DATABASE {to} TEMPLATE {origin}")

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


class Services:
    """The three services as processes, with mutual TLS. `more` is added to the configuration of each,
    `service` to that of the returns service. A name may be that of a database of the server, or a URL."""

    # None of them may outlive the measurement.
    running = []

    def __init__(self, folder, server, names, more="", metrics_port=None, service=""):
        self.folder = folder
        urls = {name: to if ":" in to else server.url(to) for name, to in names.items()}
        self.ports = [free_port() for _ in range(3)]
        self.processes = []
        self.tls = folder / "tls"
        if not self.tls.exists():
            certificates.make(self.tls)
        spool = folder / "spool"
        shutil.rmtree(spool, ignore_errors=True)
        # `echeck sample world` has created a key.
        key = folder / "world" / "spool.key"
        for program, port, name in (
            ("gateway-adapter", self.ports[1], "gateway"),
            ("rallypay-adapter", self.ports[2], "rallypay"),
        ):
            self.start(program, port, f"""
{self.server_section(program, port)}
[access.certificates."spiffe://bench/returns-service"]
roles = ["adapter_client"]
[target]
url = "{urls[name]}"
{more}""")
        self.start("returns-service", self.ports[0], f"""
{self.server_section("returns-service", self.ports[0])}
# Callers of a measurement are many with one name.
max_calls_per_identity = 1000
[access.certificates."spiffe://bench/caller"]
roles = ["reader", "importer", "operator", "admin"]
[adapter_tls]
ca_file = "{self.tls}/ca.pem"
certificate_file = "{self.tls}/returns-service.pem"
key_file = "{self.tls}/returns-service.key"
[log]
format = "json"
[database]
url = "{urls["returns"]}"
[spool]
folder = "{spool}"
identity_file = "{key}"
[databases.gateway]
adapter = "https://localhost:{self.ports[1]}"
role = "system_of_record"
[databases.rallypay]
adapter = "https://localhost:{self.ports[2]}"
role = "mirror"
[sources.nacha]
format = "nacha"
# The script releases no reversal to settlement either.
[reversals]
ready = "by_hand"
{service}
{more}{f'[metrics]{chr(10)}listen = "127.0.0.1:{metrics_port}"' if metrics_port else ""}""")

    def server_section(self, program, port):
        return f"""[server.tls]
certificate_file = "{self.tls}/{program}.pem"
key_file = "{self.tls}/{program}.key"
client_ca_file = "{self.tls}/ca.pem"
client_certificates = "required"
[server]
listen = "127.0.0.1:{port}"
"""

    def caller_files(self):
        """How a caller shows who it is."""
        return ["--ca", self.tls / "ca.pem", "--cert", self.tls / "caller.pem", "--key",
                self.tls / "caller.key"]

    def address(self):
        return f"https://localhost:{self.ports[0]}"

    def start(self, program, port, config):
        path = self.folder / f"{program}.toml"
        path.write_text(config, encoding="utf-8")
        with open(self.folder / f"{program}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen([TARGET / program, "--config", path], stdout=log,
                                       stderr=log)
        self.processes.append((program, process))
        Services.running.append(process)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if process.poll() is not None:
                sys.exit(f"{program} stopped: {(self.folder / (program + '.log')).read_text()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        sys.exit(f"{program} did not listen within 60 s")

    def echeck(self, *arguments, good=(0,)):
        """Runs a command of the operator; gives what it printed."""
        done = subprocess.run([TARGET / "echeck", *map(str, arguments), "--json", "--server", self.address(),
                               *self.caller_files()], capture_output=True, text=True)
        if done.returncode not in good:
            sys.exit(f"echeck {arguments[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def import_file(self, path):
        """Imports a file to its end; gives the seconds it took."""
        began = time.monotonic()
        self.echeck("import", path, "--source", "nacha", "--wait", "applied", "--timeout-s", "3000",
                    good=(0, 2))
        return time.monotonic() - began

    def peak_mib(self):
        peaks = {}
        for program, process in self.processes:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            peaks[program] = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
        return peaks

    def stages(self):
        """Where the time went, as the service's log says it."""
        found = {}
        for line in (self.folder / "returns-service.log").read_text().splitlines():
            if not line.startswith("{"):
                continue
            entry = json.loads(line)
            fields = entry.get("fields", entry)
            prefix = fields.get("database", "import")
            for name, value in fields.items():
                if name.endswith("_ms") and isinstance(value, int):
                    key = f"{prefix} {name[:-3]}"
                    found[key] = found.get(key, 0) + value
        return found

    def stop(self):
        for _, process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for _, process in self.processes:
            process.wait(60)

    def cpu_seconds(self):
        """What the three have used so far, by program."""
        ticks = os.sysconf("SC_CLK_TCK")
        used = {}
        for program, process in self.processes:
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            used[program] = (int(fields[11]) + int(fields[12])) / ticks
        return used


def fresh(server, kind):
    names = {}
    for name in DATABASES:
        names[name] = f"{name}_{kind}"
        server.copy(f"{name}_0", names[name])
    server.psql("postgres", "CHECKPOINT")
    return names
