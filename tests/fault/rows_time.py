"""rows_time.py: wrong clocks, two engines at once, and people who edit the framework by hand."""
import os
import subprocess
import time

import rig
from rig import DATABASE, Violation
from stage import AWAY, MANY, Row
from raw import LIST_POOLS, STATUS, Raw

YEARS_10, HOUR = 10 * 365 * 86400, 3600
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def faked(**more):
    if not os.path.exists(FAKETIME):
        raise Violation("libfaketime is installed")
    return {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **more}


def clock_file(stage, seconds=0):
    """A clock that can be moved while the process runs."""
    with open(stage.path("clock.new"), "w", encoding="ascii") as f:
        f.write(f"{seconds:+d}s\n")
    os.replace(stage.path("clock.new"), stage.path("clock"))
    return faked(FAKETIME_TIMESTAMP_FILE=stage.path("clock"), FAKETIME_NO_CACHE="1")


def ready(stage):
    """The engine last started."""
    log = stage.engine.log()
    started = max(number for number, line in enumerate(log) if "event=starting" in line)
    return any("event=ready" in line for line in log[started:])


def engine_off(seconds):
    """The engine starts on a machine whose clock is wrong, then again on one whose clock is right."""
    def fault(stage):
        stage.engine.kill()
        stage.engine.start(**faked(FAKETIME=f"{seconds:+d}s"))
        stage.wait_for("the engine is ready", lambda: ready(stage))
        stage.hold(1.5)
        yield
        stage.engine.kill()
        stage.start_engine()
    return fault


def jumps(stage):
    """Of the clock of a process that runs: an hour and ten years, both ways."""
    for seconds in (HOUR, -HOUR, YEARS_10, -YEARS_10):
        clock_file(stage, seconds)
        stage.hold(0.5)
    clock_file(stage)
    yield


def steps(stage):
    """Of a second, as a time service makes them that has lost its patience."""
    for seconds in (1, 0, -1, 0, 1, 0):
        clock_file(stage, seconds)
        stage.hold(0.4)
    yield


def other_monotonic(stage):
    """The machine has been started anew: the monotonic clock begins elsewhere."""
    stage.engine.kill()
    stage.engine.start(prefix=["unshare", "-T", "--monotonic", "86400000", "--fork", "--kill-child"])
    stage.wait_for("the engine is ready", lambda: ready(stage))
    stage.hold(1)
    yield
    stage.engine.kill()
    stage.start_engine()


def pg_off(seconds):
    def fault(stage):
        stage.cluster.stop()
        stage.cluster.environment = faked(FAKETIME=f"{seconds:+d}s")
        stage.cluster.ensure()
        stage.hold(1.5)
        yield
        stage.cluster.environment = {}
        stage.cluster.stop()
        stage.cluster.ensure()
    return fault


def second(stage):
    """Another engine is started on the shard and told to take over at once: the first is deposed and says so."""
    other = next((e for e in stage.engines if e is not stage.engine), None) or stage.new_engine("second")
    if other.process is not None:
        other.stop()
    stage.start_engine(other, more=["--take-over-at-once=1"])
    return other


def lead_to(stage, engine):
    stage.door.tell("to unix:" + engine.socket)
    stage.door.tell("cut")
    stage.engine = engine


def two_engines(stage):
    other = second(stage)
    stage.wait_for("the first engine is deposed", lambda: stage.logged("event=deposed"))
    stage.wait_for("the second is ready", lambda: stage.logged("event=ready", other))
    stage.hold(0.7)
    yield
    lead_to(stage, other)


def paused_engine(stage):
    """The first sleeps through the take-over and wakes with batches of its own still to send."""
    first = stage.engine
    first.process.send_signal(19)
    other = second(stage)
    stage.wait_for("the second is ready", lambda: stage.logged("event=ready", other))
    lead_to(stage, other)
    stage.wait_for_progress(100)
    first.process.send_signal(18)
    stage.wait_for("the first finds itself deposed", lambda: stage.logged("event=deposed", first))
    yield


def fight(stage):
    """Each is started again whenever it is deposed: the shard goes to and fro, and no command acts twice."""
    for _ in range(4):
        before, count = stage.engine, sum("event=deposed" in line for line in stage.engine.log())
        other = second(stage)
        stage.wait_for("the other is deposed",
                       lambda e=before, n=count: sum("event=deposed" in line for line in e.log()) > n)
        lead_to(stage, other)
        stage.wait_for_progress(30)
    yield


def edits(stage):
    """Many small edits by hand, in the middle of batches."""
    for _ in range(12):
        rig.psql(rig.EDIT_SQL.format(n=stage.random.randrange(200)), patience_s=rig.PATIENCE_S)
        stage.hold(stage.random.uniform(0.02, 0.5))
    yield


