"""Reads of transfers with mutual TLS and a check of the role, beside a bare service that does neither
a look at the journal nor a check.
"""

import json
import random
import subprocess
import time

from .document import signature
from .speed import prepare
from .stack import TARGET, Services, free_port, fresh, say

CALLERS = (1, 16, 64)


def load(*arguments):
    done = subprocess.run([TARGET / "load", *map(str, arguments)], check=True, capture_output=True,
                          text=True)
    return json.loads(done.stdout)


class Bare:
    """A service with one prepared SELECT."""

    def __init__(self, server, database, tls):
        port = free_port()
        self.address = f"https://localhost:{port}"
        self.process = subprocess.Popen(
            [TARGET / "load", "bare", "--listen", f"127.0.0.1:{port}", "--url",
             server.url(database), "--ca", tls / "ca.pem", "--cert",
             tls / "returns-service.pem", "--key", tls / "returns-service.key"])

    def stop(self):
        self.process.kill()
        self.process.wait()


def figures(one, what="calls_per_second"):
    return f"{one[what]:,.0f} a second; {one['p50_ms']:.2f} ms; {one['p99_ms']:.2f} ms"


def reads(server, folder, arguments):
    path = prepare(server, folder, arguments.payments, arguments.returns, None)
    names = fresh(server, "product")
    services = Services(folder, server, names)
    say("importing, so that one transfer of ten has a return")
    services.import_file(path)
    ids = server.psql(names["gateway"], "SELECT id FROM transfers WHERE type = 'DEBIT'").split()
    random.Random(1).shuffle(ids)
    (folder / "ids").write_text("\n".join(ids), encoding="utf-8")
    asking = [*services.caller_files(), "--ids", folder / "ids", "--seconds", arguments.seconds]
    bare = Bare(server, names["gateway"], services.tls)
    time.sleep(1)
    lines = ["| callers | `GetTransfer`: rate; p50; p99 | a bare SELECT | `BatchGetTransfers` of 50: transfers |",
             "|---:|---|---|---|"]
    good = True
    for callers in CALLERS:
        many = [*asking, "--callers", callers]
        load("reads", "--server", services.address(), *many)
        one = load("reads", "--server", services.address(), *many)
        plain = load("reads", "--server", bare.address, *many)
        batch = load("reads", "--server", services.address(), *many, "--batch", 50)
        say(f"{callers} callers: {one}, bare {plain}, batch {batch}")
        lines.append(f"| {callers} | {figures(one)} | {figures(plain)} | "
                     f"{figures(batch, 'transfers_per_second')} |")
        if callers == 1:
            good &= one["p50_ms"] <= 1
        else:
            good &= one["calls_per_second"] >= 8_000 and one["p99_ms"] <= 15
    bare.stop()
    services.stop()
    lines += ["", signature(server)]
    return lines, good
