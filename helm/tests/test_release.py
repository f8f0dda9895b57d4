"""A release on this machine: what the chart renders comes up, on a real PostgreSQL."""

import os
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import time

import pytest

import pod
from engine import PRODUCTION, ROOT, manifests, merged, named, nested, notes

SERVERS = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
VALUES = merged(nested("tls", PRODUCTION["tls"]), nested("returnsService.config.webhooks.enabled", False))


def postgres(folder):
    """Starts a server with an empty database, in which `admin` is the administrator."""
    tools, port = SERVERS[-1].parent, pod.free_port()
    data = folder / "postgres"
    data.mkdir()
    # It refuses to run as root, and as a user without a name.
    other = {}
    if pod.USER is not None:
        nobody = pwd.getpwnam("nobody")
        other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
    subprocess.run([tools / "initdb", "-D", data, "-U", "admin", "-N", "--auth=trust"],
                   check=True, capture_output=True, **other)
    listens = ["-p", str(port), "-k", "", "-h", "127.0.0.1"]
    server = subprocess.Popen([tools / "postgres", "-D", data, *listens], stderr=subprocess.DEVNULL, **other)
    for _ in range(100):
        if subprocess.run([tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0:
            break
        time.sleep(0.1)
    admin = f"postgres://admin@127.0.0.1:{port}"
    psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, "-d", f"{admin}/postgres", "-c", "CREATE DATABASE returns"], check=True)
    roles = ROOT / "crates" / "returns-store" / "roles" / "postgres.sql"
    subprocess.run([*psql, "--single-transaction", "-d", f"{admin}/returns", "-f", roles], check=True, capture_output=True)
    return server, lambda account: f"postgres://{account}@127.0.0.1:{port}/returns"


def shell(folder, container):
    """The container of the grants, whose command is a line of a shell."""
    return [*container["command"], container["args"][0].replace("/etc/echeck", str(folder))]


@pytest.mark.skipif(not SERVERS or not shutil.which("psql"), reason="PostgreSQL is not installed")
def test_a_release_migrates_starts_and_passes_its_helm_test_with_the_accounts_that_it_names():
    """The Job, the three programs with mutual TLS by the names in the Certificates, the probes, the
    commands of the notes, and the test pod, as the user of the pods."""
    for program in (*pod.PROGRAMS, "echeck"):
        pod.binary(program)
    documents = manifests(VALUES)
    started = []
    with pod.machine() as machine:
        try:
            server, address = postgres(machine)
            started.append(server)

            job = named(documents, "Job", "migrate")["spec"]["template"]["spec"]
            folder = pod.mount(machine / "migrate", documents, named(documents, "Job", "migrate"),
                               {"database-url": address("echeck_returns_owner")})
            migrated = pod.run(pod.command(folder, job["initContainers"][0]))
            assert migrated.returncode == 0, migrated.stderr
            granted = pod.run(shell(folder, job["containers"][0]))
            assert granted.returncode == 0 and "COMMIT" in granted.stdout, granted.stderr

            addresses = {}
            for program, database in (("gateway-adapter", "gateway"), ("rallypay-adapter", "rallypay"), ("returns-service", None)):
                owner = named(documents, "Deployment", program)
                [container] = owner["spec"]["template"]["spec"]["containers"]
                folder, volume = machine / program, pod.volume(machine / f"{program}-volume")
                url = f"sqlite://{volume}/target.db" if database else address("echeck_returns")
                # The names of Services lead nowhere here; the identities are those of the chart.
                issued = pod.authority().issue(named(documents, "Certificate", program)["spec"], ["localhost"])
                pod.mount(folder, documents, owner, {"database-url": url}, issued)
                if database:
                    with sqlite3.connect(volume / "target.db") as target:
                        target.executescript((ROOT / program / "schema" / "sqlite.sql").read_text())
                    if pod.USER is not None:
                        os.chown(volume / "target.db", pod.USER, pod.USER)
                grpc, metrics = pod.free_port(), pod.free_port()
                here = {"ECHECK__SERVER__LISTEN": f"127.0.0.1:{grpc}", "ECHECK__METRICS__LISTEN": f"127.0.0.1:{metrics}"}
                if database:
                    addresses[f"ECHECK__DATABASES__{database.upper()}__ADAPTER"] = f"https://localhost:{grpc}"
                else:
                    here |= addresses | {"ECHECK__SPOOL__FOLDER": f"{volume}/spool", "ECHECK__REPLICA__NAME": "pod-1"}
                log = machine / f"{program}.log"
                process = pod.start(pod.command(folder, container), log, **here)
                started.append(process)
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    path = container[probe]["httpGet"]["path"]
                    assert pod.wait_for(f"http://127.0.0.1:{metrics}{path}", process, log) == 200
                if database:
                    [line] = [one for one in notes(VALUES).splitlines() if "exec" in one and f"/{program}.toml" in one]
                    told = line.split(" -- ")[1].replace("/etc/echeck", str(folder)).split()
                    checked = pod.run([str(pod.binary(told[0])), *told[1:]])
                    assert checked.returncode == 0, checked.stderr
            spool = machine / "returns-service-volume" / "spool"
            assert spool.stat().st_mode & 0o777 == 0o700

            test = named(documents, "Pod", "test")
            [container] = test["spec"]["containers"]
            folder = machine / "test"
            variables = {one["name"]: one["value"].replace("/etc/echeck", str(folder)) for one in container["env"]}
            assert variables["ECHECK_SERVER"] == "https://demo-echeck-returns-returns-service.payments.svc:50051"
            variables["ECHECK_SERVER"] = f"https://localhost:{grpc}"
            asked = named(documents, "Certificate", "test")["spec"]
            pod.mount(folder, documents, test, {}, pod.authority().issue(asked))
            for _ in range(50):
                ended = pod.run(pod.command(folder, container), **variables)
                if ended.returncode == 0:
                    break
            assert ended.returncode == 0 and "Everything is available." in ended.stdout, ended.stdout + ended.stderr

            # A certificate of the same CA with another name gives no role.
            pod.mount(folder, documents, test, {}, pod.authority().issue(dict(asked, uris=["spiffe://pay.example/other"])))
            assert pod.run(pod.command(folder, container), **variables).returncode != 0
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(40)
