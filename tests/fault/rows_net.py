"""rows_net.py: what comes between: engine and PostgreSQL, clients and engine, by proxy and by dropped packets."""
import os
import shutil
import subprocess
import time

from rig import Violation
from stage import AWAY, MANY, Row

DATABASE_PROXY = {"database_proxy": {}}
CLIENT_PROXY = {"client_proxy": {}}
CLIENT_FRAMES = {"client_proxy": {"frames": True}}
# what the operator's connection string says where PostgreSQL is reached by TCP
TCP = {"namespace": True, "server_more": "connect_timeout=2 tcp_user_timeout=1500 keepalives_idle=1 keepalives_interval=1 "
       "keepalives_count=2"}


def between(which, counted=None, **rules):
    """Rules of a proxy on, and off again; counted: a number of its statistics that must have moved."""
    def fault(stage):
        proxy = getattr(stage, which)
        proxy.set(**rules)
        yield
        if counted and proxy.stats()[counted] == 0:
            raise Violation(f"the proxy has {counted} something")
        proxy.clear()
    return fault


def cut(which, times=1):
    def fault(stage):
        for _ in range(times):
            getattr(stage, which).tell("cut")
            time.sleep(stage.random.uniform(0.02, 0.2))
        yield
    return fault


def cut_at(which, direction):
    """In the middle of a message, wherever that is."""
    def fault(stage):
        proxy = getattr(stage, which)
        proxy.set(**{direction + "__cut_after": stage.random.randint(1, 5000)})
        stage.wait_for("the connection is cut", lambda: proxy.stats()["cuts"] > 0)
        proxy.clear()
        yield
    return fault


def dropped(*matches):
    """Packets of PostgreSQL's port vanish: nothing is refused, nothing told."""
    def fault(stage):
        for match in matches:
            stage.drop("tcp", match, "5432")
        yield
        stage.undrop()
    return fault


def tls_flips(stage):
    """Bits turn over between engine and PostgreSQL: TLS must notice each."""
    stage.database.set(both__flip_ppm=50)
    stage.wait_for("bits turn over and the connection is given up",
                   lambda: stage.database.stats()["flipped"] > 0 and stage.logged("event=store_lost"))
    yield
    stage.database.clear()


def with_tls(stage):
    """A throw-away key, so that the engine can speak TLS to its cluster."""
    key, crt = stage.path("server.key"), stage.path("server.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=fault", "-keyout", key, "-out", crt], check=True, capture_output=True)
    for path in (key, crt) if os.geteuid() == 0 else ():
        shutil.chown(path, "postgres", "postgres")
    return {"settings": ["ssl=on", "ssl_key_file=" + key, "ssl_cert_file=" + crt]}


