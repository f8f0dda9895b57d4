"""The figures in the document."""

import os
import statistics
import subprocess
import time

from .stack import REPO, say


def spread(values, unit="s", digits=1):
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} {unit} ({least:,.{digits}f} to {most:,.{digits}f})"


def signature(server):
    """What was measured, and on what."""
    commit = subprocess.run(["git", "-C", REPO, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    version = server.psql("postgres", "SHOW server_version")
    return (f"Commit {commit}, PostgreSQL {version}, {os.cpu_count()} cores, "
            f"{time.strftime('%Y-%m-%d')}.")


def write(out, marker, lines):
    """Writes the figures between their marks in the document."""
    text = "\n".join(lines)
    if out == "-":
        print(text)
        return
    path = REPO / out
    document = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->"
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
    say(f"written to {out}")
