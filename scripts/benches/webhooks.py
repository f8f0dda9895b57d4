"""How fast messages reach the endpoints of platforms, each kept until it is accepted, beside a bare
client that keeps nothing."""

import json
import subprocess

from .document import signature
from .speed import prepare
from .stack import TARGET, Services, fresh, say

ENDPOINTS, DELAY_MS = 20, 5
# What of the bare client's rate.
LEAST = 0.6

SETTINGS = """
[webhooks]
allow_private_addresses = true
allow_http = true
"""


class Sink:
    """Endpoints that count."""

    def __init__(self, messages):
        self.process = subprocess.Popen(
            [TARGET / "load", "sink", "--endpoints", str(ENDPOINTS), "--delay-ms", str(DELAY_MS),
             "--messages", str(messages)], stdout=subprocess.PIPE, text=True)
        Services.running.append(self.process)
        self.ports = json.loads(self.process.stdout.readline())["ports"]

    def figures(self):
        """Waits until all messages are here."""
        return json.loads(self.process.stdout.readline())


def webhooks(server, folder, arguments):
    returns = arguments.messages // ENDPOINTS
    path = prepare(server, folder, max(4 * returns, 10_000), returns, None)
    names = fresh(server, "product")
    services = Services(folder, server, names, service=SETTINGS)
    sink = Sink(returns * ENDPOINTS)
    for port in sink.ports:
        services.echeck("webhooks", "create", "--style", "finix", "--reason", "measurement",
                        f"http://127.0.0.1:{port}/hook")
    say(f"delivering {arguments.messages:,} messages")
    services.import_file(path)
    ours = sink.figures()
    rows = server.psql(names["returns"], "SELECT state, count(*) FROM webhook_deliveries GROUP BY 1")
    services.stop()
    bare = Sink(returns * ENDPOINTS)
    subprocess.run([TARGET / "load", "post", "--messages", str(returns), "--bytes", str(ours["bytes"]),
                    *(part for port in bare.ports for part in ("--port", str(port)))], check=True)
    theirs = bare.figures()
    rates = [returns * ENDPOINTS / one["seconds"] for one in (ours, theirs)]
    say(f"{ours}, {rows.split()}, bare {theirs}")
    lines = [
        f"| {returns * ENDPOINTS:,} messages of some {ours['bytes']:,} bytes to {ENDPOINTS} endpoints that "
        f"answer in {DELAY_MS} ms | a second |",
        "|---|---:|",
        f"| the product | {rates[0]:,.0f} |",
        f"| a bare client | {rates[1]:,.0f} |",
        f"| **of the bare client's rate** | **{100 * rates[0] / rates[1]:.0f} %** |",
        f"| to reach | {100 * LEAST:.0f} % |",
        "",
        f"{ours['repeated']} messages came twice. " + signature(server),
    ]
    return lines, rates[0] >= LEAST * rates[1]
