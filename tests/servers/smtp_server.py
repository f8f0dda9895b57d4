"""A mail server for tests: smtp_server.py FOLDER PORT plain|starttls|tls PASSWORD

Every mail is kept as FOLDER/mails/NUMBER.json. While FOLDER/answer has a text, recipients are
answered with that. With a PASSWORD a login as `returns` is needed.
"""

import asyncio
import email
import email.policy
import json
import os
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

FOLDER = pathlib.Path(sys.argv[1])
PORT, SECURITY, PASSWORD = int(sys.argv[2]), sys.argv[3], sys.argv[4]


class Keeper:
    def __init__(self):
        self.count = 0
        (FOLDER / "mails").mkdir()

    async def handle_RCPT(self, server, session, envelope, address, options):
        try:
            answer = (FOLDER / "answer").read_text()
        except FileNotFoundError:
            answer = ""
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        kept = {
            "recipients": envelope.rcpt_tos,
            "headers": [[name.lower(), str(value)] for name, value in message.items()],
            "body": message.get_content().replace("\r\n", "\n"),
        }
        self.count += 1
        place = FOLDER / "mails" / f"{self.count:06}.json"
        new = place.with_suffix(".new")
        new.write_text(json.dumps(kept))
        os.rename(new, place)
        return "250 Taken"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        b"returns",
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=right)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
    keeper = Keeper()

    def smtp():
        return SMTP(
            keeper,
            enable_SMTPUTF8=True,
            require_starttls=SECURITY == "starttls",
            tls_context=context if SECURITY == "starttls" else None,
            authenticator=authenticate,
            auth_required=bool(PASSWORD),
            auth_require_tls=SECURITY == "starttls",
        )

    server = await asyncio.get_running_loop().create_server(
        smtp, "127.0.0.1", PORT, ssl=context if SECURITY == "tls" else None
    )
    await server.serve_forever()


asyncio.run(main())
