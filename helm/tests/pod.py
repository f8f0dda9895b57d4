"""A pod on this machine: the files that a manifest mounts, and the program that reads them."""

import base64
import contextlib
import datetime
import functools
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

from engine import ROOT, named

BINARIES = ROOT / "target" / "debug"
PROGRAMS = ("returns-service", "gateway-adapter", "rallypay-adapter")


def binary(name):
    path = BINARIES / name
    if not path.exists():
        pytest.skip(f"target/debug/{name} is not built: cargo build --workspace")
    return path


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)] if text else [])


class Authority:
    """The CA of a release, as cert-manager would have it."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("ca", self.key, [(x509.BasicConstraints(True, None), True)])

    def _sign(self, subject, key, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        builder = x509.CertificateBuilder(name("ca"), name(subject), key.public_key(),
                                          x509.random_serial_number(), now - day, now + day)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def crl(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateRevocationListBuilder(name("ca"), now, now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.CRLNumber(1), False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, spec, more_names=()):
        """What a Certificate asks for, as the keys of its Secret."""
        usages = {"server auth": Usage.SERVER_AUTH, "client auth": Usage.CLIENT_AUTH}
        names = [x509.UniformResourceIdentifier(one) for one in spec.get("uris", [])]
        names += [x509.DNSName(one) for one in [*spec.get("dnsNames", []), *more_names]]
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign("", key, [
            (x509.SubjectAlternativeName(names), True),
            (x509.ExtendedKeyUsage([usages[one] for one in spec["usages"] if one in usages]), False),
        ])
        return {"tls.crt": certificate.public_bytes(serialization.Encoding.PEM).decode(),
                "tls.key": pem(key), "ca.crt": self.pem()}


def age_identity():
    """As age-keygen draws one: 32 bytes in Bech32 (BIP 173)."""
    alphabet, prefix = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "age-secret-key-"
    bits = int.from_bytes(os.urandom(32)) << 4
    words = [bits >> shift & 31 for shift in range(255, -1, -5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = 1
    for word in expanded + words + [0] * 6:
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    words += [(checksum ^ 1) >> shift & 31 for shift in range(25, -1, -5)]
    return (prefix + "1" + "".join(alphabet[word] for word in words)).upper()


@functools.cache
def authority():
    return Authority()


@functools.cache
def of_nats():
    """A certificate for another server than our own, and its key."""
    return authority().issue({"dnsNames": ["returns"], "usages": ["client auth"]})


def content(key, urls):
    """What a Secret or ConfigMap has under a key of the matrix."""
    known = {
        "spool-identity": age_identity,
        "journal-key": lambda: pem(ed25519.Ed25519PrivateKey.generate()),
        "crl.pem": authority().crl,
        "ca.pem": authority().pem,
        "nats.crt": lambda: of_nats()["tls.crt"],
        "nats.key": lambda: of_nats()["tls.key"],
        "tokens.toml": lambda: '[tokens.a]\nsha256 = "%s"\nroles = ["reader"]\n' % ("ab" * 32),
        "jwks.json": lambda: '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "alg": "EdDSA", "x": "%s"}]}'
        % base64.urlsafe_b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode().rstrip("="),
        "known_hosts": lambda: "sftp.second.example ssh-ed25519 %s\n" % base64.b64encode(
            b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + os.urandom(32)).decode(),
    }
    if key in urls:
        return urls[key]
    if key.endswith("-url"):
        return "https://hooks.example/secret"
    return known.get(key, lambda: "a secret")()


# The user of the pods. Only root can become it; else the tests run as who runs them.
USER = 65532 if os.geteuid() == 0 else None
AS_USER = {} if USER is None else {"user": USER, "group": USER, "extra_groups": []}


def write(path, text):
    """A file as the kubelet mounts it: of root, and open to the pod's group alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if USER is None:
        return path.chmod(0o600)
    os.chown(path, 0, USER)
    path.chmod(0o440)


@contextlib.contextmanager
def machine():
    """A folder that every user can pass through, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="echeck-pod-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def volume(path):
    """An empty volume: its root is of root, and the pod's group may write."""
    path.mkdir(parents=True)
    if USER is not None:
        os.chown(path, 0, USER)
        path.chmod(0o2775)
    return path


def mount(folder, documents, owner, urls, certificate=None):
    """Writes what the pod of `owner` mounts below `folder`, in the place of /etc/echeck."""
    spec = owner["spec"] if owner["kind"] == "Pod" else owner["spec"]["template"]["spec"]
    containers = spec["containers"] + spec.get("initContainers", [])
    places = {one["name"]: one["mountPath"].replace("/etc/echeck", str(folder))
              for container in containers for one in container["volumeMounts"]}
    for volume in spec["volumes"]:
        place = pathlib.Path(places[volume["name"]])
        if "configMap" in volume:
            [found] = [one for one in documents if one["kind"] == "ConfigMap"
                       and one["metadata"]["name"] == volume["configMap"]["name"]]
            for key, text in found["data"].items():
                write(place / key, text.replace("/etc/echeck", str(folder)))
        for source in volume.get("projected", {}).get("sources", []):
            [(_, one)] = source.items()
            for item in one["items"]:
                write(place / item["path"], content(item["key"], urls))
        if volume["name"] == "tls":
            issued = certificate or authority().issue({"dnsNames": ["localhost"], "usages": ["server auth", "client auth"]})
            for key, text in issued.items():
                write(place / key, text)
    return folder


def command(folder, container):
    """A container's command on this machine."""
    arguments = [one.replace("/etc/echeck", str(folder)) for one in container.get("args", [])]
    return [str(binary(container["command"][0])), *arguments]


def run(arguments, **variables):
    """Runs a program to its end, as the user of the pods."""
    environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1", **variables}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, **AS_USER)


def start(arguments, log, **variables):
    """Starts a program, whose log goes to a file."""
    with open(log, "w") as to:
        return subprocess.Popen(arguments, env=variables, stdout=to, stderr=to, **AS_USER)


def wait_for(url, process, log):
    """Waits for an answer with 200, as a probe does."""
    for _ in range(200):
        assert process.poll() is None, plain(log.read_text())
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer with 200:\n{plain(log.read_text())}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
