"""wire.py: as much of the wire as the sweep needs, written from proto/calloff/v1: frames, requests, any reply as a tree."""
import os
import socket
import struct
import time

SAME_KEY_STATUS = 50  # field numbers of the envelope's bodies
RESPONSE_OF = 50      # a response's number is its request's plus this


def varint(n):
    out = bytearray()
    while True:
        out.append(n & 127 | (128 if n > 127 else 0))
        n >>= 7
        if n == 0:
            return bytes(out)


def message(*fields):
    """(number, int | bytes | str) pairs; a negative int takes ten bytes, as in protobuf."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value & (1 << 64) - 1)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def tree(data):
    """{number: [values]}: ints, and bytes for what has a length."""
    fields, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 0:
            value = number()
        elif key & 7 == 2:
            length = number()
            value = data[at:at + length]
            at += length
        else:
            raise ValueError(f"wire type {key & 7}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def new_key():
    ms = int(time.time() * 1000) - 1000
    return ms.to_bytes(6, "big") + bytes([0x70 | os.urandom(1)[0] & 15]) + os.urandom(1) + bytes([0x80]) + os.urandom(7)


class Gone(Exception):
    """The connection is closed, or cannot be made."""


class Silent(Exception):
    """No reply within the bound."""


class Reply:
    """body: the number of the envelope's body; content: its bytes; a Status has .reason and .same_key."""

    def __init__(self, envelope):
        fields = tree(envelope)
        self.request_id = fields.get(1, [0])[0]
        self.body = next((n for n in fields if n >= 10), 0)
        self.content = fields[self.body][0] if self.body else b""
        self.is_status = self.body == SAME_KEY_STATUS
        status = tree(self.content) if self.is_status else {}
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
            self.socket.sendall(struct.pack(">I", len(envelope)) + envelope)
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
