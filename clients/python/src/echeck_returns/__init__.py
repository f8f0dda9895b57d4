"""How a program reaches the returns service of echeck-returns. The calls themselves are those of the
generated stubs in `echeck.returns.v1`.

    import echeck_returns
    from echeck.returns.v1.returns_service_pb2 import GetTransferRequest
    from echeck.returns.v1.returns_service_pb2_grpc import ReturnsServiceStub

    with echeck_returns.connect("returns.internal:50051", ca_file="ca.pem", token="…") as channel:
        service = ReturnsServiceStub(channel)
        answer = service.GetTransfer(GetTransferRequest(transfer_id="TR…"), timeout=10)
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Union

import grpc

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    Token: TypeAlias = Union[str, Callable[[], str]]

__all__ = ["connect"]

# An answer may have 500 transfers, each with the processor's raw answer.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# A replica that stops or is killed is no answer: the call is made again, at another replica if there is one.
# Five attempts are the most that gRPC makes.
RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def connect(
    address: str,
    *,
    ca_file: str | os.PathLike[str] | None = None,
    cert_file: str | os.PathLike[str] | None = None,
    key_file: str | os.PathLike[str] | None = None,
    token: Token | None = None,
) -> grpc.Channel:
    """Returns a channel to the returns service, which connects when it is first used.

    `address` is `host:port` or `https://host:port`. With `http://` nothing is encrypted; that is for a
    service on this machine.

    `ca_file` is the CA of the service's certificate, in PEM; without it the CAs of the system count.
    `cert_file` and `key_file` are your own certificate and its key. `token` is a bearer token, or a
    function that returns one before each call; it is never sent in clear.

    Raises ValueError when these do not go together, and OSError when a file cannot be read.
    """
    scheme, _, target = address.rpartition("://")
    if scheme not in ("", "https", "http"):
        raise ValueError(f"{address!r} must begin with https:// or http://, or be host:port")
    target = target.rstrip("/")
    if not target:
        raise ValueError("address is required, such as returns.internal:50051")
    if (cert_file is None) != (key_file is None):
        raise ValueError("cert_file and key_file go together; one of them is missing")
    if scheme == "http":
        if token is not None or ca_file is not None or cert_file is not None:
            raise ValueError("http:// sends everything in clear; use https:// with a CA, certificate or token")
        if target.rpartition(":")[0] not in LOOPBACK:
            raise ValueError(f"http:// is for this machine only, which {target} is not; use https://")
        return grpc.insecure_channel(target, _options())
    credentials = grpc.ssl_channel_credentials(_read(ca_file), _read(key_file), _read(cert_file))
    if token is not None:
        of_calls = grpc.metadata_call_credentials(_BearerToken(token))
        credentials = grpc.composite_channel_credentials(credentials, of_calls)
    return grpc.secure_channel(target, credentials, _options())


def _options() -> list[tuple[str, int | str]]:
    return [
        ("grpc.service_config", json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": RETRIES}]})),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # A connection that broke without a word ends a stream that only waits.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # A service that was restarted is found again soon; the default is up to two minutes.
        ("grpc.max_reconnect_backoff_ms", 10_000),
    ]


def _read(file: str | os.PathLike[str] | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()


class _BearerToken(grpc.AuthMetadataPlugin):
    """Adds the token to each call."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(
        self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback
    ) -> None:
        try:
            token = self._token() if callable(self._token) else self._token
            callback((("authorization", f"Bearer {token.strip()}"),), None)
        except Exception as error:  # what the caller's function raises ends this call
            callback((), error)
