"""GetTransfer while fifty files of 10,000 returns are imported, against GetTransfer alone."""

import random
import subprocess
import sys

from .document import signature
from .reads import load
from .speed import prepare
from .stack import TARGET, Services, fresh, say

FILES, ENTRIES = 50, 10_000
CALLERS = (1, 16)
# How many times its p99 alone.
ALLOWED = 3


def files(folder, payments):
    """Files of which no two have the same payment."""
    say(f"writing {FILES} files of {ENTRIES:,} returns")
    for number in range(FILES):
        path = folder / f"{number}.ach"
        subprocess.run([TARGET / "echeck", "sample", "nacha", "--payments", str(payments),
                        "--entries", str(ENTRIES), "--skip", str(number * ENTRIES), "--out", path],
                       check=True, stderr=subprocess.DEVNULL)
        yield path


def shares(server, folder, arguments):
    prepare(server, folder, arguments.payments, ENTRIES, None)
    paths = list(files(folder, arguments.payments))
    names = fresh(server, "product")
    services = Services(folder, server, names)
    ids = server.psql(names["gateway"], "SELECT id FROM transfers WHERE type = 'DEBIT'").split()
    random.Random(1).shuffle(ids)
    (folder / "ids").write_text("\n".join(ids), encoding="utf-8")
    asking = ["reads", "--server", services.address(), *services.caller_files(), "--ids",
              folder / "ids", "--seconds", arguments.seconds]

    def measure():
        return {callers: load(*asking, "--callers", callers) for callers in CALLERS}

    measure()
    alone = measure()
    say("importing")
    imports = [subprocess.Popen(
        [TARGET / "echeck", "import", path, "--source", "nacha", "--server", services.address(),
         *services.caller_files()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path in paths]
    Services.running += imports
    beside = measure()
    going_on = sum(one.poll() is None for one in imports)
    for one in imports:
        one.kill()
    services.stop()
    if going_on == 0:
        sys.exit("the imports ended before the calls did: take a shorter --seconds")
    lines = [f"| callers | p99 alone | p99 beside {FILES} imports | times |", "|---:|---:|---:|---:|"]
    good = True
    for callers in CALLERS:
        one, other = alone[callers]["p99_ms"], beside[callers]["p99_ms"]
        say(f"{callers} callers: {alone[callers]}, beside {beside[callers]}")
        lines.append(f"| {callers} | {one:.2f} ms | {other:.2f} ms | {other / one:.1f} |")
        good &= other <= ALLOWED * one
    lines += ["", f"Allowed: {ALLOWED} times. {going_on} of the imports went on to the end. "
              + signature(server)]
    return lines, good
