"""A connection that can lose the answers: everything that the server says is swallowed from then on."""

import contextlib
import socket
import threading


class MuteableProxy:
    def __init__(self, port):
        self.target, self.is_mute = port, False
        self.passed = 0  # bytes to the server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source, target, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if not (is_answer and self.is_mute):
                    target.sendall(data)
                    self.passed += 0 if is_answer else len(data)
        # The end of one side is the end of both, so that the caller learns of it.
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        for one in self.sockets:
            one.close()
