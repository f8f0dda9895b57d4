"""What is particular about SQLite. For another database this file changes, and the `?` of the
statements: with psycopg they are `%s`."""

import re
import sqlite3
from contextlib import contextmanager
from pathlib import Path

import grpc

from echeck_adapter.refusal import Refusal, precondition

BUSY, READ_ONLY, TOO_BIG, CONSTRAINT, MISMATCH = 5, 8, 18, 19, 20


class TransactionAborted(Exception):
    """The database undid the whole transaction, or refused its commit: nothing of it has happened."""


class Database:
    def __init__(self, path):
        self.path = path
        self.shown = f"sqlite:{path}"  # never with a password

    @contextmanager
    def transaction(self, write=False, timeout=1.0):
        """Commits at the end of the block, and undoes everything when the block fails."""
        db = None
        try:
            # mode=rw: a file that is missing is an error, and not a new database.
            uri = f"{Path(self.path).resolve().as_uri()}?mode=rw"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout)
            # Anything less than FULL may lose the last commits when the power fails.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                db.execute(f"PRAGMA {setting}")
            # A writer takes the right to write at once. In PostgreSQL, move() waits for the cursor's row.
            db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield db
            self._commit(db)
        except sqlite3.Error as error:
            raise refused_by(error) from error
        finally:
            if db:
                db.close()

    def _commit(self, db):
        try:
            db.execute("COMMIT")
        except sqlite3.IntegrityError as error:  # a constraint that is checked at commit
            raise TransactionAborted(shown(error)) from error


@contextmanager
def savepoint(db):
    """Undoes its block alone. Raises Refused when the database refuses a row for good."""
    db.execute("SAVEPOINT step")
    try:
        yield
    except sqlite3.Error as error:
        if not db.in_transaction:  # a trigger has undone everything
            raise TransactionAborted(shown(error)) from error
        if code_of(error) not in (TOO_BIG, CONSTRAINT, MISMATCH):
            raise  # whatever is not certain stops the batch, and no return is lost
        db.execute("ROLLBACK TO step")
        raise Refused(shown(error)) from error
    finally:
        if db.in_transaction:
            db.execute("RELEASE step")


class Refused(Exception):
    """The database refuses this row."""


def refused_by(error):
    code, message = code_of(error), shown(error)
    if code == BUSY:
        return Refusal(grpc.StatusCode.ABORTED, "TARGET_BUSY", message)
    if code == READ_ONLY:
        return Refusal(grpc.StatusCode.UNAVAILABLE, "TARGET_READ_ONLY", message)
    if code == 1:  # no such table, no such column
        return precondition("MAPPING_FAULT", message)
    if code == CONSTRAINT:
        return precondition("TARGET_REFUSED", message)
    return Refusal(grpc.StatusCode.UNAVAILABLE, "TARGET_UNAVAILABLE", message)


def code_of(error):
    """Errors of Python's module itself have no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def shown(error):
    """A database's message may quote values, and a value may be an account number."""
    return re.sub(r"\d{5,}", "***", str(error))[:200]
