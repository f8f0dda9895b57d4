"""Every measurement once and small: it shows that they work, and judges memory alone, which does not
depend on the machine.
"""

import argparse

from .memory import memory
from .reads import reads
from .speed import speed
from .stack import DATABASES, say

# As many returns as show whether memory grows with them, in a program without optimization.
MEMORY_RETURNS = 50_000


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
    shown, good = memory(server, folder, sized(2 * MEMORY_RETURNS, MEMORY_RETURNS))
    return [*lines, *shown], good
