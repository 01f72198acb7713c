"""rows_reign.py: two engines and one database: each is killed, stopped, made to fail and cut off at the worst moments.

tests/reign has a change of reign by itself (killed, handed over, paused, half-open, edits, many shards) and how long a
client waits for it; here it happens under load, at named points, and against the dropped packets of a namespace.
"""
import os
import signal
import time

import rig
from pair import GET_COUNTS, Pair
from rig import Violation
from rows_engine import POINTS
from rows_net import TCP
from stage import AWAY, MANY, Row, continued

FOLLOWING = {"follow_look": (2, 8), "follow_rows": (1, 6)}  # passes until it is due
TAKING_OVER = ("follow_take_over", "take_over_before", "take_over_after", "follow_level", "follow_keys")
HAS_TAKEN = ("take_over_after", "follow_level", "follow_keys")
IN_FLIGHT = ("decide_after", "send_before", "send_after", "committed", "reply_between", "flush_between")
LEASE_S = 1.2  # memory may be told for 1 s, so a sleep must be longer
AT_ONCE = ["--take-over-at-once=1"]


def comes_to(stage, point, action):
    """The standby is started anew with the point live; if it is one of taking over, the other dies."""
    stage.stop(stage.second)
    passes = stage.random.randint(*FOLLOWING.get(point, (1, 1)))
    stage.again(stage.second, failpoint=f"{point}:{passes}:{action}")
    if point in TAKING_OVER:
        stage.until_follows(stage.second)
        stage.kill(stage.engine)
        stage.mark()


def standby_dies(point):
    def fault(stage):
        comes_to(stage, point, "kill")
        stage.ended(stage.second, f"the standby dies at {point}", -signal.SIGKILL)
        yield
        dead = [e for e in stage.engines if e.process is None]
        for engine in stage.random.sample(dead, len(dead)):
            stage.again(engine)
    return fault


def standby_sleeps(point):
    """In the middle of taking over; the one that had died comes back and reigns, before it wakes up."""
    def fault(stage):
        comes_to(stage, point, "stop")
        stage.sleeps(stage.second, f"the standby stops at {point}")
        before = stage.count(stage.engine, "ready")
        stage.again(stage.engine)
        stage.until_reigns(stage.engine, before)
        command, memory = stage.question(stage.second), stage.question(stage.second, GET_COUNTS)
        yield
        continued(stage.second.process)
        stage.is_refused(stage.second, stage.answer(stage.second, command))
        stage.is_refused(stage.second, stage.answer(stage.second, memory), GET_COUNTS)
    return fault


def standby_stumbles(point):
    """Its call fails once: it takes over all the same."""
    def fault(stage):
        comes_to(stage, point, "fail")
        stage.wait_for(f"the standby comes to {point}", lambda: stage.logged("event=failpoint", stage.second))
        if point in FOLLOWING:
            stage.until_follows(stage.second)
            stage.kill(stage.engine)
            stage.mark()
        stage.until_reigns(stage.second, 0)
        yield
        stage.again(stage.engine)
    return fault


def reigns_alone(stage, name):
    if stage.reigning() != name:
        raise Violation(f"a hand-over ends one's own reign only: {name} has the shard, not '{stage.reigning()}'")


def hand_over(action):
    """SIGTERM of the one that reigns, which is killed, stopped or fails on the way out."""
    def fault(stage):
        stage.engine.process.send_signal(signal.SIGTERM)
        stage.mark()
        if action == "stop":
            stage.sleeps(stage.engine, "it stops while it hands over")
        else:
            stage.ended(stage.engine, "it ends", -signal.SIGKILL if action == "kill" else 0)
        stage.until_reigns(stage.second, 0)
        stage.wait_for_progress(50)
        yield
        if action == "stop":
            continued(stage.engine.process)
            stage.ended(stage.engine, "it ends", 0)
            reigns_alone(stage, "second")
        stage.again(stage.engine)
    return fault


def hand_over_away(stage):
    """The database goes down in the middle of a hand-over, and comes back when the one that left is gone."""
    stage.engine.process.send_signal(signal.SIGTERM)
    time.sleep(stage.random.uniform(0, 0.02))
    stage.cluster.stop()
    stage.ended(stage.engine, "it leaves without its database", 0)
    yield
    stage.cluster.ensure()
    stage.until_reigns(stage.second, 0)
    stage.again(stage.engine)


def deposed_at(point):
    """It stops with commands in flight; another is told to take over at once; then it wakes up."""
    def fault(stage):
        stage.stop(stage.second)
        stage.kill(stage.engine)
        stage.again(stage.engine, failpoint=f"{point}:{stage.random.randint(*POINTS[point][:2])}:stop")
        stage.sleeps(stage.engine, f"it stops at {point}")
        stage.mark()
        stage.again(stage.second, more=AT_ONCE)
        stage.until_reigns(stage.second, 0)
        command, memory = stage.question(stage.engine), stage.question(stage.engine, GET_COUNTS)
        stage.wait_for_progress(50)
        yield
        wakes_deposed(stage, command, memory)
    return fault


