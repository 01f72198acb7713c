"""rows_engine.py: the engine killed, stopped and made to fail, at random and at each failpoint."""
import signal
import time

import rig
from stage import AWAY, Row, continued, stopped

# point: (passes until it is due: from, to; what makes the engine pass it, besides the load; may it be made to fail)
POINTS = {
    "accept": (1, 4, None, False),
    "frame_read": (1, 1500, None, False),
    "decide_before": (1, 800, None, False),
    "decide_after": (1, 800, None, False),
    "send_before": (1, 40, None, True),
    "send_after": (1, 40, None, True),
    "refused": (1, 1, "edit", False),
    "committed": (1, 40, None, False),
    "reply_between": (1, 400, None, False),
    "flush_between": (8, 60, None, False),
    "reply_half": (8, 60, None, False),
    "lookup_before": (1, 1, "lost", True),
    "lookup_after": (1, 1, "lost", False),
    "beat": (1, 2, "quiet", True),
    "reload": (1, 1, "edit", False),
    "connect": (1, 1, None, True),
    "take_over_before": (1, 1, None, True),
    "take_over_after": (1, 1, None, True),
    "load_framework": (1, 1, None, True),
    "load_state": (1, 1, None, True),
    "adopt": (1, 1, None, True),
    "hangup": (1, 1, "hangup", False),
    "drain_begin": (1, 1, "end", False),
    "drain_end": (1, 1, "end", False),
}


def armed(stage, point, action):
    """The engine is killed and started again with the point live, in the middle of the load; then what makes it pass."""
    least, most, trigger, _ = POINTS[point]
    stage.engine.kill()
    if trigger == "lost":  # a batch is committed and its answer is not: those keys are looked up
        stage.start_engine(failpoint="committed:1:kill")
        stage.wait_for("a batch is committed and not answered", lambda: stage.engine.process.poll() is not None, alive=False)
    stage.start_engine(failpoint=f"{point}:{stage.random.randint(least, most)}:{action}")
    if trigger not in (None, "lost"):
        stage.wait_for_progress(50)
    if trigger == "edit":
        rig.psql(rig.EDIT_SQL.format(n=stage.random.randrange(200)))
    elif trigger == "hangup":
        stage.engine.process.send_signal(signal.SIGHUP)
    elif trigger == "end":
        stage.engine.process.send_signal(signal.SIGTERM)
    elif trigger == "quiet":  # heartbeats are sent when nothing else is
        stage.clients.process.send_signal(signal.SIGSTOP)


def comes_to(stage, point, holds, alive=False):
    stage.wait_for(f"the engine comes to {point}", holds, alive=alive)
    continued(stage.clients.process)


def kill_at(point, action="kill"):
    def fault(stage):
        armed(stage, point, action)
        comes_to(stage, point, lambda: stage.engine.process.poll() is not None)
        if not stage.logged("event=failpoint"):
            raise rig.Violation(f"the engine dies at {point}, not elsewhere: {stage.engine.last_words()}")
        stage.mark()
        yield
        stage.start_engine()
    return fault


def stop_at(point):
    """SIGSTOP for longer than a client waits; then on from there."""
    def fault(stage):
        armed(stage, point, "stop")
        comes_to(stage, point, lambda: stopped(stage.engine.process))
        yield
        continued(stage.engine.process)
        if POINTS[point][2] == "end":
            if stage.engine.process.wait(10) != 0:
                raise rig.Violation("the engine stops with exit 0 after a pause")
            stage.start_engine()
    return fault


def fail_at(point):
    def fault(stage):
        armed(stage, point, "fail")
        comes_to(stage, point, lambda: stage.logged("event=failpoint"), alive=True)
        yield
    return fault


def load_fails(stage):
    """Again and again, until somebody mends it."""
    stage.engine.kill()
    stage.start_engine(failpoint="load_framework:1:fail-on")
    stage.hold(5)
    stage.engine.kill()
    stage.start_engine()
    yield


def kill(stage):
    stage.engine.kill()
    stage.start_engine()
    yield


def kill_twice(stage):
    """Again while it loads."""
    for _ in range(3):
        stage.engine.kill()
        stage.start_engine()
        time.sleep(stage.random.uniform(0, 0.1))
    yield


def pause(stage):
    stage.engine.process.send_signal(signal.SIGSTOP)
    yield
    continued(stage.engine.process)


def restart(stage):
    """SIGTERM: what was taken in is answered; clients find the next engine."""
    stage.engine.stop()
    yield
    stage.start_engine()


def hangups(stage):
    """SIGHUP again and again: settings are read, the shard is loaded anew."""
    for _ in range(5):
        stage.engine.process.send_signal(signal.SIGHUP)
        time.sleep(stage.random.uniform(0.05, 0.2))
    yield


CI_POINTS = {"committed", "reply_half", "send_after"}
ROWS = [
    Row("engine-kill", kill, "kill -9 of the engine, at random", ci=True, pair=True),
    Row("engine-kill-loading", kill_twice, "kill -9 three times, the later ones while it loads"),
    Row("engine-pause", pause, "SIGSTOP of the engine for longer than its clients wait", hold_s=1.5, pair=True),
    Row("engine-restart", restart, "SIGTERM and a start", may=AWAY | {"DRAINING"}),
    Row("engine-hangup", hangups, "SIGHUP five times", counters={"opens": (2, 9)}),
    *[Row(f"kill-{p}", kill_at(p), f"kill -9 of the engine at {p}", ci=p in CI_POINTS,
          may=AWAY | {"DRAINING"} if t == "end" else AWAY) for p, (_, _, t, _) in POINTS.items()],
    Row("abort-committed", kill_at("committed", "abort"), "abort() of the engine at committed"),
    *[Row(f"pause-{p}", stop_at(p), f"SIGSTOP of the engine at {p} for 1.2 s", hold_s=1.2,
          may=AWAY | {"DRAINING"} if t == "end" else AWAY) for p, (_, _, t, _) in POINTS.items()],
    Row("load-fails", load_fails, "loading fails for 5 s: commands are told so", replies=AWAY),
    *[Row(f"fail-{p}", fail_at(p), f"the engine's call at {p} fails once") for p, (_, _, _, f) in POINTS.items() if f],
]
