"""rows_hostile.py: clients that send nonsense, too much, too slowly, read nothing, or say the same thing again and again."""
import os
import random
import threading
import time

import rig
from rig import Violation
from stage import MANY, Row
from raw import DECLARE, KEY_REUSED, LIST_POOLS, QUARANTINED, STATUS, Raw, encode, frame, new_key, submission, varint

POISON_SQL = """
CREATE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	RAISE EXCEPTION 'poison' USING ERRCODE = '23514';
END $$;
CREATE TRIGGER poison BEFORE INSERT ON package FOR EACH ROW WHEN (NEW.case_ref LIKE 'POISON%') EXECUTE FUNCTION public.poison();
"""


def status_of(reply):
    """The error's number of a Status, 0 of anything else, None of a connection that ended."""
    return None if reply is None else reply[2].get(3, [0])[0] if reply[1] == STATUS else 0


def expect(rule, holds):
    if not holds:
        raise Violation(rule)


def attack(once, seconds=1.5):
    """once(stage, random) again and again, on connections of its own, beside the load."""
    def fault(stage):
        end, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end or rounds < 3:
            once(stage, stage.random)
            stage.check()
            rounds += 1
        yield
    return fault


def refused_or_cut(stage, hello, data, rule):
    """What is sent is answered by a refusal, or the connection ends; never by silence, and nothing is done."""
    raw = Raw(stage.engine.socket, hello=hello)
    try:
        raw.socket.sendall(data)
        answer = raw.receive()
        expect(rule, answer is None or status_of(answer))
    except (BrokenPipeError, ConnectionResetError):
        pass
    except TimeoutError:
        raise Violation(rule) from None
    finally:
        raw.end()


def garbage(stage, draw):
    body = draw.randbytes(draw.randint(1, 2000))
    refused_or_cut(stage, draw.random() < 0.7, frame(body), "garbage is refused")
    refused_or_cut(stage, True, draw.randbytes(draw.randint(4, 64)) + b"\xff" * 4096,
                   "bytes that are no frame end the connection")


def truncated(stage, draw):
    """Frames that stop, at any byte, with and without a close."""
    whole = frame(encode({1: 7, 4: new_key(), **submission(f"CUT-{draw.randrange(10 ** 9)}")}))
    raw = Raw(stage.engine.socket)
    raw.socket.sendall(whole[:draw.randint(1, len(whole) - 1)])
    if draw.random() < 0.9:
        raw.end()
    else:
        raw.socket.settimeout(8)
        expect("a frame that stops is given up", raw.receive() is None)
    short = whole[:4] + whole[4:-20] + b"\0" * 20
    refused_or_cut(stage, True, short, "a frame whose message is broken is refused")


def oversized(stage, draw):
    for hello, size in ((True, (1 << 20) + 1), (False, (16 << 10) + 1), (True, 0x7fffffff), (True, 0xffffffff)):
        refused_or_cut(stage, hello, size.to_bytes(4, "big") + draw.randbytes(200), "a frame over the limit is refused at its head")


def repeated(stage, _):
    """A million repeated fields are over the frame's limit; half a million fit the frame and not the arena."""
    visits = varint(10 << 3 | 2) + b"\0"
    for count in (1_000_000, 500_000, 40_000):
        requirement = visits * count
        body = encode({1: 1, 4: new_key(), 11: {1: requirement}})
        refused_or_cut(stage, True, frame(body), f"{count} repeated fields are refused")


def unknown(stage, _):
    """Unknown fields, nested ten thousand deep, and half a million side by side; groups, which proto3 does not have."""
    deep = b""
    for _ in range(10_000):
        deep = varint(99 << 3 | 2) + varint(len(deep)) + deep
    wide = (varint(99 << 3) + b"\1") * 300_000
    groups = varint(99 << 3 | 3) * 50_000
    for unknowns in (deep, wide, groups, deep + groups):
        refused_or_cut(stage, True, frame(encode({1: 1, 4: new_key(), 11: {}}) + unknowns), "a flood of unknown fields is refused")