def editor(*statements):
    """A psql session of the framework's editor that stops half-way; then goes on and commits."""
    def fault(stage):
        p = subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", DATABASE], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.PIPE)
        p.stdin.write("SET search_path = calloff, public; SET ROLE calloff_framework;\nBEGIN;\n" + rig.EDIT_SQL.format(n=7) + ";\n"
                      + "".join(s + ";\n" for s in statements) + "\\echo here\n")
        p.stdin.flush()
        if p.stdout.readline().strip() != "here":
            raise Violation("the editor edits")
        yield
        p.stdin.write("COMMIT;\n")
        p.stdin.close()
        if p.wait(20) != 0:
            raise Violation("the editor commits")
    return fault


def quiet(stage):
    """Nobody asks for anything: only the engine's heartbeats are under way."""
    stage.clients.process.send_signal(19)
    time.sleep(0.4)


def served(stage):
    """Is memory told, so that the lease holds?"""
    raw = Raw(stage.engine.socket)
    reply = raw.call({LIST_POOLS: {3: 1}})
    raw.end()
    return reply is not None and reply[1] != STATUS


def beat_lost(stage):
    """The connection goes while a heartbeat is under way and nothing else: the next engine state must beat again."""
    quiet(stage)
    lanes, ready = stage.cluster.lanes(), sum("event=ready" in line for line in stage.engine.log())
    for pid in lanes:
        os.kill(pid, 19)
    time.sleep(0.7)
    for pid in lanes:
        os.kill(pid, 15)
        os.kill(pid, 18)
    stage.wait_for("the engine is ready again", lambda: sum("event=ready" in line for line in stage.engine.log()) > ready)
    time.sleep(3)
    if not served(stage):
        raise Violation("an idle engine that was loaded again answers from memory: its heartbeat goes on")
    yield
    stage.clients.process.send_signal(18)


def drain_alone(stage):
    """SIGTERM while batches wait for a PostgreSQL that then dies: the engine ends all the same."""
    stage.cluster.signal(19)
    time.sleep(0.3)
    stage.engine.process.send_signal(15)
    time.sleep(0.3)
    stage.cluster.signal(9)
    stage.cluster.process.wait()
    try:
        if stage.engine.process.wait(10) != 0:
            raise Violation(f"an engine that drains without its database ends with exit 0, not {stage.engine.process.returncode}")
    except subprocess.TimeoutExpired:
        raise Violation("an engine that drains ends within 10 s of losing its database") from None
    yield
    stage.cluster.ensure()
    stage.start_engine()


DOOR = {"client_proxy": {}}
DEPOSED = frozenset({"DEPOSED"})
PG_WITH_FILE = {"cluster": lambda stage: {"environment": clock_file(stage)}}
WITH_FILE = {"start_with": lambda stage: ((), clock_file(stage))}
SKEW = {"alarms": ("event=clock_skew",)}
ROWS = [
    *[Row(f"clock-engine{name}", engine_off(s), f"the engine's clock is {name} off, then right again", **more)
      for name, s, more in (("+1h", HOUR, SKEW), ("-1h", -HOUR, SKEW), ("-10y", -YEARS_10, SKEW), ("+10y", YEARS_10, SKEW))],
    Row("clock-engine-jumps", jumps, "the engine's clock jumps while it runs", needs=WITH_FILE, goes_on=True),
    Row("clock-engine-monotonic", other_monotonic, "the monotonic clock begins elsewhere"),
    *[Row(f"clock-pg{name}", pg_off(s), f"PostgreSQL's clock is {name} off, then right again")
      for name, s in (("+1h", HOUR), ("-1h", -HOUR), ("+10y", YEARS_10), ("-10y", -YEARS_10))],
    Row("clock-pg-steps", steps, "PostgreSQL's clock steps by a second while it runs", needs=PG_WITH_FILE),
    Row("clock-pg-jumps", jumps, "PostgreSQL's clock jumps by an hour and ten years while it runs", needs=PG_WITH_FILE,
        known="a batch that waits in pg_sleep when the clock goes back sleeps as long as it went, and take_over waits for it"),
    Row("two-engines", two_engines, "a second engine on the shard", needs=DOOR, replies=DEPOSED, alarms=("event=deposed",),
        ci=True),
    Row("two-engines-pause", paused_engine, "an engine sleeps through being deposed", needs=DOOR, may=AWAY | DEPOSED,
        alarms=("event=deposed",)),
    Row("two-engines-fight", fight, "two engines depose each other four times", needs=DOOR, may=AWAY | DEPOSED | {"DRAINING"},
        alarms=("event=deposed",)),
    Row("beat-lost", beat_lost, "the database goes while only a heartbeat is under way"),
    Row("drain-alone", drain_alone, "the database goes while the engine drains", may=AWAY | {"DRAINING"}),
    Row("framework-edits", edits, "twelve edits of the framework, mid-batch", goes_on=True,
        counters={"batches_stale": (1, MANY)}, ci=True),
    Row("editor-idle", editor(), "a psql transaction that touched a framework row does nothing for 3 s", hold_s=3,
        goes_on=True),
    Row("editor-holds-fence", editor("SET CONSTRAINTS ALL IMMEDIATE"), hold_s=13, replies=AWAY,
        says="one that holds the fence for 13 s: commits wait 10 s, then AWAY"),
]
