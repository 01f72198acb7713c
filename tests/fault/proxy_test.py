#!/usr/bin/env python3
"""proxy_test.py CHAOSPROXY: each fault of the proxy does what it says, and the same seed does it at the same bytes."""
import errno
import os
import random
import socket
import struct
import sys
import tempfile
import time

from proxy import Proxy

LONG = bytes(random.Random(1).randrange(256) for _ in range(300_000))
FRAMES = [struct.pack(">I", len(body)) + body for body in
          (b"frame %03d " % n + b"." * (n % 7) for n in range(200))]


class Rig:
    """A proxy with a listening server of ours behind it; pair() is a client and the server's end of its connection."""

    def __init__(self, directory, tcp=False, **flags):
        self.directory, self.sockets, self.tcp = directory, [], tcp
        self.server = self.listening("server")
        probe = self.listening("proxy")
        self.address = probe.getsockname()
        probe.close()
        if not tcp:
            os.unlink(self.address)
        self.proxy = Proxy(sys.argv[1], directory, "proxy", self.text(self.address), self.text(self.server.getsockname()), **flags)

    def listening(self, name):
        s = socket.socket(socket.AF_INET if self.tcp else socket.AF_UNIX)
        s.bind(("127.0.0.1", 0) if self.tcp else os.path.join(self.directory, name))
        s.listen(8)
        self.sockets.append(s)
        return s

    def text(self, address):
        return f"tcp:{address[0]}:{address[1]}" if self.tcp else "unix:" + address

    def client(self):
        s = socket.socket(socket.AF_INET if self.tcp else socket.AF_UNIX)
        s.settimeout(5)
        s.connect(self.address)
        self.sockets.append(s)
        return s

    def pair(self):
        client = self.client()
        self.server.settimeout(5)
        server, _ = self.server.accept()
        server.settimeout(5)
        self.sockets.append(server)
        return client, server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.end()
        for s in self.sockets:
            s.close()
        for name in os.listdir(self.directory):
            os.unlink(os.path.join(self.directory, name))


def read(s, count):
    """Up to count bytes; fewer when the connection ends."""
    got = b""
    while len(got) < count:
        try:
            more = s.recv(count - len(got))
        except ConnectionResetError:
            break
        if not more:
            break
        got += more
    return got


def silent(s, seconds):
    s.settimeout(seconds)
    try:
        return s.recv(1) is None
    except TimeoutError:
        return True
    finally:
        s.settimeout(5)


def took(action):
    from_s = time.monotonic()
    action()
    return time.monotonic() - from_s


def expect(rule, holds):
    if not holds:
        raise AssertionError(rule)


def plain(d):
    for tcp in (False, True):
        with Rig(d, tcp) as r:
            c, s = r.pair()
            c.sendall(LONG[:200_000])
            expect("what goes up arrives", read(s, 200_000) == LONG[:200_000])
            s.sendall(LONG)
            s.close()
            expect("what comes down before a close arrives, and then the close", read(c, 400_000) == LONG)


def delay(d):
    with Rig(d) as r:
        c, s = r.pair()
        r.proxy.set(up__delay_ms=150, up__jitter_ms=50)
        c.sendall(b"a")
        expect("a piece waits its delay", took(lambda: read(s, 1)) >= 0.14)
        s.sendall(b"b")
        expect("the other direction does not", took(lambda: read(c, 1)) < 0.14)
        for n in range(20):
            c.sendall(b"%c" % n)
            time.sleep(0.002)
        expect("jitter keeps the order", read(s, 20) == bytes(range(20)))


def frames(d, seed, **rules):
    with Rig(d, seed=seed, frames=True) as r:
        c, s = r.pair()
        r.proxy.set(**rules)
        c.sendall(b"".join(FRAMES))
        time.sleep(0.3)
        c.close()
        got, out = read(s, 1 << 20), []
        while got:
            size = 4 + struct.unpack(">I", got[:4])[0]
            out.append(got[:size])
            got = got[size:]
        return out, r.proxy.stats()


def reorder(d):
    out, stats = frames(d, 7, up__reorder_percent=20, up__reorder_ms=100)
    expect("frames are reordered whole, none lost", out != FRAMES and sorted(out) == sorted(FRAMES))
    expect("as many as are counted, about a fifth", 10 < stats["reordered"] < 80)
    expect("the same seed reorders the same", frames(d, 7, up__reorder_percent=20, up__reorder_ms=100)[0] == out)
    expect("another seed others", frames(d, 8, up__reorder_percent=20, up__reorder_ms=100)[0] != out)


def duplicate(d):
    out, stats = frames(d, 7, up__duplicate_percent=30)
    expect("frames come twice, in order", [f for i, f in enumerate(out) if i == 0 or out[i - 1] != f] == FRAMES)
    expect("as many as are counted", len(out) - len(FRAMES) == stats["duplicated"] > 20)
    expect("the same seed doubles the same", frames(d, 7, up__duplicate_percent=30)[0] == out)


