"""Every measurement once and small: it shows that they work, and judges memory alone, which does not
depend on the machine.
"""

import argparse

from .memory import LIMITS_MIB
from .reads import reads
from .speed import prepare, product_round, speed
from .stack import DATABASES, say

# As many returns as show whether memory grows with them.
MEMORY_RETURNS = 20_000
# A program without optimization has larger code and larger futures.
UNOPTIMIZED = 1.5


def quick(server, folder, arguments):
    def sized(payments, returns):
        return argparse.Namespace(payments=payments, returns=returns, rounds=1, seconds=1)

    lines = []
    for measure in (speed, reads):
        say(f"{measure.__name__}, small")
        shown, _ = measure(server, folder, sized(20_000, 2_000))
        lines += [*shown, ""]
        for name in DATABASES:
            server.psql("postgres", f"DROP DATABASE {name}_0 WITH (FORCE)")
    path = prepare(server, folder, 2 * MEMORY_RETURNS, MEMORY_RETURNS, 10)
    _, peaks, _, _ = product_round(server, folder, path)
    lines += [f"| Peak memory, {MEMORY_RETURNS:,} returns | MiB | allowed |", "|---|---:|---:|"]
    good = True
    for program, limit in LIMITS_MIB.items():
        allowed = UNOPTIMIZED * limit
        good &= peaks[program] <= allowed
        lines.append(f"| {program} | {peaks[program]:.0f} | {allowed:.0f} |")
    return lines, good
