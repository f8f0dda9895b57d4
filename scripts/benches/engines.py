"""Imports into other databases, each against the same changes by hand: RallyPay's on MariaDB, and the
whole suite on SQLite files."""

import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

from .document import signature, spread
from .speed import EXPORT, GATEWAY_SCRIPT, RETURNS_SCRIPT, prepare
from .stack import DATABASES, TARGET, Services, free_port, fresh, say

ACCOUNT = "echeck:echeck@127.0.0.1"

MARIADB_EXPORT = r"""
\copy (SELECT transfer_id, code, payload::jsonb->>'description', (payload::jsonb->'entry'->>'settlement_date') || ' 12:00:00' FROM journal, jsonb_each(payload::jsonb->'effect') AS one(effect, says) WHERE effect IN ('return', 'reverse') ORDER BY transfer_id) TO '{folder}/returned.tsv'
"""

MARIADB_SCRIPT = r"""
START TRANSACTION;
CREATE TEMPORARY TABLE returned (transfer_id varchar(255) PRIMARY KEY, code varchar(255),
    description varchar(255), returned_at datetime(6)) ENGINE = InnoDB CHARSET utf8mb4;
LOAD DATA LOCAL INFILE '{folder}/returned.tsv' INTO TABLE returned;
UPDATE transactions o JOIN returned e ON e.transfer_id = o.transfer_id
    SET o.status = 'returned', o.failure_code = e.code, o.failure_description = e.description,
        o.returned_at = e.returned_at, o.updated_at = utc_timestamp(6),
        o.lock_version = o.lock_version + 1
    WHERE o.status IN ('pending', 'succeeded');
INSERT INTO script_cursor SELECT count(*) FROM returned;
COMMIT;
"""

CHANGED = ("SELECT transfer_id, status, failure_code, failure_description, returned_at, lock_version "
           "FROM transactions WHERE lock_version > 0 ORDER BY transfer_id")


