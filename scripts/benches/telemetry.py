"""What traces and numbers cost an import: rounds with and without them, in turn.

With them, each program sends traces (one of a hundred) and numbers to a collector on this machine, and
has its numbers asked for every second. The collector throws everything away; its own work counts.
"""

import pathlib
import statistics
import subprocess
import sys
import threading
import urllib.request

from .document import signature, spread
from .speed import prepare, product_round
from .stack import REPO, free_port, say


class Collector:
    """An OpenTelemetry collector that keeps nothing."""

    def __init__(self, folder):
        found = list((REPO / ".tools").glob("lib/python*/site-packages/rotel/rotel-agent"))
        if not found:
            sys.exit("the collector is missing: .tools/bin/pip install rotel==0.0.1a15")
        found[0].chmod(0o755)
        self.port = free_port()
        self.process = subprocess.Popen(
            [found[0], "start", "--otlp-grpc-endpoint", f"127.0.0.1:{self.port}",
             "--otlp-http-endpoint", f"127.0.0.1:{free_port()}", "--exporter", "blackhole"],
            stdout=open(folder / "collector.log", "w", encoding="utf-8"), stderr=subprocess.STDOUT)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Scraper:
    """Asks for the numbers of a program every second."""

    def __init__(self, port):
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work, args=(port,))
        self.thread.start()

    def work(self, port):
        while not self.done.wait(1):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1).read()
            except OSError:
                pass  # It is not up yet, or not any more.

    def stop(self):
        self.done.set()
        self.thread.join()


def telemetry(server, folder, arguments):
    path = prepare(server, folder, arguments.payments, arguments.returns, None)
    collector = Collector(folder)
    without, with_it = [], []
    try:
        for number in range(1, arguments.rounds + 1):
            took, _, _, _ = product_round(server, folder, path)
            without.append(took)
            metrics = free_port()
            more = (f'[otlp]\nendpoint = "http://127.0.0.1:{collector.port}"\n'
                    f'sample_per_mille = 10\n')
            scraper = Scraper(metrics)
            took, _, _, _ = product_round(server, folder, path, more, metrics)
            scraper.stop()
            with_it.append(took)
            say(f"round {number}: {without[-1]:.1f} s without, {took:.1f} s with")
    finally:
        collector.stop()
    # Each round with them is compared with the one just before, so that what else the machine does
    # meets both.
    more = [(b / a - 1) * 100 for a, b in zip(without, with_it)]
    lines = [
        f"| Import of {arguments.returns:,} returns | median (spread) of {arguments.rounds} |",
        "|---|---|",
        f"| without traces and numbers | {spread(without)} |",
        f"| with one trace of a hundred, and numbers sent and asked for | {spread(with_it)} |",
        f"| **more, each round against the one before it** | **{spread(more, '%')}** (allowed: 3 %) |",
        "",
        signature(server),
    ]
    return lines, statistics.median(more) <= 3
