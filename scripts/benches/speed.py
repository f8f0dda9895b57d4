"""An import against a psql script that makes the same durable changes.

The product gets a NACHA file through ImportFile and must have it applied in both databases. The
script gets the decided rows as CSV files, and does the rest: COPY into the journal, UPDATE … FROM and
INSERT … SELECT, in one transaction per database. After each round the two outcomes are compared row
by row.
"""

import statistics
import subprocess
import sys
import time

from .document import signature, spread
from .stack import DATABASES, TARGET, Services, fresh, say

EXPORT = r"""
\copy (SELECT position, hash, payload, transfer_id, return_id, code, import_id, recorded_at FROM journal ORDER BY position) TO '{folder}/journal.csv' CSV
\copy (SELECT position, transfer_id, effect, payload::jsonb->'expected'->>'state', says->'messages', code, payload::jsonb->>'description', left(payload::jsonb->>'decided_at', 26) || 'Z', says->'reversal'->>'id', says->'reversal'->>'trace_id', payload::jsonb->'transfer'->'amount'->>'amount_minor', (SELECT jsonb_object_agg(tag->>0, tag->>1) FROM jsonb_array_elements(says->'reversal'->'tags') AS tag), payload::jsonb->'entry'->>'settlement_date' FROM journal, jsonb_each(payload::jsonb->'effect') AS one(effect, says) ORDER BY transfer_id) TO '{folder}/effects.csv' CSV
"""

RETURNS_SCRIPT = r"""
BEGIN;
INSERT INTO imports SELECT * FROM script_import;
\copy journal (position, hash, payload, transfer_id, return_id, code, import_id, recorded_at) FROM '{folder}/journal.csv' CSV
UPDATE journal_head SET position = j.position, hash = j.hash
    FROM (SELECT position, hash FROM journal ORDER BY position DESC LIMIT 1) AS j;
COMMIT;
"""

EFFECTS = r"""
BEGIN;
CREATE TEMP TABLE effects (position bigint, transfer_id text, effect text, expected text,
    messages jsonb, code text, description text, decided_at timestamptz, reversal_id text,
    reversal_trace_id text, amount bigint, tags jsonb, returned_on date) ON COMMIT DROP;
\copy effects FROM '{folder}/effects.csv' CSV
"""

GATEWAY_SCRIPT = EFFECTS + r"""
UPDATE transfers o SET state = 'FAILED', messages = e.messages, failure_code = e.code,
        failure_message = e.description, updated_at = now(), ready_to_settle_at = NULL
    FROM effects e WHERE o.id = e.transfer_id AND upper(e.effect) = 'RETURN'
        AND o.state = upper(e.expected);
UPDATE transfers o SET updated_at = now()
    FROM effects e WHERE o.id = e.transfer_id AND upper(e.effect) = 'REVERSE'
        AND o.state = upper(e.expected) AND o.amount = e.amount;
INSERT INTO transfers (id, type, state, amount, currency, parent_id, subtype, fee, trace_id,
        messages, tags, created_at, updated_at, application, merchant_identity, destination)
    SELECT e.reversal_id, 'REVERSAL', 'SUCCEEDED', e.amount, o.currency, o.id, 'SYSTEM', 0,
        e.reversal_trace_id, '[]', e.tags, e.decided_at, now(), o.application,
        o.merchant_identity, o.source
    FROM effects e JOIN transfers o ON o.id = e.transfer_id WHERE upper(e.effect) = 'REVERSE';
INSERT INTO script_cursor SELECT max(position) FROM effects;
COMMIT;
"""

RALLYPAY_SCRIPT = EFFECTS + r"""
UPDATE transactions o SET status = 'returned', failure_code = e.code,
        failure_description = e.description, updated_at = now() AT TIME ZONE 'UTC',
        returned_at = coalesce(e.returned_on + time '12:00',
            e.decided_at AT TIME ZONE 'UTC'),
        lock_version = o.lock_version + 1
    FROM effects e WHERE o.transfer_id = e.transfer_id
        AND upper(e.effect) IN ('RETURN', 'REVERSE') AND o.status IN ('pending', 'succeeded');
INSERT INTO script_cursor SELECT max(position) FROM effects;
COMMIT;
"""

FINGERPRINTS = {
    "gateway": "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM (SELECT id, type, subtype, "
               "state, amount, parent_id, trace_id, destination, messages, tags, failure_code, "
               "failure_message FROM transfers WHERE updated_at > "
               "(SELECT min(updated_at) FROM transfers WHERE subtype = 'SYSTEM') "
               "- interval '1 minute') AS t",
    "rallypay": "SELECT md5(string_agg(t::text, '' ORDER BY transfer_id)) FROM (SELECT "
                "transfer_id, status, failure_code, failure_description, returned_at, "
                "lock_version FROM transactions WHERE lock_version > 0) AS t",
    "returns": "SELECT md5(string_agg(encode(hash, 'hex'), '' ORDER BY position)) FROM journal",
}


