"""What a request must be. A step that cannot be read is refused by its path, such as
`steps[3].fail_transfer.transfer_id`: the returns service then names that journal row to a person."""

import uuid

from echeck.adapter.v1 import adapter_service_pb2 as proto
from echeck_adapter.refusal import Violations

CONTRACT_VERSION = 1
MAX_ITEMS = 10_000
NEW_TRANSFER = {
    "reverse_transfer": "reversal",
    "restore_transfer": "restoration",
    "reapply_return": "reversal",
}


def is_uuid(text):
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def check_claim(request):
    """Also a look-up: both say whose target it is to be."""
    wrong = Violations()
    identity = request.identity
    wrong.check(is_uuid(identity.journal_id), "identity.journal_id", "must be a UUID")
    wrong.check(identity.database, "identity.database", "must not be empty")
    if isinstance(request, proto.ClaimTargetRequest) and request.HasField("expected_cursor"):
        check_cursor(request.expected_cursor, "expected_cursor", wrong)
    wrong.finish()


def check_keys(keys):
    wrong = Violations()
    wrong.check(len(keys) <= MAX_ITEMS, "keys", f"has {len(keys)}; at most {MAX_ITEMS} are allowed")
    for at, key in enumerate(keys):
        wrong.check(1 <= key.kind <= 5, f"keys[{at}].kind", "is not a kind of key")
        wrong.check(key.value, f"keys[{at}].value", "must not be empty")
    wrong.finish()


def check_batch(batch):
    wrong = Violations()
    spoken = batch.contract_version
    what = f"is {spoken}, and this adapter speaks {CONTRACT_VERSION}"
    wrong.check(spoken == CONTRACT_VERSION, "contract_version", what)
    wrong.check(is_uuid(batch.journal_id), "journal_id", "must be a UUID")
    wrong.check(batch.database, "database", "must not be empty")
    wrong.check(len(batch.previous_hash) in (0, 32), "previous_hash", "must have 32 bytes, or none")
    check_count(batch.steps, wrong)
    last = 0
    for at, step in enumerate(batch.steps):
        path = f"steps[{at}]"
        follows = 1 <= step.position < 2**63 and (not last or step.position == last + 1)
        wrong.check(follows, f"{path}.position", f"is {step.position} after {last}")
        wrong.check(len(step.row_hash) == 32, f"{path}.row_hash", "must have 32 bytes")
        if step.WhichOneof("change"):
            check_change(step, path, wrong)
        else:
            wrong.check(not step.blocked_reason, f"{path}.blocked_reason", "blocks no change")
        last = step.position
    wrong.finish()


def check_applied(applied):
    wrong = Violations()
    check_count(applied, wrong)
    for at, one in enumerate(applied):
        path = f"steps[{at}].step"
        wrong.check(one.step.WhichOneof("change"), f"{path}.change", "must be set")
        if one.step.WhichOneof("change"):
            check_change(one.step, path, wrong)
    wrong.finish()


def check_count(steps, wrong):
    what = f"has {len(steps)}; 1 to {MAX_ITEMS} are allowed"
    wrong.check(1 <= len(steps) <= MAX_ITEMS, "steps", what)


def check_change(step, path, wrong):
    kind = step.WhichOneof("change")
    change, path = getattr(step, kind), f"{path}.{kind}"
    wrong.check(change.transfer_id, f"{path}.transfer_id", "must not be empty")
    if kind == "release_to_settlement":
        has_time = change.HasField("ready_to_settle_at")
        wrong.check(has_time, f"{path}.ready_to_settle_at", "must be set")
        return
    wrong.check(change.expected.state, f"{path}.expected.state", "must be set")
    if new := NEW_TRANSFER.get(kind):
        sent = getattr(change, new)
        wrong.check(sent.id, f"{path}.{new}.id", "must not be empty")
        wrong.check(sent.amount_minor > 0, f"{path}.{new}.amount_minor", "must be more than 0")


def check_cursor(cursor, field, wrong):
    is_place = 1 <= cursor.position < 2**63 and len(cursor.row_hash) == 32
    wrong.check(is_place and is_uuid(cursor.journal_id), field, "must have a UUID, a position of 1 or more, and 32 bytes of hash")


def check_adoption(request):
    wrong = Violations()
    for field in ("actor", "reason", "database"):
        wrong.check(getattr(request, field), field, "must not be empty")
    wrong.check(is_uuid(request.adoption_id), "adoption_id", "must be a UUID")
    new = request.new_cursor
    if request.HasField("expected_cursor"):
        check_cursor(request.expected_cursor, "expected_cursor", wrong)
    if request.HasField("expected_cursor") or new.position:
        check_cursor(new, "new_cursor", wrong)
    else:
        wrong.check(is_uuid(new.journal_id), "new_cursor.journal_id", "must be a UUID")
    wrong.finish()
