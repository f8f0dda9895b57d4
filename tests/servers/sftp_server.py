"""An SFTP server that misbehaves: OpenSSH's own, behind a filter of its requests.

    sftp_server.py BEHAVIOR_FILE

The file is JSON, read again at each request:
  {"slow": ["readdir"]}    the first request of this kind waits for three seconds
  {"silent": ["readdir"]}  requests of this kind are never answered
  {"list": "endless"}      lists have no end; "dots": and only "." in them; "long": long names
  {"list": "huge", "name": "r.csv"}  the list has one file, said to be 2^63 bytes long
"""

import json
import os
import struct
import subprocess
import sys
import threading
import time

KINDS = {3: "open", 5: "read", 7: "lstat", 11: "opendir", 12: "readdir", 18: "rename"}
NAME, STATUS, END_OF_FILE = 104, 101, 1
SERVERS = ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"]

server = subprocess.Popen(
    [next(path for path in SERVERS if os.path.exists(path))],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
)
out = threading.Lock()


def packet(stream):
    """The next whole packet without its length; None at the end."""
    head = stream.read(4)
    return stream.read(struct.unpack(">I", head)[0]) if len(head) == 4 else None


def send(stream, body):
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def answer(body):
    with out:
        send(sys.stdout.buffer, body)


def text(name):
    return struct.pack(">I", len(name)) + name


def entry(name, size):
    """A name, its long form, and the attributes size, mode and times."""
    return text(name) + text(b"") + struct.pack(">IQIII", 0b1101, size, 0o100644, 1, 1)


def listed(request_id, behavior, asked):
    """The answer to a request for more of a list."""
    kind = behavior["list"]
    if kind == "huge" and asked > 1:
        return bytes([STATUS]) + request_id + struct.pack(">I", END_OF_FILE) + text(b"") + text(b"")
    if kind == "huge":
        entries = [entry(behavior["name"].encode(), 2**63)]
    elif kind == "dots":
        entries = [entry(b".", 1)] * 500
    elif kind == "long":
        entries = [entry(b"%04000d" % (asked * 50 + at), 1) for at in range(50)]
    else:
        entries = [entry(b"%d.txt" % (asked * 500 + at), 1) for at in range(500)]
    return bytes([NAME]) + request_id + struct.pack(">I", len(entries)) + b"".join(entries)


def replies():
    while (body := packet(server.stdout)) is not None:
        answer(body)
    os._exit(0)


threading.Thread(target=replies, daemon=True).start()
seen = {}
while (body := packet(sys.stdin.buffer)) is not None:
    with open(sys.argv[1]) as file:
        behavior = json.load(file)
    kind = KINDS.get(body[0])
    if kind == "opendir":
        seen["readdir"] = 0
    seen[kind] = seen.get(kind, 0) + 1
    if kind in behavior.get("silent", []):
        continue
    if kind in behavior.get("slow", []) and seen[kind] == 1:
        time.sleep(3)
    if kind == "readdir" and "list" in behavior:
        answer(listed(body[1:5], behavior, seen[kind]))
    else:
        send(server.stdin, body)
server.stdin.close()
server.wait()
