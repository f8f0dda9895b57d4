"""The peak memory of the three services."""

from .document import signature
from .speed import prepare, product_round
from .stack import DATABASES, say

LIMITS_MIB = {"returns-service": 128, "gateway-adapter": 96, "rallypay-adapter": 96}


def memory(server, folder, arguments):
    lines = [f"| Peak memory, {arguments.returns:,} returns | " + " | ".join(LIMITS_MIB) + " |",
             "|---|" + "---:|" * len(LIMITS_MIB)]
    good = True
    for words, per_batch in (("400,000 in a NACHA batch", 400_000), ("ten in a batch", 10)):
        for name in DATABASES:
            server.psql("postgres", f"DROP DATABASE IF EXISTS {name}_0 WITH (FORCE)")
        path = prepare(server, folder, arguments.payments, arguments.returns, per_batch)
        took, peaks, _, _ = product_round(server, folder, path)
        say(f"{words}: {took:.0f} s, " + ", ".join(f"{k} {v:.0f} MiB" for k, v in peaks.items()))
        good &= all(peaks[name] <= limit for name, limit in LIMITS_MIB.items())
        shown = " | ".join(f"{peaks[name]:.0f} MiB" for name in LIMITS_MIB)
        lines.append(f"| {words} ({took:.0f} s) | {shown} |")
    limits = " | ".join(f"{limit} MiB" for limit in LIMITS_MIB.values())
    lines.append(f"| allowed | {limits} |")
    lines += ["", signature(server)]
    return lines, good
