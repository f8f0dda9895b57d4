"""How long the whole stack takes to start on the folder that it had before, and how large its
programs are."""

import subprocess
import time

from .document import signature, spread
from .stack import TARGET, free_port

PROGRAMS = ("returns-service", "gateway-adapter", "rallypay-adapter", "echeck")
LONGEST_MS = 300
LARGEST_MB = 40


def until_ready(folder):
    """Milliseconds until `echeck up` says that everything answers."""
    began = time.monotonic()
    command = [TARGET / "echeck", "up", "--data", folder / "up", "--port", str(free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in process.stdout:
            if line.startswith("echeck is up"):
                return (time.monotonic() - began) * 1_000
        raise RuntimeError("`echeck up` ended before it was ready")
    finally:
        process.terminate()
        process.communicate()


def stripped_mb(folder, program):
    """Millions of bytes of a program without symbols."""
    copy = folder / program
    subprocess.run(["strip", "-o", copy, TARGET / program], check=True)
    return copy.stat().st_size / 1e6


def start(server, folder, arguments):
    until_ready(folder)
    times = [until_ready(folder) for _ in range(max(arguments.rounds, 3))]
    lines = [
        "| | measured | allowed |",
        "|---|---:|---:|",
        f"| `echeck up` on an existing folder, until everything answers | {spread(times, 'ms', 0)} | "
        f"{LONGEST_MS} ms |",
    ]
    for program in PROGRAMS:
        lines.append(f"| {program}, stripped | {stripped_mb(folder, program):.0f} MB | {LARGEST_MB} MB |")
    return [*lines, "", signature(server)], max(times) <= LONGEST_MS
