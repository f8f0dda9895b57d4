"""How soon after a file is complete on the acquirer's server everything is done: both databases right,
and the report in the bucket."""

import datetime
import os
import statistics
import sys
import time

from .document import signature
from .speed import prepare
from .sshd import Sshd
from .stack import Services, fresh, say

RETURNS = 700
# How often the server is looked at.
LOOK_MS = 100
LONGEST_S = 1.0

SOURCE = """
[sources.bank.schedule]
cron = "0 0 1 1 *"
time_zone = "UTC"
days = "all"
due = "{due}"
grace_minutes = 0
[jobs]
retry_missing_ms = {look_ms}
[bucket]
url = "file://{bucket}"
"""


def land(server, folder, sshd, path, number):
    """Seconds from the moment at which the file is complete."""
    names = fresh(server, "product")
    bucket = folder / f"bucket{number}"
    bucket.mkdir(mode=0o700)
    # A file that is missing is looked for all the time. It is due when the next minute begins.
    due = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=65)).strftime("%H:%M")
    settings = sshd.source("bank") + SOURCE.format(look_ms=LOOK_MS, bucket=bucket, due=due)
    services = Services(folder, server, names, service=settings)
    until = time.monotonic() + 90
    log = folder / "returns-service.log"
    while '"incident diagnosed"' not in log.read_text(encoding="utf-8"):
        if time.monotonic() > until:
            sys.exit("nobody missed the file")
        time.sleep(0.1)
    hidden, name = sshd.data / ".hidden", sshd.data / f"{number}.ach"
    hidden.write_bytes(path.read_bytes())
    began = time.monotonic()
    os.rename(hidden, name)
    while not list(bucket.glob("**/*.csv")):
        if time.monotonic() > began + 60:
            sys.exit("no report came within 60 s")
        time.sleep(0.005)
    applied = (server.psql(names["gateway"], "SELECT position FROM echeck_cursor"),
               server.psql(names["rallypay"], "SELECT position FROM echeck_cursor"))
    took = time.monotonic() - began
    services.stop()
    os.remove(name)
    if applied != (str(RETURNS), str(RETURNS)):
        sys.exit(f"the report came before both databases were right: {applied}")
    return took


def landing(server, folder, arguments):
    path = prepare(server, folder, 20_000, RETURNS, None)
    sshd = Sshd(folder)
    times = [land(server, folder, sshd, path, number) for number in range(arguments.rounds)]
    say(", ".join(f"{took:.2f} s" for took in times))
    lines = [
        f"| {RETURNS} returns land, {len(times)} times | s |",
        "|---|---:|",
        f"| median | {statistics.median(times):.2f} |",
        f"| longest | {max(times):.2f} |",
        f"| to reach | {LONGEST_S:.0f} |",
        "",
        f"The server was looked at every {LOOK_MS} ms. " + signature(server),
    ]
    return lines, max(times) <= LONGEST_S
