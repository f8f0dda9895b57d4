"""A day of a whole country in one file: memory, and whether the end is as fast as the beginning."""

import subprocess
import time

from .document import signature
from .speed import prepare
from .stack import Services, fresh, say

LIMITS_MIB = {"returns-service": 128, "gateway-adapter": 64, "rallypay-adapter": 64}
TOLERANCE = 0.10
# The count of a batch has six digits, and a return counts twice.
LARGEST_BATCH = 400_000


class Watch:
    """Notes where the last database is in the journal, twice a second."""

    def __init__(self, server, database, folder):
        self.path = folder / "positions"
        script = "SELECT extract(epoch FROM clock_timestamp()), coalesce(max(position), 0) FROM echeck_cursor\n\\watch 0.5\n"
        self.process = subprocess.Popen(["psql", "-XqAt", server.url(database)], stdin=subprocess.PIPE,
                                        stdout=open(self.path, "w", encoding="utf-8"), text=True)
        Services.running.append(self.process)
        self.process.stdin.write(script)
        self.process.stdin.close()

    def stop(self):
        time.sleep(1)
        self.process.kill()
        self.process.wait()

    def seconds(self, begin, end):
        """How long it took from one position to another."""
        rows = [line.split("|") for line in self.path.read_text(encoding="utf-8").splitlines() if "|" in line]
        rows = [(float(at), int(position)) for at, position in rows]

        def when(position):
            before = max(row for row in rows if row[1] <= position)
            after = min(row for row in rows if row[1] >= position)
            if after[1] == before[1]:
                return after[0] if position else before[0]
            part = (position - before[1]) / (after[1] - before[1])
            return before[0] + part * (after[0] - before[0])

        return when(end) - when(begin)


def day(server, folder, arguments):
    returns = arguments.returns
    path = prepare(server, folder, arguments.payments, returns, LARGEST_BATCH)
    names = fresh(server, "product")
    services = Services(folder, server, names)
    watch = Watch(server, names["rallypay"], folder)
    took = services.import_file(path)
    peaks = services.peak_mib()
    watch.stop()
    services.stop()
    # The first and the last hundredth are left out: the stages begin and end one after the other.
    tenth, edge = returns // 10, returns // 100
    first = tenth / watch.seconds(edge, edge + tenth)
    last = tenth / watch.seconds(returns - edge - tenth, returns - edge)
    say(f"{took:.0f} s; first {first:,.0f} a second, last {last:,.0f}; {peaks}")
    good = all(peaks[name] <= limit for name, limit in LIMITS_MIB.items())
    good &= abs(last / first - 1) <= TOLERANCE
    lines = [f"| {returns:,} returns in one file, {took:.0f} s | measured | to reach |", "|---|---:|---:|"]
    lines += [f"| peak memory of {name} | {peaks[name]:.0f} MiB | {limit} MiB |"
              for name, limit in LIMITS_MIB.items()]
    lines += [f"| returns a second, first tenth | {first:,.0f} | |",
              f"| returns a second, last tenth | {last:,.0f} ({100 * (last / first - 1):+.0f} %) | within 10 % |",
              "", signature(server)]
    return lines, good
