"""Where the work of an import goes: CPU seconds by process, and the dearest statements of each database."""

import os
import pathlib

from .document import signature
from .speed import prepare
from .stack import DATABASES, Services, fresh

# How many statements of each database.
DEAREST = 8
SETTINGS = """
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all
"""


def cpu_of_server(server):
    """CPU seconds of PostgreSQL so far, those of its ended processes too."""
    ticks = os.sysconf("SC_CLK_TCK")
    postmaster = int((server.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    used = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue  # It has just ended.
        if int(stat.parent.name) == postmaster:
            used += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            used += sum(map(int, fields[11:13]))
    return used / ticks


def profile(server, folder, arguments):
    server.configure(SETTINGS)
    path = prepare(server, folder, arguments.payments, arguments.returns, None)
    server.psql("postgres", "CREATE EXTENSION pg_stat_statements")
    names = fresh(server, "product")
    services = Services(folder, server, names)
    server.psql("postgres", "SELECT pg_stat_statements_reset()")
    before = cpu_of_server(server)
    took = services.import_file(path)
    used = services.cpu_seconds() | {"PostgreSQL": cpu_of_server(server) - before}
    services.stop()
    lines = [f"| {arguments.returns:,} returns, {took:.1f} s | CPU s |", "|---|---:|"]
    lines += [f"| {program} | {seconds:.1f} |" for program, seconds in used.items()]
    lines += ["", "| database | ms | calls | rows | statement |", "|---|---:|---:|---:|---|"]
    for name in DATABASES:
        found = server.psql(
            "postgres",
            "SELECT round(total_exec_time), calls, rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 100) "
            "FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid "
            f"WHERE datname = '{names[name]}' ORDER BY total_exec_time DESC LIMIT {DEAREST}")
        for line in found.splitlines():
            lines.append(f"| {name} | " + " | ".join(line.split("|", 3)) + " |")
    return [*lines, "", signature(server)], True