class MariaDb:
    """A throwaway MariaDB server; its defaults are durable."""

    def __init__(self, folder):
        self.folder = folder / "maria"
        self.socket = folder / "maria.sock"
        self.port = free_port()
        user = f"--user={os.environ.get('USER', 'root')}" if os.getuid() == 0 else "--user=" + str(os.getuid())
        subprocess.run(["mariadb-install-db", "--no-defaults", user, f"--datadir={self.folder}",
                        "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", user, f"--datadir={self.folder}", f"--socket={self.socket}",
             f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
             "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G", "--local-infile=1",
             f"--log-error={folder}/maria.log"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Services.running.append(self.process)
        until = time.monotonic() + 60
        while subprocess.run(["mariadb-admin", "--no-defaults", "-S", self.socket, "ping"],
                             capture_output=True).returncode:
            if time.monotonic() > until:
                sys.exit("MariaDB did not start")
            time.sleep(0.1)
        self.sql("", f"CREATE USER 'echeck'@'127.0.0.1' IDENTIFIED BY 'echeck'; "
                     f"GRANT ALL ON *.* TO 'echeck'@'127.0.0.1'")
        self.version = self.sql("", "SELECT version()")

    def url(self, database):
        return f"mysql://{ACCOUNT}:{self.port}/{database}"

    def sql(self, database, text):
        command = ["mariadb", "--no-defaults", "--local-infile=1", "-S", self.socket, "-N", "-B"]
        return subprocess.run([*command, *([database] if database else [])], check=True, input=text,
                              capture_output=True, text=True).stdout.strip()

    def copy(self, origin, to):
        self.sql("", f"DROP DATABASE IF EXISTS {to}; CREATE DATABASE {to}")
        for table in self.sql(origin, "SHOW TABLES").split():
            self.sql("", f"CREATE TABLE {to}.{table} LIKE {origin}.{table}; "
                         f"INSERT INTO {to}.{table} SELECT * FROM {origin}.{table}")


def mariadb(server, folder, arguments):
    path = prepare(server, folder, arguments.payments, arguments.returns, None)
    maria = MariaDb(folder)
    maria.sql("", "CREATE DATABASE rallypay_0")
    subprocess.run([TARGET / "echeck", "sample", "world", "--payments", str(arguments.payments), "--out",
                    folder / "other", "--gateway-db", f"sqlite:{folder}/unused.db", "--rallypay-db",
                    maria.url("rallypay_0")], check=True)
    names = {"gateway": "gateway_0", "returns": "returns_0", "rallypay": maria.url("rallypay_0")}
    server.psql("postgres", "DROP DATABASE returns_0 WITH (FORCE)", "CREATE DATABASE returns_0",)
    Services(folder, server, names).stop()
    for name in DATABASES:
        if name != "rallypay":
            server.psql(f"{name}_0", "VACUUM ANALYZE")
    product, script = [], []
    for number in range(1, arguments.rounds + 1):
        names = fresh(server, "product")
        maria.copy("rallypay_0", "rallypay_product")
        names["rallypay"] = maria.url("rallypay_product")
        services = Services(folder, server, names)
        product.append(services.import_file(path))
        services.stop()
        script.append(by_hand(server, maria, folder, names))
        if maria.sql("rallypay_product", CHANGED) != maria.sql("rallypay_script", CHANGED):
            sys.exit("the product and the script left different rows in MariaDB")
        say(f"MariaDB, round {number}: product {product[-1]:.1f} s, script {script[-1]:.1f} s")
    return product, script, f"MariaDB {maria.version.split('-')[0]}"


def by_hand(server, maria, folder, names):
    """The same changes by scripts: seconds."""
    for name in ("gateway", "returns"):
        server.copy(f"{name}_0", f"{name}_script")
    maria.copy("rallypay_0", "rallypay_script")
    import_row = folder / "import.csv"
    server.script(names["returns"], f"\\copy imports TO '{import_row}' CSV\n")
    server.script(names["returns"], EXPORT.format(folder=folder))
    server.script(names["returns"], MARIADB_EXPORT.format(folder=folder))
    server.script("returns_script", "CREATE TABLE script_import (LIKE imports);\n"
                  f"\\copy script_import FROM '{import_row}' CSV\n")
    server.psql("gateway_script", "CREATE TABLE script_cursor (position bigint)")
    maria.sql("rallypay_script", "CREATE TABLE script_cursor (position bigint)")
    server.psql("postgres", "CHECKPOINT")
    began = time.monotonic()
    server.script("returns_script", RETURNS_SCRIPT.format(folder=folder))
    server.script("gateway_script", GATEWAY_SCRIPT.format(folder=folder))
    maria.sql("rallypay_script", MARIADB_SCRIPT.format(folder=folder))
    return time.monotonic() - began


# What is decided of each return: its transfer, its effect, the expected state, messages, code, words, the
# reversal, and the moment and day of the return.
SQLITE_EFFECTS = """CREATE TEMP TABLE effects (position, transfer_id, effect, expected, messages, code,
    description, decided_at, reversal_id, reversal_trace_id, amount, tags, returned_at)"""

SQLITE_GATEWAY = """
UPDATE transfers SET state = 'FAILED', messages = e.messages, failure_code = e.code,
        failure_message = e.description, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ'), ready_to_settle_at = NULL
    FROM effects e WHERE transfers.id = e.transfer_id AND e.effect = 'return' AND state = e.expected;
UPDATE transfers SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ')
    FROM effects e WHERE transfers.id = e.transfer_id AND e.effect = 'reverse'
        AND state = e.expected AND transfers.amount = e.amount;
INSERT INTO transfers (id, type, state, amount, currency, parent_id, subtype, fee, trace_id, messages, tags,
        created_at, updated_at, application, merchant_identity, destination)
    SELECT e.reversal_id, 'REVERSAL', 'SUCCEEDED', e.amount, o.currency, o.id, 'SYSTEM', 0,
        e.reversal_trace_id, '[]', e.tags, e.decided_at, e.decided_at, o.application, o.merchant_identity,
        o.source
    FROM effects e JOIN transfers o ON o.id = e.transfer_id WHERE e.effect = 'reverse';
"""

SQLITE_RALLYPAY = """
UPDATE transactions SET status = 'returned', failure_code = e.code, failure_description = e.description,
        updated_at = strftime('%Y-%m-%d %H:%M:%f'), returned_at = e.returned_at,
        lock_version = lock_version + 1
    FROM effects e WHERE transactions.transfer_id = e.transfer_id AND e.effect IN ('return', 'reverse')
        AND status IN ('pending', 'succeeded');
"""

SQLITE_CHANGED = {
    "gateway": "SELECT id, type, subtype, state, amount, parent_id, trace_id, destination, failure_code, "
               "failure_message FROM transfers WHERE subtype = 'SYSTEM' OR failure_code IS NOT NULL ORDER BY id",
    "rallypay": "SELECT transfer_id, status, failure_code, failure_description, lock_version "
                "FROM transactions WHERE lock_version > 0 ORDER BY transfer_id",
    "returns": "SELECT position, hash FROM journal ORDER BY position",
}


def decided(journal):
    """The rows of the effects, from the rows of a journal."""
    rows = []
    for position, payload, transfer_id, code in journal:
        row = json.loads(payload)
        for effect, says in row["effect"].items():
            reversal = says.get("reversal") or {}
            tags = json.dumps(dict(reversal.get("tags", [])), separators=(",", ":"))
            rows.append((position, transfer_id, effect, row["expected"]["state"].upper(),
                         json.dumps(says.get("messages", [])), code, row.get("description"), row["decided_at"],
                         reversal.get("id"), reversal.get("trace_id"),
                         row["transfer"]["amount"]["amount_minor"], tags,
                         f"{row['entry'].get('settlement_date')} 12:00:00.000000"))
    return sorted(rows, key=lambda row: row[1])


def connect(path):
    db = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        db.execute(f"PRAGMA {setting}")
    return db


def by_hand_in_sqlite(folder, product):
    """The same changes by hand: seconds."""
    read = connect(product["returns"])
    columns = [row[1] for row in read.execute("PRAGMA table_info(journal)")]
    journal = read.execute("SELECT * FROM journal ORDER BY position").fetchall()
    imports = read.execute("SELECT * FROM imports").fetchall()
    head = read.execute("SELECT position, hash FROM journal_head").fetchone()
    effects = decided(read.execute("SELECT position, payload, transfer_id, code FROM journal ORDER BY position"))
    script = {name: folder / f"script_{name}.db" for name in DATABASES}
    for name in DATABASES:
        shutil.copy(folder / f"origin_{name}.db", script[name])
    databases = {name: connect(path) for name, path in script.items()}
    began = time.monotonic()
    db = databases["returns"]
    db.execute("BEGIN IMMEDIATE")
    db.executemany(f"INSERT INTO imports VALUES ({', '.join('?' * len(imports[0]))})", imports)
    db.executemany(f"INSERT INTO journal VALUES ({', '.join('?' * len(columns))})", journal)
    db.execute("UPDATE journal_head SET position = ?, hash = ?", head)
    db.execute("COMMIT")
    for name, changes in (("gateway", SQLITE_GATEWAY), ("rallypay", SQLITE_RALLYPAY)):
        db = databases[name]
        db.execute("BEGIN IMMEDIATE")
        db.execute(SQLITE_EFFECTS)
        db.executemany(f"INSERT INTO effects VALUES ({', '.join('?' * 13)})", effects)
        for statement in changes.split(";\n"):
            if statement.strip():
                db.execute(statement)
        db.execute("COMMIT")
    took = time.monotonic() - began
    for name, sql in SQLITE_CHANGED.items():
        ours = connect(product[name]).execute(sql).fetchall()
        theirs = databases[name].execute(sql).fetchall()
        if not ours or ours != theirs:
            sys.exit(f"the product and the script left different rows in {name} on SQLite")
    return took


def sqlite(server, folder, arguments):
    payments, returns = max(arguments.payments // 4, 1_000), arguments.returns // 2
    echeck = TARGET / "echeck"
    subprocess.run([echeck, "sample", "world", "--payments", str(payments), "--out", folder / "files"], check=True)
    path = folder / "sqlite.ach"
    subprocess.run([echeck, "sample", "nacha", "--payments", str(payments), "--entries", str(returns), "--out",
                    path], check=True)
    shutil.copy(folder / "files" / "spool.key", folder / "world" / "spool.key")

    def urls(paths):
        return {name: f"sqlite://{path}" for name, path in paths.items()}

    first = {name: folder / "files" / f"{name}.db" for name in DATABASES}
    Services(folder, server, urls(first)).stop()
    for name, origin in first.items():
        db = sqlite3.connect(origin)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("ANALYZE")
        db.close()
        shutil.copy(origin, folder / f"origin_{name}.db")
    product, script = [], []
    for number in range(1, arguments.rounds + 1):
        paths = {name: folder / f"product_{name}.db" for name in DATABASES}
        for name, to in paths.items():
            for suffix in ("", "-wal", "-shm"):
                pathlib.Path(f"{to}{suffix}").unlink(missing_ok=True)
            shutil.copy(folder / f"origin_{name}.db", to)
        services = Services(folder, server, urls(paths))
        product.append(services.import_file(path))
        services.stop()
        script.append(by_hand_in_sqlite(folder, paths))
        for name in DATABASES:
            for suffix in ("", "-wal", "-shm"):
                pathlib.Path(f"{folder}/script_{name}.db{suffix}").unlink(missing_ok=True)
        say(f"SQLite, round {number}: product {product[-1]:.1f} s, script {script[-1]:.1f} s")
    return product, script, f"SQLite {sqlite3.sqlite_version}, {returns:,} returns"


def engines(server, folder, arguments):
    lines = [f"| {arguments.returns:,} returns into {arguments.payments:,} payments | the product "
             "| the same by hand | times |", "|---|---|---|---:|"]
    good = True
    for words, measure in (("RallyPay's database on {}", mariadb), ("everything on {}", sqlite)):
        product, script, what = measure(server, folder, arguments)
        times = statistics.median(product) / statistics.median(script)
        good &= times <= 1
        lines.append(f"| {words.format(what)} | {spread(product)} | {spread(script)} | {times:.2f} |")
    return [*lines, "", signature(server)], good
