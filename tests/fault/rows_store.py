"""rows_store.py: PostgreSQL killed, stopped, starved and lied to by its disk."""
import os
import signal
import subprocess
import time

import rig
from rig import DATABASE, Violation
from stage import AWAY, MANY, Row
from raw import SUBMITTED, Raw, new_key, submission


def crash(stage):
    """kill -9 of the postmaster: its children see it and end."""
    stage.cluster.process.kill()
    stage.cluster.process.wait()
    yield
    stage.cluster.ensure()


def immediate(stage):
    """What pg_ctl -m immediate does: no checkpoint, recovery at the next start."""
    stage.cluster.stop()
    stage.cluster.ensure()
    yield


def away(stage):
    stage.cluster.stop()
    yield
    stage.cluster.ensure()


def fast(stage):
    """pg_ctl -m fast: sessions are ended in order."""
    stage.cluster.process.send_signal(signal.SIGINT)
    stage.cluster.process.wait(30)
    yield
    stage.cluster.ensure()


def backend(number):
    def fault(stage):
        for pid in stage.random.sample(stage.cluster.lanes(), 1):
            os.kill(pid, number)
        yield
        stage.cluster.ensure()
    return fault


def stop_all(stage):
    stage.cluster.signal(signal.SIGSTOP)
    yield
    stage.cluster.signal(signal.SIGCONT)


def stop_one(stage):
    """One lane, or the reader, in the middle of what it does."""
    pid = stage.random.choice(stage.cluster.lanes())
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def reader_silent(stage):
    """The connection that reads answers nothing: a key that must be looked up is answered all the same."""
    raw = Raw(stage.engine.socket, timeout_s=12)
    stage.others.append(raw)
    key, body = new_key(), submission(f"READER-{stage.seed}")
    told = [raw.call(body, key)[1], raw.call(body, key)[1]]  # the second was looked up, so that the reader can be told
    if told != [SUBMITTED] * 2:
        raise Violation("a repeated key is answered")
    pid = int(rig.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'calloffd' AND query LIKE '%calloff.read_%'"))
    os.kill(pid, signal.SIGSTOP)
    begin_s = time.monotonic()
    try:
        raw.call(body, key)
    except TimeoutError:
        raise Violation("a repeated key is answered, or told that the store is away, when the reader is silent") from None
    finally:
        os.kill(pid, signal.SIGCONT)
    if time.monotonic() - begin_s > 8:
        raise Violation("it is answered within the patience of 2 s and a load")
    yield


def no_connections(stage):
    """Every slot is taken by others at the moment the engine must connect again."""
    taken = []
    url = f"host={stage.cluster.directory} dbname={DATABASE} user=calloff_engine"

    def take():
        p = subprocess.Popen(["psql", "-qXAt", url, "-c", "SELECT pg_sleep(60)"], stderr=subprocess.DEVNULL)
        taken.append(p)

    for _ in range(20):
        take()
    time.sleep(0.3)
    rig.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'calloffd'")
    for _ in range(8):
        take()
    stage.wait_for("the engine finds no connection", lambda: stage.logged("event=load_failed"))
    yield
    for p in taken:
        p.kill()
        p.wait()
    rig.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()")


def full(part, words):
    def fault(stage):
        path = getattr(stage.cluster, part)
        stage.cluster.fill(path)
        stage.wait_for("the disk is missed", lambda: words in stage.cluster.log())
        yield
        stage.cluster.free(path)
        stage.cluster.ensure()
    return fault


def io_error(find, calls, words, more=lambda stage: None):
    """strace makes a sync of one process fail once; PostgreSQL must not believe the next one."""
    def fault(stage):
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", stage.path("strace"), *(f"-p{pid}" for pid in find(stage)),
                                   "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when=1"], stderr=subprocess.DEVNULL)
        time.sleep(0.2)
        more(stage)
        stage.wait_for("a sync fails", lambda: words in stage.cluster.log())
        tracer.terminate()
        tracer.wait()
        yield
        stage.cluster.ensure()
    return fault


def lanes(stage):
    return stage.cluster.lanes()


def checkpointer(_):
    return [int(rig.psql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))]


def checkpoint(stage):
    subprocess.run(["psql", "-qXAt", "-d", "postgres", "-c", "CHECKPOINT"], capture_output=True, check=False)


AGAIN = {"opens": (2, MANY)}  # the store was lost and loaded again
ROWS = [
    Row("pg-crash", crash, "kill -9 of the postmaster", hold_s=0.3, counters=AGAIN),
    Row("pg-immediate", immediate, "immediate stop and restart of PostgreSQL", counters=AGAIN, ci=True, pair=True),
    Row("pg-fast", fast, "fast stop and restart of PostgreSQL", counters=AGAIN),
    Row("pg-away", away, "PostgreSQL is down for 4 s: commands are told so", hold_s=4, replies=AWAY, counters=AGAIN),
    Row("backend-kill", backend(signal.SIGKILL), "kill -9 of a lane in mid-pipeline: PostgreSQL restarts all", counters=AGAIN,
        ci=True, pair=True),
    Row("backend-terminate", backend(signal.SIGTERM), "a lane or the reader is terminated", counters=AGAIN, pair=True),
    Row("pg-pause", stop_all, "SIGSTOP of all of PostgreSQL for 1.5 s", hold_s=1.5, pair=True),
    Row("pg-pause-long", stop_all, "SIGSTOP of all of PostgreSQL for 8 s", hold_s=8),
    Row("backend-pause", stop_one, "SIGSTOP of one backend of the engine for 2 s", hold_s=2),
    Row("reader-silent", reader_silent, "SIGSTOP of the backend that reads: a repeated key waits for it", may=AWAY, counters=AGAIN,
        needs={"engine_flags": ["--store-silence-seconds=2"]}),
    Row("no-connections", no_connections, "max_connections is reached when the engine must connect", hold_s=3, replies=AWAY,
        counters=AGAIN, needs={"cluster": lambda stage: {"settings": ["max_connections=16"]}}),
    Row("disk-full-data", full("data", "No space left on device"), "the data's disk is full for 2 s", hold_s=2, replies=AWAY,
        counters=AGAIN, ci=True, needs={"cluster": lambda stage: {"data_bytes": "160m"}}),
    Row("disk-full-wal", full("wal", "No space left on device"), "the WAL's disk is full for 2 s: PostgreSQL panics", hold_s=2,
        may=AWAY | {"BUSY"}, counters=AGAIN, needs={"cluster": lambda stage: {"wal_bytes": "200m", "data_bytes": "400m"},
                               "load": {"rate": 16000, "depth": 256}}),
    Row("eio-wal", io_error(lanes, "fdatasync", "could not fdatasync"), "a lane's fdatasync of the WAL fails: PostgreSQL panics",
        counters=AGAIN),
    Row("eio-data", io_error(checkpointer, "fsync", "could not fsync", checkpoint), "a checkpoint's fsync fails: PostgreSQL panics",
        counters=AGAIN),
]
