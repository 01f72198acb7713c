"""wire.py: as much of the wire as the sweep needs, on the protocol by hand (tests/kit/protocol.py)."""
import os
import socket
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
from protocol import decode, encode, frame, new_key  # noqa: E402,F401  pylint: disable=wrong-import-position

SAME_KEY_STATUS = 50  # field numbers of the envelope's bodies
RESPONSE_OF = 50      # a response's number is its request's plus this


def message(*fields):
    return encode(fields)


class Gone(Exception):
    """The connection is closed, or cannot be made."""


class Silent(Exception):
    """No reply within the bound."""


class Reply:
    """body: the number of the envelope's body; content: its bytes; a Status has .reason and .same_key."""

    def __init__(self, envelope):
        fields = decode(envelope)
        self.request_id = fields.get(1, [0])[0]
        self.body = next((n for n in fields if n >= 10), 0)
        self.content = fields[self.body][0] if self.body else b""
        self.is_status = self.body == SAME_KEY_STATUS
        status = decode(self.content) if self.is_status else {}
        self.reason = status.get(2, [b""])[0].decode()
        self.same_key = bool(status.get(8, [0])[0])
        self.has_receipt = 9 in status or (not self.is_status and self.body in range(61, 69))

    def __repr__(self):
        return self.reason if self.is_status else f"body {self.body}"


class Connection:
    def __init__(self, path, patience_s):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience_s)
        self.buffer, self.serial = b"", 0
        try:
            self.socket.connect(path)
        except OSError as why:
            raise Gone(str(why)) from None
        reply = self.ask(10, message((1, "sweep"), (2, 1)))
        if reply.body != 60:
            raise Gone(f"hello: {reply}")

    def send(self, body, content, key=None):
        self.serial += 1
        envelope = message((1, self.serial), *([(4, key)] if key else []), (body, content))
        try:
            self.socket.sendall(frame(envelope))
        except OSError as why:
            raise Gone(str(why)) from None
        return self.serial

    def receive(self):
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack(">I", self.buffer[:4])[0]:
            try:
                more = self.socket.recv(65536)
            except socket.timeout:
                raise Silent() from None
            except OSError as why:
                raise Gone(str(why)) from None
            if not more:
                raise Gone("closed")
            self.buffer += more
        length = struct.unpack(">I", self.buffer[:4])[0]
        envelope, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
        return Reply(envelope)

    def ask(self, body, content, key=None, follow=None):
        """The reply; or, where something follows it, that: a subscription's first events have its number."""
        serial = self.send(body, content, key)
        while True:
            reply = self.receive()
            if reply.request_id == serial and (follow is None or reply.is_status or reply.body == follow):
                return reply

    def close(self):
        self.socket.close()