AGAIN = {"opens": (2, MANY)}  # the store was lost and loaded again
AMBIGUOUS = {"batches_ambiguous": (1, MANY)}
ROWS = [
    Row("database-slow", between("database", both__delay_ms=20, both__jitter_ms=20), "40 to 80 ms between engine and PostgreSQL",
        hold_s=2, needs=DATABASE_PROXY, goes_on=True),
    Row("database-split", between("database", both__split_bytes=1), "bytes one by one between engine and PostgreSQL", hold_s=1.5,
        needs=DATABASE_PROXY, goes_on=True),
    Row("database-cut", cut("database", 3), "the connections to PostgreSQL are cut three times",
        counters=AGAIN, needs=DATABASE_PROXY, ci=True,
        pair=True),
    Row("database-cut-request", cut_at("database", "up"), "cut in the middle of a batch", counters=AGAIN, needs=DATABASE_PROXY),
    Row("database-cut-answer", cut_at("database", "down"), "cut in the middle of an answer", counters=AGAIN, needs=DATABASE_PROXY),
    Row("database-drop-request", between("database", up__drop_after=3000), "batches vanish, then the connection is cut", hold_s=1,
        counters=AMBIGUOUS, needs=DATABASE_PROXY),
    Row("database-drop-answer", between("database", down__drop_after=300), "answers of commits vanish, then the connection is cut",
        hold_s=1, counters=AMBIGUOUS, needs=DATABASE_PROXY, ci=True),
    Row("database-blackhole", between("database", both__blackhole_ms=1500), "nothing passes to or from PostgreSQL for 1.5 s",
        hold_s=1.5, needs=DATABASE_PROXY, pair=True),
    Row("database-half-open", between("database", both__half_open=1), "PostgreSQL is silent for 20 s and no connection ends",
        hold_s=20, counters=AMBIGUOUS, needs=DATABASE_PROXY, replies=AWAY),
    Row("database-half-open-answers", between("database", down__half_open=1), "commits arrive, their answers do not, for 6 s; "
        "patience of 2 s", hold_s=6,
        counters=AMBIGUOUS, needs={"database_proxy": {}, "engine_flags": ["--store-silence-seconds=2"]}, replies=AWAY),
    Row("net-blip", dropped("dport"), "packets to PostgreSQL are dropped for 0.7 s: TCP sends them again", hold_s=0.7, needs=TCP),
    Row("net-partition", dropped("dport", "sport"), "no packet passes between engine and PostgreSQL for 4 s", hold_s=4,
        counters=AGAIN, needs=TCP, ci=True),
    Row("net-requests-lost", dropped("dport"), "packets to PostgreSQL are dropped for 4 s", hold_s=4,
        counters=AMBIGUOUS, needs=TCP),
    Row("net-answers-lost", dropped("sport"), "PostgreSQL hears the engine, not the other way, for 4 s", hold_s=4,
        counters=AMBIGUOUS, needs=TCP),
    Row("client-slow", between("door", both__delay_ms=20, both__jitter_ms=20), "40 to 80 ms between clients and engine", hold_s=2,
        needs=CLIENT_PROXY, goes_on=True),
    Row("client-split", between("door", both__split_bytes=1), "bytes one by one between clients and engine", hold_s=1.5,
        needs=CLIENT_PROXY, goes_on=True),
    Row("client-cut", cut("door", 5), "clients are cut off five times", needs=CLIENT_PROXY, goes_on=True, pair=True),
    Row("client-cut-request", cut_at("door", "up"), "cut in the middle of a request", needs=CLIENT_PROXY),
    Row("client-cut-reply", cut_at("door", "down"), "cut in the middle of a reply", needs=CLIENT_PROXY),
    Row("client-drop-replies", between("door", "cuts", down__drop_after=2000), "replies vanish, then the connection is cut",
        hold_s=2, needs=CLIENT_PROXY, ci=True),
    Row("client-half-open", between("door", both__half_open=1), "clients hear nothing for 3 s and come again", hold_s=3,
        needs=CLIENT_PROXY),
    Row("client-half-open-replies", between("door", down__half_open=1), "requests arrive, replies do not, for 3 s", hold_s=3,
        needs=CLIENT_PROXY),
    Row("client-blackhole", between("door", both__blackhole_ms=1500), "nothing passes between clients and engine for 1.5 s",
        hold_s=1.5, needs=CLIENT_PROXY, pair=True),
    Row("client-reorder", between("door", "reordered", up__reorder_percent=20), "a fifth of the requests is overtaken", hold_s=1.5,
        needs=CLIENT_FRAMES, goes_on=True),
    Row("client-duplicate", between("door", "duplicated", up__duplicate_percent=20), "a fifth of the requests comes twice",
        hold_s=1.5, needs=CLIENT_FRAMES, goes_on=True, ci=True),
    Row("database-flip-tls", tls_flips, "bits turn over between engine and PostgreSQL, under TLS", hold_s=1,
        counters=AGAIN, needs={"database_proxy": {}, "namespace": True, "server_more": "sslmode=require", "cluster": with_tls}),
]