def wakes_deposed(stage, command, memory):
    """What it was asked while it slept is not done, not told from memory: it finds out, and follows."""
    continued(stage.engine.process)
    stage.is_refused(stage.engine, stage.answer(stage.engine, command))
    stage.is_refused(stage.engine, stage.answer(stage.engine, memory), GET_COUNTS)
    stage.until_follows(stage.engine)
    stage.refuses(stage.engine)
    stage.refuses(stage.engine, GET_COUNTS)


def zombie(stage):
    """SIGSTOP for 5 s: the other reigns meanwhile."""
    stage.engine.process.send_signal(signal.SIGSTOP)
    stage.mark()
    until_s = time.monotonic() + 5
    stage.until_reigns(stage.second, 0)
    command, memory = stage.question(stage.engine), stage.question(stage.engine, GET_COUNTS)
    stage.wait_for_progress(50)
    stage.hold(until_s - time.monotonic())
    yield
    wakes_deposed(stage, command, memory)


def lags_and_sleeps(stage):
    """Batches wait in PostgreSQL while the standby takes over, which must read them still; it sleeps, is deposed itself, and
    wakes to a journal that has gone on without it."""
    stage.stop(stage.second)
    lanes = stage.cluster.lanes()
    stage.again(stage.second, failpoint="take_over_after:1:stop")
    stage.until_follows(stage.second)
    for pid in lanes:
        os.kill(pid, signal.SIGSTOP)
    stage.mark()
    stage.wait_for("the standby takes over, or waits for the batches under way", lambda: "t" in rig.psql(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE query LIKE '%take_over%' AND pid <> pg_backend_pid()"))
    for pid in lanes:
        os.kill(pid, signal.SIGCONT)
    stage.sleeps(stage.second, "it stops when it has taken over")
    stage.until_reigns(stage.engine, stage.count(stage.engine, "ready"))
    stage.wait_for_progress(200)
    yield
    continued(stage.second.process)


def beats_stop(stage):
    """An idle engine sends no heartbeat any more, though it lives: it is followed, tells nothing, and does nothing."""
    stage.clients.process.send_signal(signal.SIGSTOP)
    stage.wait_for("heartbeats fail", lambda: stage.logged("event=failpoint"), patience_s=30)
    stage.mark()
    stage.until_reigns(stage.second, 0)
    stage.refuses(stage.engine, GET_COUNTS)
    stage.refuses(stage.engine)
    stage.wait_for("it finds itself deposed", lambda: stage.logged("event=deposed"))
    yield
    continued(stage.clients.process)


def patience(stage):
    """Pauses shorter than what six looks take change nothing."""
    epoch = rig.fence("epoch")
    for _ in range(6):
        begin_s = time.monotonic()
        stage.engine.process.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        continued(stage.engine.process)
        if time.monotonic() - begin_s > 1.1:
            raise Violation("this machine can run the row: a pause of 0.7 s takes less than 1.1 s")
        stage.wait_for_progress(20)
    if rig.fence("epoch") != epoch:
        raise Violation(f"a standby looks six times before it takes over: epoch {epoch} still, not {rig.fence('epoch')}")
    yield


def cut_off(*directions):
    """No packet passes between the one that reigns and the database; clients and the standby go on as ever."""
    def fault(stage):
        for which, port in directions:
            stage.drop("ip", which, "127.0.0.1", "tcp", port, "5432")
        stage.mark()
        stage.until_reigns(stage.second, 0)
        stage.wait_for_progress(100)
        stage.refuses(stage.engine)
        stage.refuses(stage.engine, GET_COUNTS)
        yield
        stage.undrop()
        stage.until_follows(stage.engine)
    return fault


def standby_blind(stage):
    """The standby hears nothing from the database while the other dies and comes back: no reign is its own; then it follows."""
    for which, port in BOTH:
        stage.drop("ip", which, "127.0.0.2", "tcp", port, "5432")
    stage.hold(2)
    stage.kill(stage.engine)
    stage.hold(3)
    if stage.reigning() != "engine" or stage.logged("event=ready", stage.second):
        raise Violation("a standby that sees nothing claims nothing")
    stage.mark()
    stage.again(stage.engine)
    stage.wait_for_progress(100)
    yield
    stage.undrop()
    stage.until_level(stage.second)
    stage.kill(stage.engine)
    stage.until_reigns(stage.second, 0)
    stage.again(stage.engine)


def clients_cut(stage):
    """Clients do not reach the one that reigns; it does reach the database, so nobody takes its shard."""
    epoch = rig.fence("epoch")
    stage.door.set(both__half_open=1)
    stage.hold(4)
    stage.refuses(stage.second)
    if rig.fence("epoch") != epoch:
        raise Violation("who commits is not deposed because clients do not reach it")
    yield
    stage.door.clear()


def both_at_once(stage):
    """Both are started at the same moment, each told to take over at once: one gives way, and they leave it at that."""
    for _ in range(3):
        for engine in stage.engines:
            stage.kill(engine)
        stage.mark()
        epoch = rig.fence("epoch")
        for engine in stage.random.sample(stage.engines, 2):
            stage.again(engine, more=AT_ONCE)
        stage.until_settled()
        stage.wait_for_progress(30)
        settled = rig.fence("epoch")
        stage.hold(1.5)
        if rig.fence("epoch") != settled or settled > epoch + 6:
            raise Violation(f"two engines that are told to take over do it once: epoch {epoch}, {settled}, {rig.fence('epoch')}")
    yield


BOTH = (("daddr", "dport"), ("saddr", "sport"))
NET = {**TCP, "cluster": lambda stage: {"settings": ["listen_addresses=127.0.0.1,127.0.0.2"]}}
HALF_OPEN = {**NET, "server_more": "connect_timeout=2", "engine_flags": ["--store-silence-seconds=2"]}
DEPOSED = ("event=deposed",)
ONCE = {"engine.deposed": (1, 1)}


def row(name, fault, says, **more):
    return Row("reign-" + name, fault, says, stage=Pair, **{"may": AWAY | {"DEPOSED", "DRAINING"}, **more})


ROWS = [
    *[row(f"standby-kill-{p}", standby_dies(p), f"kill -9 of the standby at {p}, while the other reigns", goes_on=True)
      for p in FOLLOWING],
    *[row(f"standby-kill-{p}", standby_dies(p), f"kill -9 of the one that reigns, and of the standby at {p}",
          ci=p == "follow_keys") for p in TAKING_OVER],
    *[row(f"standby-pause-{p}", standby_sleeps(p), f"the standby stops at {p} until the other is back and reigns", hold_s=LEASE_S,
          **({"alarms": DEPOSED, "counters": {"second.deposed": (1, 1)}} if p in HAS_TAKEN else {})) for p in TAKING_OVER],
    *[row(f"standby-fail-{p}", standby_stumbles(p), f"the standby's call at {p} fails once")
      for p in ("follow_look", *TAKING_OVER)],
    *[row(f"{a if a != 'stop' else 'pause'}-{p}", hand_over(a), f"SIGTERM; {a} of the one that reigns at {p}",
          needs={"failpoint": f"{p}:1:{a}"}, hold_s=0.3) for p in ("hand_over_before", "hand_over_after")
      for a in ("kill", "stop", "fail")],
    row("hand-over-away", hand_over_away, "the database goes down during a hand-over, for 1 s", hold_s=1),
    *[row(f"deposed-{p}", deposed_at(p), f"deposed while it is stopped at {p}, with commands in flight", hold_s=LEASE_S,
          needs={"load": {"depth": 256}}, alarms=DEPOSED, counters=ONCE) for p in IN_FLIGHT],
    row("zombie", zombie, "SIGSTOP of the one that reigns for 5 s: it wakes up deposed, acts no more and tells nothing",
        may_log=DEPOSED, counters={"engine.deposed": (0, 1)}, ci=True),  # 5 s are store_silence_seconds too: it may see that first
    row("standby-lags", lags_and_sleeps, "the standby takes over with rows still to read, sleeps, and is deposed itself",
        needs={"engine_flags": ["--store-silence-seconds=30"]}, alarms=DEPOSED, counters={**ONCE, "second.deposed": (0, 1)}),
    row("beats-stop", beats_stop, "an idle engine's heartbeats stop", needs={"failpoint": "beat_due:24:fail-on"},
        alarms=DEPOSED, counters=ONCE),
    row("patience", patience, "SIGSTOP of 0.7 s, six times: no change of reign"),
    row("database-cut", cut_off(*BOTH), "no packet between the one that reigns and the database", hold_s=1, needs=NET, ci=True),
    row("requests-lost", cut_off(BOTH[0]), "its packets to the database are dropped", hold_s=1, needs=NET),
    row("answers-lost", cut_off(BOTH[1]), "the database's packets to it are dropped: commits are unknown", hold_s=1, needs=NET,
        counters={"engine.batches_ambiguous": (1, MANY)}),
    row("half-open", cut_off(*BOTH), "the same, where TCP has patience and no connection ends", hold_s=1, needs=HALF_OPEN,
        counters={"engine.batches_ambiguous": (1, MANY)}),
    row("standby-blind", standby_blind, "the standby is cut off while the other dies and comes back", needs=NET),
    row("clients-cut", clients_cut, "clients are cut off from the one that reigns, for 4 s", replies=frozenset({"DEPOSED"}),
        needs={"client_proxy": {}}),
    row("both-at-once", both_at_once, "both are told to take over at once, three times", may_log=DEPOSED,
        counters={"engine.deposed": (0, MANY), "second.deposed": (0, MANY)}),
]
