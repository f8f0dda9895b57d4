"""What a return costs as everything grows: the file, the tables, the importers, the journal, the holds."""

import subprocess
import threading
import time

from .document import signature
from .speed import prepare
from .stack import DATABASES, TARGET, Services, fresh, say

# How far a cost may be from that of the first of its row.
TOLERANCE = 0.25


def sample(folder, payments, entries, skip=0, unknown=0):
    path = folder / f"{entries}_{skip}_{unknown}.ach"
    subprocess.run([TARGET / "echeck", "sample", "nacha", "--payments", str(payments), "--entries",
                    str(entries), "--skip", str(skip), "--unknown", str(unknown), "--out", path],
                   check=True)
    return path


class Growth:
    """The measurements, one for each thing that grows."""

    def __init__(self, server, folder, scale):
        self.server, self.folder, self.scale = server, folder, scale
        self.lines, self.good = [], True

    def count(self, full):
        return max(int(full * self.scale), 100)

    def world(self, payments):
        for name in DATABASES:
            self.server.psql("postgres", f"DROP DATABASE IF EXISTS {name}_0 WITH (FORCE)")
        prepare(self.server, self.folder, payments, 100, None)

    def services(self, kind="product"):
        return Services(self.folder, self.server, fresh(self.server, kind))

    def add(self, what, costs):
        """`costs` has microseconds a return, by what it was measured with. The first is compared with."""
        base = next(iter(costs.values()))
        shown = []
        for words, cost in costs.items():
            change = cost / base - 1
            self.good &= change <= TOLERANCE
            shown.append(f"{words}: {cost:,.0f}" + (f" ({100 * change:+.0f} %)" if cost is not base else ""))
        say(f"{what}: {'; '.join(shown)}")
        self.lines.append(f"| {what} | {'; '.join(shown)} |")

    def cost(self, services, path, entries):
        return 1e6 * services.import_file(path) / entries

    # What grows.

    def returns(self, payments):
        costs = {}
        for full in (10_000, 100_000, 1_000_000):
            entries = self.count(full)
            services = self.services()
            path = sample(self.folder, payments, entries)
            costs[f"{entries:,}"] = self.cost(services, path, entries)
            if full < 1_000_000:
                services.stop()
        self.add("returns in the file", costs)
        # The journal has a million rows now.
        entries = self.count(100_000)
        later = self.cost(services, sample(self.folder, payments, entries, skip=self.count(1_000_000)), entries)
        services.stop()
        small = list(costs.values())[1]
        self.add(f"rows in the journal, before {entries:,} returns",
                 {"0": small, f"{self.count(1_000_000):,}": later})

    def holds(self, payments):
        entries, held = self.count(100_000), self.count(10_000)
        services = self.services()
        path = sample(self.folder, payments, entries)
        without = self.cost(services, path, entries)
        services.stop()
        services = self.services()
        self.cost(services, sample(self.folder, payments, held, unknown=1_000), held)
        with_them = self.cost(services, path, entries)
        services.stop()
        self.add(f"open holds, before {entries:,} returns", {"0": without, f"{held:,}": with_them})

    def importers(self, payments):
        costs = {}
        entries = self.count(50_000)
        for importers in (1, 2, 4):
            services = self.services()
            paths = [sample(self.folder, payments, entries, skip=number * entries) for number in range(importers)]
            threads = [threading.Thread(target=services.import_file, args=(path,)) for path in paths]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            costs[str(importers)] = 1e6 * (time.monotonic() - began) / (importers * entries)
            services.stop()
        self.add(f"files of {entries:,} returns at once", costs)

    def rows(self):
        costs = {}
        for full in (1_000_000, 10_000_000):
            payments, entries = self.count(full), self.count(100_000)
            self.world(payments)
            # The tables are large; they are not copied.
            services = Services(self.folder, self.server, {name: f"{name}_0" for name in DATABASES})
            costs[f"{payments:,}"] = self.cost(services, sample(self.folder, payments, entries), entries)
            services.stop()
        self.add(f"rows in each database, before {entries:,} returns", costs)


def growth(server, folder, arguments):
    measured = Growth(server, folder, arguments.scale)
    payments = measured.count(2_400_000)
    measured.world(payments)
    measured.returns(payments)
    measured.holds(payments)
    measured.importers(payments)
    measured.rows()
    lines = ["| what grows | microseconds a return |", "|---|---|", *measured.lines, "", signature(server)]
    return lines, measured.good
