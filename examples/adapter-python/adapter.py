#!/usr/bin/env python
"""An adapter for echeck-returns in front of the table `payments` of a SQLite file.

    python adapter.py --database payments.db --listen 127.0.0.1:50053 --mirror
"""

# The WHERE clause is the lock: each UPDATE names the state that the change was decided on. When the
# row has moved on, nothing is changed, and the answer says why.

import echeck_adapter
from echeck.adapter.v1 import transfer_pb2 as proto
from echeck_adapter import NEW_TRANSFER

COLUMNS = (
    "id type subtype state amount currency trace_id payment_id ach_trace individual_id merchant source "
    "destination parent_id code description returned_on ready_to_settle_at settlement_date version "
    "updated_at"
).split()
KEYS = [None, "id", "trace_id", "payment_id", "ach_trace", "individual_id"]
# The state in which a change leaves the payment. Every other change leaves its state alone: a new
# row moves the money.
ENDS = {"fail_transfer": "FAILED", "return_transfer": "RETURNED"}
NEITHER_FAILED_NOR_BACK = ["PENDING", "SUCCEEDED"]


class Payments:
    name = "payments"

    def __init__(self, is_mirror):
        self.is_mirror = is_mirror

    def check(self, db):
        """Fails where a column is missing, or no write is taken. It changes no row."""
        db.execute(f"SELECT {', '.join(COLUMNS)} FROM payments WHERE 1 = 0")
        db.execute("UPDATE payments SET state = state WHERE 1 = 0")

    def expected_states(self, expected):
        """A mirror lags behind the system of record, so it may still have an earlier state."""
        state = proto.TransferState.Name(expected.state).removeprefix("TRANSFER_STATE_")
        if self.is_mirror and state in NEITHER_FAILED_NOR_BACK:
            return NEITHER_FAILED_NOR_BACK
        return [state]

    def apply(self, db, step, now):
        """Makes a change. Returns None, or the kind of exception and a sentence."""
        kind = step.WhichOneof("change")
        change = getattr(step, kind)
        if kind == "release_to_settlement":
            return release(db, change, now)
        if change.expected.HasField("in_deposit") and not self.is_mirror:
            what = "was decided on by its deposit, which this table does not record"
            return "MOVED_ON", f"transfer {change.transfer_id} {what}"
        new = getattr(change, NEW_TRANSFER[kind]) if kind in NEW_TRANSFER else None
        parent_id = (new.parent_id or change.transfer_id) if new else None
        if parent_id and not db.execute("SELECT 1 FROM payments WHERE id = ?", [parent_id]).fetchone():
            return not_found(parent_id)
        states = self.expected_states(change.expected)
        changed = db.execute(
            "UPDATE payments SET state = coalesce(?, state), code = nullif(?, ''), description = ?, "
            "returned_on = nullif(?, ''), version = version + 1, updated_at = ? "
            f"WHERE id = ? AND state IN ({', '.join('?' * len(states))}) AND amount = coalesce(?, amount)",
            [ENDS.get(kind), change.reason.code, change.reason.description, change.reason.returned_on]
            + [now, change.transfer_id, *states, new.amount_minor if new else None],
        )
        if changed.rowcount != 1:
            return why_not(db, change.transfer_id, states, new)
        if new:
            insert(db, kind, change.transfer_id, new, parent_id, now)
        return None

    def lookup(self, db, key):
        """At most 10 payments, and whether there are more."""
        sql = f"SELECT {', '.join(COLUMNS)} FROM payments WHERE {KEYS[key.kind]} = ? ORDER BY id LIMIT 11"
        rows = [dict(zip(COLUMNS, row)) for row in db.execute(sql, [key.value])]
        return [transfer(db, row) for row in rows[:10]], len(rows) > 10

    def difference(self, db, applied):
        """What the table shows instead of a change that was applied; None where it still shows."""
        kind = applied.step.WhichOneof("change")
        change = getattr(applied.step, kind)
        row = read(db, change.transfer_id)
        if row is None:
            return f"there is no transfer {change.transfer_id}"
        if kind == "release_to_settlement":
            return None if row["ready_to_settle_at"] else f"transfer {row['id']} is not released"
        if kind in ENDS and row["state"] != ENDS[kind]:
            return f"transfer {row['id']} is {row['state']}, not {ENDS[kind]}"
        # A later step wrote its own code.
        if not applied.followed and (row["code"] or "") != change.reason.code:
            return f"transfer {row['id']} does not have the code {change.reason.code}"
        if kind in NEW_TRANSFER:
            new = getattr(change, NEW_TRANSFER[kind])
            made = read(db, new.id)
            is_there = made and made["amount"] == new.amount_minor
            return None if is_there else f"there is no transfer {new.id} over {new.amount_minor}"
        return None