def split(d):
    with Rig(d, tcp=True, up__split_bytes=1, up__rate_bytes_s=2000) as r:
        c, s = r.pair()
        c.sendall(b"0123456789" * 40)
        first = s.recv(400)
        expect("writes are of a byte", len(first) < 400)
        expect("nothing is missing", first + read(s, 400 - len(first)) == b"0123456789" * 40)


def rate(d):
    with Rig(d) as r:
        c, s = r.pair()
        r.proxy.set(down__rate_bytes_s=100)
        s.sendall(b"x" * 60)
        expect("60 bytes at 100 B/s take half a second and more", took(lambda: read(c, 60)) > 0.5)


def flip(d):
    out = []
    for seed in (3, 3, 4):
        with Rig(d, seed=seed) as r:
            c, s = r.pair()
            r.proxy.set(up__flip_ppm=1000)
            for at in range(0, 100_000, 9_001 if out else 100_000):  # however it is written
                c.sendall(LONG[at:min(at + (9_001 if out else 100_000), 100_000)])
            out.append(read(s, 100_000))
            flipped = [x ^ y for x, y in zip(out[-1], LONG) if x != y]
            expect("a bit in a thousandth of the bytes", 50 < len(flipped) == r.proxy.stats()["flipped"] < 200)
            expect("one bit of each", all(x & (x - 1) == 0 for x in flipped))
    expect("the same seed, the same bytes; another, others", out[0] == out[1] != out[2])


def drop(d):
    with Rig(d) as r:
        c, s = r.pair()
        c.sendall(b"x" * 100)
        read(s, 100)
        r.proxy.set(up__drop_after=50)
        c.sendall(b"y" * 200)
        expect("50 bytes more, then nothing, then the end", read(s, 300) == b"y" * 50)
        expect("the client is cut off, too", read(c, 1) == b"")
        expect("150 were swallowed", r.proxy.stats()["swallowed"] == 150)


def cut(d):
    with Rig(d, tcp=True) as r:
        c, s = r.pair()
        r.proxy.set(up__cut_after=7)
        c.sendall(b"0123456789")
        got = b""
        try:
            while True:
                more = s.recv(100)
                expect("it ends by RST, not in order", more)
                got += more
        except ConnectionResetError:
            pass
        expect("7 bytes and no more", got in (b"0123456", b""))  # an RST may overtake what was not read
        r.proxy.clear()
        c, s = r.pair()
        c.sendall(b"again")
        expect("after clear a new connection works", read(s, 5) == b"again")
        r.proxy.tell("cut")
        try:
            expect("cut ends it", c.recv(1) == b"never")
        except ConnectionResetError as e:
            expect("by RST", e.errno == errno.ECONNRESET)


def half_open(d):
    with Rig(d) as r:
        c, s = r.pair()
        r.proxy.set(both__half_open=1)
        c.sendall(b"up")
        s.sendall(b"down")
        expect("nothing is forwarded", silent(s, 0.2) and silent(c, 0.2))
        s.close()
        expect("a close is not told", silent(c, 0.3))
        r.proxy.set(both__half_open=0)
        expect("off: what waited goes on", read(c, 4) == b"down")


def blackhole(d):
    with Rig(d) as r:
        c, s = r.pair()
        r.proxy.set(both__blackhole_ms=400)
        c.sendall(b"late")
        waited = took(lambda: expect("what was sent meanwhile arrives", read(s, 4) == b"late"))
        expect("after the time", waited > 0.3)


def refuse_and_to(d):
    with Rig(d) as r:
        r.proxy.set(refuse=1)
        expect("a new connection is closed", read(r.client(), 1) == b"")
        r.proxy.set(refuse=0)
        other = r.listening("other")
        r.proxy.tell("to " + r.text(other.getsockname()))
        c = r.client()
        other.settimeout(5)
        s, _ = other.accept()
        c.sendall(b"hello")
        expect("new connections lead elsewhere", read(s, 5) == b"hello")
        s.close()
        for wrong in ("set up.nothing 1", "set sideways.delay_ms 1", "set up.delay_ms -1", "to nowhere", "nonsense"):
            try:
                r.proxy.tell(wrong)
            except RuntimeError:
                continue
            expect(f"it refuses: {wrong}", False)


def main():
    tests = (plain, delay, reorder, duplicate, split, rate, flip, drop, cut, half_open, blackhole, refuse_and_to)
    failed = 0
    for number, test in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="chaos.") as d:
            try:
                test(d)
                print(f"ok {number} - {test.__name__}", flush=True)
            except (AssertionError, OSError, RuntimeError) as e:
                failed += 1
                print(f"not ok {number} - {test.__name__}: {e!r}", flush=True)
    print(f"1..{len(tests)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