def prepare(server, folder, payments, returns, per_batch):
    say(f"filling two databases with {payments:,} payments each")
    for name in DATABASES:
        server.psql("postgres", f"CREATE DATABASE {name}_0")
    echeck = TARGET / "echeck"
    subprocess.run([echeck, "sample", "world", "--payments", str(payments), "--out",
                    folder / "world", "--gateway-db", server.url("gateway_0"), "--rallypay-db",
                    server.url("rallypay_0")], check=True)
    for name in ("gateway", "rallypay"):
        server.psql(f"{name}_0", "VACUUM ANALYZE")
    # A first start creates the adapters' own tables and those of the returns database.
    services = Services(folder, server, {name: f"{name}_0" for name in DATABASES})
    services.stop()
    path = folder / "returns.ach"
    arguments = ["--per-batch", str(per_batch)] if per_batch else []
    subprocess.run([echeck, "sample", "nacha", "--payments", str(payments), "--entries",
                    str(returns), "--out", path, *arguments], check=True)
    return path


def product_round(server, folder, path, more="", metrics_port=None):
    names = fresh(server, "product")
    services = Services(folder, server, names, more, metrics_port)
    took = services.import_file(path)
    peaks, stages = services.peak_mib(), services.stages()
    services.stop()
    return took, peaks, stages, names


def script_round(server, folder, product):
    for name in ("gateway", "rallypay", "returns"):
        server.copy(f"{name}_0", f"{name}_script")
    import_row = folder / "import.csv"
    server.script(product["returns"], f"\\copy imports TO '{import_row}' CSV\n")
    server.script(product["returns"], EXPORT.format(folder=folder))
    server.script("returns_script", "CREATE TABLE script_import (LIKE imports);\n"
                  f"\\copy script_import FROM '{import_row}' CSV\n")
    for name in ("gateway", "rallypay"):
        server.psql(f"{name}_script", "CREATE TABLE script_cursor (position bigint)")
    server.psql("postgres", "CHECKPOINT")
    steps = {}
    for name, text in (("returns", RETURNS_SCRIPT), ("gateway", GATEWAY_SCRIPT),
                       ("rallypay", RALLYPAY_SCRIPT)):
        began = time.monotonic()
        server.script(f"{name}_script", text.format(folder=folder))
        steps[name] = time.monotonic() - began
    for name, sql in FINGERPRINTS.items():
        ours, theirs = server.psql(product[name], sql), server.psql(f"{name}_script", sql)
        if ours != theirs or not ours:
            sys.exit(f"the product and the script left different rows in {name}: "
                     f"{ours or 'none'} and {theirs or 'none'}")
    return sum(steps.values()), steps


def speed(server, folder, arguments):
    path = prepare(server, folder, arguments.payments, arguments.returns, None)
    rounds = []
    for number in range(1, arguments.rounds + 1):
        took, peaks, stages, names = product_round(server, folder, path)
        scripted, steps = script_round(server, folder, names)
        say(f"round {number}: product {took:.1f} s, script {scripted:.1f} s, "
            f"{took / scripted:.2f} times")
        rounds.append((took, peaks, stages, scripted, steps))
    product, script = [one[0] for one in rounds], [one[3] for one in rounds]
    ratio = statistics.median(product) / statistics.median(script)
    lines = [
        f"| Import of {arguments.returns:,} returns into {arguments.payments:,} transfers and "
        f"{arguments.payments:,} transactions | median (spread) of {arguments.rounds} |",
        "|---|---|",
        f"| the product, file in to both databases applied | {spread(product)} |",
        f"| the psql script, decided rows in to the same changes | {spread(script)} |",
        f"| **times the script's time** | **{ratio:.2f}** |",
        f"| returns a second | {arguments.returns / statistics.median(product):,.0f} |",
        "",
        signature(server),
        "",
        "Where the time goes (milliseconds of each stage, median; stages overlap):",
        "",
        "| stage | ms |",
        "|---|---:|",
    ]
    for key in rounds[0][2]:
        value = statistics.median(one[2].get(key, 0) for one in rounds)
        lines.append(f"| {key} | {value:,.0f} |")
    lines += ["", "| the script's part | s |", "|---|---:|"]
    for key in rounds[0][4]:
        lines.append(f"| {key} | {statistics.median(one[4][key] for one in rounds):.1f} |")
    return lines, ratio <= 1.3