def read(db, transfer_id):
    sql = f"SELECT {', '.join(COLUMNS)} FROM payments WHERE id = ?"
    row = db.execute(sql, [transfer_id]).fetchone()
    return row and dict(zip(COLUMNS, row))


def release(db, change, now):
    changed = db.execute(
        "UPDATE payments SET ready_to_settle_at = ?, version = version + 1, updated_at = ? "
        "WHERE id = ? AND state = 'SUCCEEDED' AND ready_to_settle_at IS NULL",
        [change.ready_to_settle_at.ToJsonString(), now, change.transfer_id],
    )
    if changed.rowcount == 1:
        return None
    row = read(db, change.transfer_id)
    if row is None:
        return not_found(change.transfer_id)
    if row["state"] != "SUCCEEDED":  # it can never be settled: a person must know
        return "REFUSED", f"transfer {row['id']} is {row['state']}, and cannot be settled"
    if row["ready_to_settle_at"]:
        return "MOVED_ON", f"transfer {row['id']} is released to settlement already"
    return ignored(row)


def insert(db, kind, original_id, new, parent_id, now):
    """A restoration has the type and the parties of the payment; a reversal takes the money back."""
    restores = kind == "restore_transfer"
    parties = "type, source, destination" if restores else "'REVERSAL', NULL, source"
    db.execute(
        "INSERT INTO payments (type, source, destination, id, subtype, state, amount, currency, trace_id, "
        f"parent_id, merchant, version, updated_at) SELECT {parties}, ?, 'SYSTEM', 'SUCCEEDED', ?, ?, "
        "nullif(?, ''), ?, merchant, 1, ? FROM payments WHERE id = ?",
        [new.id, new.amount_minor, new.currency, new.trace_id, parent_id, now, original_id],
    )


def why_not(db, transfer_id, states, new):
    """Why an UPDATE hit no row."""
    row = read(db, transfer_id)
    if row is None:
        return not_found(transfer_id)
    if row["state"] not in states:
        wanted = " or ".join(states)
        return "MOVED_ON", f"transfer {transfer_id} is {row['state']}, not {wanted} as it was decided on"
    if new and row["amount"] != new.amount_minor:
        return "MOVED_ON", f"transfer {transfer_id} has the amount {row['amount']}, not {new.amount_minor}"
    return ignored(row)


def not_found(transfer_id):
    return "NOT_FOUND", f"the target has no transfer {transfer_id}"


def ignored(row):
    return "REFUSED", f"transfer {row['id']} is as it should be, but was not changed; look at its triggers"


def transfer(db, row):
    """A row as the contract has it. Nothing is decided on one whose values cannot be used."""
    reversals = "SELECT id FROM payments WHERE parent_id = ? AND type = 'REVERSAL' ORDER BY id"
    is_usable = isinstance(row["amount"], int) and row["amount"] > 0 and len(row["currency"]) == 3
    is_reversal = row["type"] == "REVERSAL"
    found = proto.Transfer(
        id=row["id"],
        type=proto.TransferType.Value(f"TRANSFER_TYPE_{row['type']}"),
        type_text=row["type"],
        state=proto.TransferState.Value(f"TRANSFER_STATE_{row['state']}"),
        state_text=row["state"],
        amount_minor=row["amount"] if is_usable else 0,
        currency=row["currency"],
        merchant_identity=row["merchant"],
        subtype=row["subtype"],
        reversal_ids=[] if is_reversal else [one for (one,) in db.execute(reversals, [row["id"]])],
        unreadable="" if is_usable else "payments.amount or payments.currency cannot be used",
    )
    ids = "trace_id payment_id ach_trace individual_id source destination parent_id settlement_date"
    for name in ids.split():
        setattr(found, name, row[name] or "")
    found.failure_code, found.failure_message = row["code"] or "", row["description"] or ""
    found.updated_at.FromJsonString(row["updated_at"])
    if row["ready_to_settle_at"]:
        found.ready_to_settle_at.FromJsonString(row["ready_to_settle_at"])
    return found


if __name__ == "__main__":
    echeck_adapter.run(Payments, __doc__)
