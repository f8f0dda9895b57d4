"""An error of the adapter: a gRPC code, a sentence for people, and a reason for programs."""

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status


class Refusal(Exception):
    def __init__(self, code, reason, message, metadata=None, violations=()):
        super().__init__(message)
        self.reason = reason
        info = error_details_pb2.ErrorInfo(reason=reason, domain="echeck-adapter", metadata=metadata)
        details = [info]
        if violations:
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        packed = [any_pb2.Any() for _ in details]
        for one, detail in zip(packed, details):
            one.Pack(detail)
        self.status = rpc_status.to_status(
            status_pb2.Status(code=code.value[0], message=message, details=packed)
        )


def precondition(reason, message, metadata=None):
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, reason, message, metadata)


class Violations:
    """What is wrong with the fields of a request. All of it is reported together."""

    def __init__(self):
        self.found = []

    def check(self, holds, field, what):
        if not holds and len(self.found) < 20:
            violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=what)
            self.found.append(violation)

    def finish(self):
        if self.found:
            message = "; ".join(f"{one.field} {one.description}" for one in self.found)
            code = grpc.StatusCode.INVALID_ARGUMENT
            raise Refusal(code, "INVALID_REQUEST", message, violations=self.found)
