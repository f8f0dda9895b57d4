"""A certificate authority of a measurement, with a certificate for each program and for a caller."""

import subprocess

NAMES = ("returns-service", "gateway-adapter", "rallypay-adapter", "caller")


def make(folder):
    """Makes them in a folder: ca.pem, and NAME.pem with NAME.key."""
    folder.mkdir(exist_ok=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
            "/CN=benchmark", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign")
    for name in NAMES:
        openssl("req", "-new", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        names = folder / f"{name}.names"
        names.write_text(f"subjectAltName=DNS:localhost,IP:127.0.0.1,URI:spiffe://bench/{name}\n",
                         encoding="utf-8")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days",
                "2", "-extfile", names, "-out", f"{name}.pem")
    return folder
