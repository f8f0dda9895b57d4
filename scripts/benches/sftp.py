"""How fast a file comes from a real sshd into the spool, hashed, encrypted and on disk, beside OpenSSH's
own client, which only writes it to a file: on this machine, and over a line with a round trip of 20 ms.
"""

import datetime
import json
import os
import pathlib
import subprocess

from .document import signature, spread
from .sshd import Sshd
from .stack import TARGET, Services, fresh
from .speed import prepare

LINES = (("loopback", 0, 0.9), ("a round trip of 20 ms", 20, 2.0))


class Line:
    """A line to a port on which everything takes a while."""

    def __init__(self, port, round_trip_ms):
        self.process = subprocess.Popen([TARGET / "load", "line", "--to", str(port), "--delay-ms",
                                         str(round_trip_ms // 2)], stdout=subprocess.PIPE, text=True)
        Services.running.append(self.process)
        self.port = json.loads(self.process.stdout.readline())["port"]


def fetched_at(log):
    """When the service had the file, as its log says."""
    for line in pathlib.Path(log).read_text(encoding="utf-8").splitlines():
        if '"file taken"' in line:
            return datetime.datetime.fromisoformat(json.loads(line)["timestamp"].replace("Z", "+00:00"))
    raise RuntimeError("no file was taken")


def sftp(server, folder, arguments):
    prepare(server, folder, 1_000, 100, None)
    sshd = Sshd(folder)
    size = arguments.megabytes * 1_000_000
    with open(sshd.data / "large.ach", "wb") as file:
        # No text of a return file: the import, which is not measured, ends at its first line.
        block = bytes(range(256)) * 4_000
        while file.tell() < size:
            file.write(block[:size - file.tell()])
    lines = ["| line | the product: s | MB/s | `sftp`: s | MB/s | times `sftp`'s speed | to reach |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    good = True
    for words, round_trip_ms, least in LINES:
        port = Line(sshd.port, round_trip_ms).port if round_trip_ms else sshd.port
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            theirs.append(sshd.sftp(port, "large.ach", folder / "large"))
            os.remove(folder / "large")
            services = Services(folder, server, fresh(server, "product"), service=sshd.source("bank", port))
            began = datetime.datetime.now(datetime.timezone.utc)
            services.echeck("run", "bank", good=range(256))
            services.stop()
            ours.append((fetched_at(folder / "returns-service.log") - began).total_seconds())
        middle = sorted(ours)[len(ours) // 2], sorted(theirs)[len(theirs) // 2]
        times = middle[1] / middle[0]
        good &= times >= least
        shown = " | ".join(f"{spread(values)} | {size / 1e6 / value:,.0f}"
                           for values, value in zip((ours, theirs), middle))
        lines.append(f"| {words} | {shown} | {times:.2f} | {least} |")
    return [*lines, "", signature(server)], good