def slow_writer(stage):
    """A byte a second: before hello, and inside a frame after it."""
    raws = [Raw(stage.engine.socket, hello=False), Raw(stage.engine.socket)]
    data, end = frame(encode({1: 1, 4: new_key(), **submission("SLOW")})), time.monotonic() + 6
    cut = [False, False]
    for byte in data:
        for i, raw in enumerate(raws):
            raw.socket.settimeout(0.01)
            try:
                cut[i] = cut[i] or raw.socket.send(bytes([byte])) == 0 or raw.receive() is None
            except TimeoutError:
                pass
            except OSError:
                cut[i] = True
        if all(cut) or time.monotonic() > end:
            break
        stage.hold(1)
    yield
    for raw in raws:
        raw.end()
    expect("who sends a byte a second is cut, with and without hello", all(cut))


def memory_kib(stage):
    """The most the engine ever held."""
    with open(f"/proc/{stage.engine.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def slow_reader(stage):
    """Asks for six thousand pages in one write and reads none: cut, and what they take of memory is bounded."""
    before_kib = memory_kib(stage)
    raws = [Raw(stage.engine.socket) for _ in range(3)]
    for raw in raws:
        raw.socket.settimeout(1)
        try:
            raw.socket.sendall(b"".join(frame(encode({1: n + 2, LIST_POOLS: {3: 1000}})) for n in range(6000)))
        except OSError:
            pass  # cut while it still asks
    yield
    for raw in raws:
        raw.end()
    expect(f"readers of nothing cost at most 8 MiB each, not {(memory_kib(stage) - before_kib) // 3} KiB",
           memory_kib(stage) - before_kib < 3 * 8192)


def replay(stage):
    """Whole streams of submissions sent again, backwards and on other connections: one outcome a key."""
    first = Raw(stage.engine.socket)
    stage.others.append(first)
    sent = [(new_key(), submission(f"REPLAY-{stage.seed}-{n}")) for n in range(60)]
    for key, body in sent:
        first.call(body, key)
    expect("each is acknowledged", len(first.acks) == len(sent))
    for _ in range(5):
        again = Raw(stage.engine.socket)
        again.acks = first.acks  # and is held against it
        ids = [again.send(body, key) for key, body in stage.random.sample(sent, len(sent)) + sent[::-1]]
        for _ in ids:
            expect("each is answered", again.receive() is not None)
        again.end()
    yield


def other_body(stage):
    """The same key with another body: told so, in flight, done, and after a restart; never acted on."""
    key, body = new_key(), submission(f"BODY-{stage.seed}")
    raw = Raw(stage.engine.socket)
    stage.others.append(raw)
    ids = [raw.send(body, key), raw.send(submission(f"BODY-{stage.seed}-B"), key)]
    told = {reply[0]: status_of(reply) for reply in (raw.receive(), raw.receive())}
    expect("in flight: KEY_REUSED", told == {ids[0]: 0, ids[1]: KEY_REUSED})
    expect("done: KEY_REUSED", status_of(raw.call(submission(f"BODY-{stage.seed}-C"), key)) == KEY_REUSED)
    stage.engine.kill()
    stage.start_engine()
    stage.wait_for_progress(20)
    late = Raw(stage.engine.socket)
    late.acks = raw.acks
    expect("after a restart: KEY_REUSED", status_of(late.call(submission(f"BODY-{stage.seed}-D"), key)) == KEY_REUSED)
    expect("and the first body still has its outcome", status_of(late.call(body, key)) == 0)
    late.end()
    yield


def poison(stage):
    """Commands the database refuses, in the middle of the load: each is set aside, its neighbours are decided."""
    raw = Raw(stage.engine.socket, timeout_s=20)
    told = [status_of(raw.call(submission(f"POISON-{stage.seed}-{n}"), new_key())) for n in range(2)]
    expect(f"a command the database refuses is QUARANTINED: {told}", told == [QUARANTINED] * 2)
    yield
    raw.end()


def capacity_cut(stage):
    """Every pool's capacity cut to next to nothing, under load: overhang, never a commitment lost."""
    with open(stage.path("pools"), encoding="ascii") as f:
        pools = [line.split()[0] for line in f if line.strip()]
    raw = Raw(stage.engine.socket)
    stage.others.append(raw)
    over, expires_us = 0, time.time_ns() // 1000 + 30 * 86_400_000_000
    for pool in stage.random.sample(pools, min(len(pools), 150)):
        reply = raw.call({DECLARE: {1: pool, 2: [{1: 1, 2: 2, 4: 5}], 3: expires_us}}, new_key())
        expect("a cut is taken", status_of(reply) == 0)
        over += reply[2].get(1, [0])[0]
    expect("some of it was below what is committed", over > 0)
    yield


def crowd(stage):
    """Three hundred connections at once, most of which never say hello, come and go."""
    def come_and_go(seed):
        draw = random.Random(seed)
        for _ in range(15):
            try:
                raw = Raw(stage.engine.socket, hello=draw.random() < 0.3)
                time.sleep(draw.uniform(0, 0.1))
                raw.end()
            except OSError:
                pass
    threads = [threading.Thread(target=come_and_go, args=(n,)) for n in range(20)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        stage.hold(0.05)
    yield


def no_descriptors(stage):
    """More connections than the engine has file descriptors: those it has are served, and later comers again."""
    raws = []
    for _ in range(3):
        for _ in range(60):
            raws.append(Raw(stage.engine.socket, hello=False, timeout_s=1))
        stage.hold(0.6)
    before_s = cpu_seconds(stage)
    stage.hold(0.5)
    busy = cpu_seconds(stage) - before_s
    for raw in raws:
        raw.end()
    expect(f"it does not spin while it has none: {busy:.2f} s of 0.5", busy < 0.4)
    late = Raw(stage.engine.socket)
    late.end()
    yield


def cpu_seconds(stage):
    with open(f"/proc/{stage.engine.process.pid}/stat", encoding="ascii", errors="replace") as f:
        ticks = f.read().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


REFUSES = {"counters": {"frames_refused": (1, MANY)}, "goes_on": True}
ROWS = [
    Row("hostile-garbage", attack(garbage), "random bytes, framed and not", **REFUSES, ci=True),
    Row("hostile-truncated", attack(truncated), "frames that stop in the middle", goes_on=True),
    Row("hostile-oversized", attack(oversized), "lengths over the limit", **REFUSES),
    Row("hostile-repeated", attack(repeated), "a million repeated fields", **REFUSES),
    Row("hostile-unknown", attack(unknown), "deep and wide unknown fields", **REFUSES),
    Row("hostile-slow-writer", slow_writer, "a byte a second", goes_on=True),
    Row("hostile-slow-reader", slow_reader, "a client that reads nothing", goes_on=True, hold_s=1,
        counters={"slow_readers": (1, MANY)}),
    Row("hostile-crowd", crowd, "300 connections that come and go", goes_on=True, counters={"connections": (250, MANY)}),
    Row("hostile-descriptors", no_descriptors, "more connections than file descriptors", goes_on=True,
        needs={"start_with": lambda stage: (["prlimit", "--nofile=48"], {}), "load": {"rate": 400}}),
    Row("replay", replay, "submissions sent again, in any order, on any connection", goes_on=True,
        counters={"commands_repeated": (100, MANY)}),
    Row("other-body", other_body, "the same key with another body", counters={"key_reused": (1, MANY)}),
    Row("poison", poison, "a command the database refuses", needs={"prepare": lambda stage: rig.psql(POISON_SQL)}, ci=True,
        counters={"quarantined": (2, 2), "store_refused": (2, 6)}, alarms=("ALARM_batch_refused", "ALARM_quarantined")),
    Row("capacity-cut", capacity_cut, "capacity cut below commitments", goes_on=True),
]
