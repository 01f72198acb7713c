"""raw.py: a client that may misbehave, on the protocol by hand (tests/kit/protocol.py)."""
import os
import socket
import struct
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
from protocol import decode, encode, frame, new_key, varint  # noqa: E402,F401  pylint: disable=wrong-import-position

SUBMIT, DECLARE, LIST_POOLS, STATUS, SUBMITTED, DECLARED = 11, 18, 19, 50, 61, 68
KEY_REUSED, QUARANTINED = 10, 17


def submission(case, minutes=30):
    """A package anybody of the demonstration's first lots could take."""
    return {SUBMIT: {1: {1: case, 2: case + "-P", 3: case + "-H", 4: "OFFICER", 6: "CM1 1", 7: "E07000070", 8: 1,
                         10: [{1: 127, 2: 2, 4: minutes, 5: 1}], 15: 5, 16: 3, 17: 3,
                         19: time.time_ns() // 1000 - 86_400_000_000, 23: 1, 24: 1}}}


class Raw:
    """One connection; what it was acknowledged becomes part of the history (add_to)."""

    def __init__(self, path, hello=True, timeout_s=10):
        self.socket, self.got, self.next_id, self.sent = socket.socket(socket.AF_UNIX), b"", 0, {}
        self.acks = {}  # key: a line of the history
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        if hello:
            self.call({10: {1: "fault", 2: 1}})

    def send(self, body, key=None):
        """Returns the request's id."""
        self.next_id += 1
        self.sent[self.next_id] = (key, time.monotonic_ns(), next(iter(body)))
        self.socket.sendall(frame(encode({1: self.next_id, **({4: key} if key else {}), **body})))
        return self.next_id

    def receive(self):
        """(id, number of the reply's body, the body), or None when the connection has ended."""
        while len(self.got) < 4 or len(self.got) < 4 + struct.unpack(">I", self.got[:4])[0]:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.got += more
        size = 4 + struct.unpack(">I", self.got[:4])[0]
        envelope, self.got = decode(self.got[4:size]), self.got[size:]
        number = next(n for n in envelope if n >= 50)
        reply = (envelope.get(1, [0])[0], number, decode(envelope[number][0]))
        self.remember(*reply)
        return reply

    def call(self, body, key=None):
        wanted = self.send(body, key)
        while True:
            reply = self.receive()
            if reply is None or reply[0] == wanted:
                return reply

    def remember(self, request, number, body):
        """The first acknowledgement of a key becomes its line; a later one must tell the same."""
        key, sent_ns, kind = self.sent.get(request, (None, 0, 0))
        receipt = body.get(9 if number == STATUS else 2)
        if key is None or receipt is None:
            return
        receipt = decode(receipt[0])
        outcome = decode(body[1][0]) if number == SUBMITTED else {}
        package = outcome.get(1, [b"P-0"])[0].decode()[2:]
        told = [str(receipt[2][0]), receipt[3][0].hex(), receipt[4][0].hex(), str(body[3][0] if number == STATUS else 0),
                package, str(outcome.get(2, [0])[0]), "0"]
        text = key.hex()
        text = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        before = self.acks.setdefault(text, [text, "declare" if kind == DECLARE else "submit", str(sent_ns),
                                             str(time.monotonic_ns()), "1", *told])
        if before[5:] != told:
            raise RuntimeError(f"a repeated key is answered like the first time: {before[5:]}, then {told}")

    def add_to(self, history):
        known = {ack[0] for ack in history.acks}
        history.acks += [ack for key, ack in self.acks.items() if key not in known]

    def end(self):
        self.socket.close()
