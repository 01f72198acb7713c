"""history.py: what real clients saw, as tests/crash/client.c writes it down (README.md has the columns)."""
import wire

COMMANDS = ("submit", "confirm", "withdraw", "end", "declare")


class Call:
    """One command or read: when it was first sent, when its first answer came (None: never), and both as bytes."""
    __slots__ = ("client", "key", "kind", "invoked_ns", "returned_ns", "sent", "replies", "request", "reply")

    def __init__(self, columns):
        (self.client, self.key, self.kind, invoked, returned, sent, replies, request, reply) = columns
        self.invoked_ns = int(invoked)
        self.returned_ns = None if returned == "-" else int(returned)
        self.sent, self.replies = int(sent), int(replies)
        self.request = bytes.fromhex(request)
        self.reply = None if reply == "-" else bytes.fromhex(reply)

    @property
    def is_command(self):
        return self.kind in COMMANDS

    def line(self):
        returned, reply = ("-", "-") if self.reply is None else (self.returned_ns, self.reply.hex())
        return "\t".join(str(x) for x in ("call", self.client, self.key, self.kind, self.invoked_ns, returned, self.sent,
                                          self.replies, self.request.hex(), reply))


class History:
    """calls, losses [(key, ns)] and the engine's counters."""

    def __init__(self, path):
        self.calls, self.lost, self.stats = [], [], {}
        with open(path, encoding="ascii") as f:
            for line in f:
                kind, *columns = line.rstrip("\n").split("\t")
                if kind == "call":
                    self.calls.append(Call(columns))
                elif kind == "lost":
                    self.lost.append((columns[0], int(columns[1])))
                else:
                    self.stats[columns[0]] = int(columns[1])

    def commands(self):
        return [c for c in self.calls if c.is_command]

    def acknowledged(self):
        """[(call, what it was told)]"""
        return [(c, wire.Told(c.reply)) for c in self.calls if c.is_command and c.reply is not None]
