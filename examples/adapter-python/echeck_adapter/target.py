"""The target: its rows, exceptions and cursor move in one transaction. That is the exactly-once
effect, and there is no other record of what was applied."""

from datetime import datetime, timezone
from pathlib import Path

from echeck.adapter.v1 import adapter_service_pb2 as service_proto
from echeck.adapter.v1 import step_pb2 as proto
from echeck_adapter.refusal import Refusal, grpc, precondition
from echeck_adapter.sqlite import Refused, TransactionAborted, savepoint

OWN_TABLES = Path(__file__).with_name("tables.sql").read_text()
KINDS = {"MOVED_ON": 1, "NOT_FOUND": 2, "REFUSED": 3}


def now():
    return datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Target:
    def __init__(self, database, table, adapter):
        self.database, self.table, self.adapter = database, table, adapter

    def create_own_tables(self):
        with self.database.transaction(write=True) as db:
            for statement in OWN_TABLES.split(";"):
                db.execute(statement)

    # The cursor, and whose target it is.

    def cursor(self, db):
        sql = "SELECT journal_id, position, hash FROM echeck_cursor WHERE adapter = ?"
        row = db.execute(sql, [self.adapter]).fetchone()
        if row is None:
            return None
        return proto.Cursor(journal_id=row[0], position=row[1], row_hash=bytes.fromhex(row[2]))

    def identity(self, db):
        sql = "SELECT journal_id, database_name FROM echeck_identity WHERE adapter = ?"
        row = db.execute(sql, [self.adapter]).fetchone()
        return row and service_proto.TargetIdentity(journal_id=row[0], database=row[1])

    def check_identity(self, db, meant):
        known = self.identity(db)
        if known != meant:
            whose = f"{known.database!r} of journal {known.journal_id}" if known else "nobody's"
            message = f"the target is {whose}, and not {meant.database!r} of journal {meant.journal_id}"
            raise precondition("TARGET_MISMATCH", message, {"target": self.database.shown})

    def check_place(self, db, batch, previous, first):
        """Refuses a batch that does not continue right where the target is."""
        seen = self.cursor(db)
        cursor, metadata = seen or proto.Cursor(), None
        if seen:
            where = f"journal {cursor.journal_id}, position {cursor.position}"
            metadata = {
                "cursor_journal_id": cursor.journal_id,
                "cursor_position": str(cursor.position),
                "cursor_hash": cursor.row_hash.hex(),
            }
            if cursor.journal_id != batch.journal_id:
                raise precondition("JOURNAL_MISMATCH", f"the target follows {where}", metadata)
        if first != cursor.position + 1:
            message = f"the target is at position {cursor.position}; this batch begins at {first}"
            raise precondition("CURSOR_MISMATCH", message, metadata)
        if previous != cursor.row_hash:
            message = f"the row at position {cursor.position} has another hash in the journal"
            raise precondition("HASH_MISMATCH", message, metadata)
        meant = service_proto.TargetIdentity(journal_id=batch.journal_id, database=batch.database)
        self.check_identity(db, meant)
        return seen

    def move(self, db, seen, to):
        """Moves the cursor, if it is still where it was read. It moves before anything else: its row is
        the lock that keeps another copy of this adapter from applying the same steps."""
        values = [to.journal_id, to.position, to.row_hash.hex(), now(), self.adapter]
        if seen is None:  # the primary key lets only one copy be the first
            columns = "journal_id, position, hash, updated_at, adapter"
            moved = db.execute(f"INSERT INTO echeck_cursor ({columns}) VALUES (?, ?, ?, ?, ?)", values)
        else:
            moved = db.execute(
                "UPDATE echeck_cursor SET journal_id = ?, position = ?, hash = ?, updated_at = ? "
                "WHERE adapter = ? AND journal_id = ? AND position = ? AND hash = ?",
                [*values, seen.journal_id, seen.position, seen.row_hash.hex()],
            )
        if moved.rowcount != 1:
            message = "the cursor was moved meanwhile; is another adapter at work on this target?"
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "TARGET_UNAVAILABLE", message)

    # Steps.

    def apply(self, batch, steps, previous):
        """Applies steps, and returns the exceptions. When a row aborts the transaction, nothing has
        happened: the halves are tried, until the row is alone. Each half moves the cursor itself."""
        try:
            return self.apply_once(batch, steps, previous)
        except TransactionAborted as aborted:
            if len(steps) == 1:
                return self.apply_once(batch, steps, previous, given_up=str(aborted))
        half = len(steps) // 2
        first = self.apply(batch, steps[:half], previous)
        return first + self.apply(batch, steps[half:], steps[half - 1].row_hash)

    def apply_once(self, batch, steps, previous, given_up=None):
        with self.database.transaction(write=True) as db:
            seen = self.check_place(db, batch, previous, steps[0].position)
            last = steps[-1]
            to = dict(journal_id=batch.journal_id, position=last.position, row_hash=last.row_hash)
            self.move(db, seen, proto.Cursor(**to))
            found = [self.exception(db, batch.journal_id, step, given_up) for step in steps]
            return [one for one in found if one]

    def exception(self, db, journal_id, step, given_up):
        """Makes the change of a step, or records why it is not made."""
        kind = step.WhichOneof("change")
        if kind is None:
            return None
        if step.blocked_reason:
            why = "MOVED_ON", step.blocked_reason
        elif given_up:
            why = "REFUSED", given_up
        else:
            try:
                with savepoint(db):
                    why = self.table.apply(db, step, now())
            except Refused as refused:
                why = "REFUSED", str(refused)
        if why is None:
            return None
        transfer_id = getattr(step, kind).transfer_id
        db.execute(
            "INSERT OR REPLACE INTO echeck_exceptions (adapter, journal_id, position, kind, message, "
            "transfer_id, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [self.adapter, journal_id, step.position, *why, transfer_id, now()],
        )
        return proto.StepException(position=step.position, kind=KINDS[why[0]], message=why[1])

    def exceptions(self, db, journal_id, after, limit):
        """The exceptions of a journal after a position."""
        rows = db.execute(
            "SELECT position, kind, message FROM echeck_exceptions WHERE adapter = ? AND journal_id = ? "
            "AND position > ? ORDER BY position LIMIT ?",
            [self.adapter, journal_id, min(after, 2**63 - 1), limit],
        )
        return [proto.StepException(position=at, kind=KINDS[kind], message=why) for at, kind, why in rows]

    # What an operator or the first meeting decides.

    def expect(self, db, request):
        """Refuses a request whose caller saw the cursor somewhere else."""
        seen = request.expected_cursor if request.HasField("expected_cursor") else None
        if self.cursor(db) != seen:
            raise precondition("CURSOR_MISMATCH", "the cursor is not where it was seen; look again")

    def claim(self, request):
        """Records whose target it is, unless that is recorded already."""
        with self.database.transaction(write=True) as db:
            self.expect(db, request)
            if self.identity(db) is None:
                self.record_identity(db, request.identity.journal_id, request.identity.database)
            return self.identity(db)

    def record_identity(self, db, journal_id, database):
        row = [self.adapter, journal_id, database, now()]
        db.execute("INSERT OR REPLACE INTO echeck_identity VALUES (?, ?, ?, ?)", row)

    def adopt(self, request):
        old, new = request.expected_cursor, request.new_cursor
        with self.database.transaction(write=True) as db:
            done = db.execute(
                "SELECT 1 FROM echeck_adoptions WHERE adoption_id = ? AND to_position = ?",
                [request.adoption_id, new.position],
            )
            if done.fetchone():
                # The answer was lost, and is given again.
                return new if new.position else None
            self.expect(db, request)
            if new.position:
                self.move(db, old if old.position else None, new)
            # Exceptions of rows that this journal does not have must not be taken for those of the
            # rows that will have their positions.
            left = old.journal_id or new.journal_id
            stays = new.position if left == new.journal_id else 0
            db.execute(
                "UPDATE echeck_exceptions SET journal_id = ? WHERE adapter = ? AND journal_id = ? "
                "AND position > ?",
                [request.adoption_id, self.adapter, left, stays],
            )
            self.record_identity(db, new.journal_id, request.database)
            db.execute(
                "INSERT INTO echeck_adoptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [request.adoption_id, self.adapter, old.journal_id, old.position, old.row_hash.hex()]
                + [new.journal_id, new.position, new.row_hash.hex(), request.actor, request.reason, now()],
            )
            return self.cursor(db)
