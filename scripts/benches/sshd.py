"""An OpenSSH server of a measurement: its own keys, its own folder, at a port of its own."""

import getpass
import os
import pathlib
import socket
import subprocess
import time

from .stack import Services, free_port


class Sshd:
    def __init__(self, folder):
        self.folder = folder / "sshd"
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "client"):
            self.keygen("-q", "-t", "ed25519", "-N", "", "-f", self.folder / name)
        self.port = free_port()
        (self.folder / "config").write_text(f"""ListenAddress 127.0.0.1
Port {self.port}
HostKey {self.folder}/host
AuthorizedKeysFile {self.folder}/client.pub
PidFile none
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
UseDNS no
SetEnv SHLVL=2
Subsystem sftp internal-sftp
""", encoding="utf-8")
        log = open(self.folder / "log", "w", encoding="utf-8")
        process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "config"], stderr=log)
        Services.running.append(process)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"sshd did not start: {(self.folder / 'log').read_text()}")

    def keygen(self, *arguments):
        return subprocess.run(["ssh-keygen", *map(str, arguments)], check=True, capture_output=True,
                              text=True).stdout

    def source(self, name, port=None):
        """A source of NACHA files whose sender renames what is complete."""
        fingerprint = self.keygen("-lf", self.folder / "host.pub").split()[1]
        return f"""
[sources.{name}]
format = "nacha"
[sources.{name}.sftp]
host = "127.0.0.1"
port = {port or self.port}
user = "{getpass.getuser()}"
host_key = "{fingerprint}"
private_key_file = "{self.folder}/client"
directory = "{self.data}"
pattern = "*.ach"
complete = "rename"
after = "leave"
retention_days = 7
"""

    def sftp(self, port, name, to):
        """Seconds that OpenSSH's own client takes for a file."""
        began = time.monotonic()
        subprocess.run(["sftp", "-q", "-P", str(port), "-i", self.folder / "client", "-o",
                        "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                        "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1:{self.data / name}", to],
                       check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began
