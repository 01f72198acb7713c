#!/usr/bin/env python3
"""sweep: fails allocation or system call k = 1, 2, 3 … of each thing the engine does, until the thing passes.

    tests/kit/cluster tests/sweep/sweep.py --engine build/engine/calloffd --shim build/tests/sweep/sweep_shim.so
                      [--seconds 20] [--only memory|calls] [--seed N] [SUBJECT ...]

memory: malloc, calloc, realloc, aligned and anonymous mmap, in the engine and every library it links; each k twice: once, and
        for ever after. calls: read, send, epoll_ctl, socket … (shim.c), each k with four errors that fit the call.
After each failure: a reply in time, a refusal that says to retry, a closed connection, or a death by the engine's own abort;
then the same command, under the same key, is answered as if nothing had been, and a read answers what it did before. At the
end: every key acted once, capacity is what live placements take, the chain holds, and no sanitizer has said anything.
--seconds: a bound a part, for CI: subjects take turns, each at k = 1, 2, 3 …; what was not reached is said.
"""
import argparse
import collections
import mmap
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), folder) for folder in ("pg", "kit"))]
import chain  # noqa: E402
import kit  # noqa: E402
from table import found  # noqa: E402
from wire import Connection, Gone, Silent, message, new_key  # noqa: E402

DATABASE = "calloff_sweep"
OFF, ALLOCATIONS, CALLS = 0, 1, 2
CONTROL = struct.Struct("<IIIIII32s")  # shim.c: mode, count, fired, k, for_ever, variant, call
VARIANTS = {ALLOCATIONS: ("once", "for ever"), CALLS: (0, 1, 2, 3)}
PATIENCE_S = 20
LOAD_S = 60  # the engine itself gives up on a silent database after 15 s of loading
PASSED_IN_A_ROW = 2  # a heartbeat may count, too: a subject has passed when it did so twice
FINDINGS = ("AddressSanitizer", "runtime error:", "LeakSanitizer", "ALARM_quarantined", "stack smashing")
MARKET = """
UPDATE calloff.capacity SET declared = calloff.grid_of(array_fill(30000::int2, ARRAY[112]), 1);
DELETE FROM calloff.coverage WHERE list_no = 2;
UPDATE calloff.policy SET confirmation = 1;
INSERT INTO calloff.policy_clause SELECT 1, 1, reason, '7.' || reason FROM generate_series(1, 19) AS reason;
"""
EDIT = "UPDATE calloff.provider SET starts_a_day_max = 3 - starts_a_day_max % 2 WHERE provider_no = 2"
CHECKS = {
    "a key acts once": "SELECT count(*) - count(DISTINCT key) FROM command",
    "a case has one package": "SELECT count(*) FROM (SELECT 1 FROM package GROUP BY case_ref HAVING count(*) > 1) AS t",
    "a package has one live placement of a role":
        "SELECT count(*) FROM (SELECT 1 FROM placement WHERE ended_seq = 0 GROUP BY package_no, role HAVING count(*) > 1) AS t",
    "what is committed is what live placements take": """
        WITH held AS (SELECT pool_no, (code >> 10 & 1) * 56 + day * 8 + (code >> 7 & 7) AS cell, sum(code >> 11)::int8 AS units
            FROM placement, unnest(demand) AS code, generate_series(0, 6) AS day
            WHERE ended_seq = 0 AND code >> day & 1 = 1 GROUP BY 1, 2),
        ledger AS (SELECT pool_no, i - 1 AS cell, u.committed FROM capacity, unnest(grid_cells(committed))
            WITH ORDINALITY AS u(committed, i) WHERE mode <> 3)
        SELECT count(*) FROM ledger LEFT JOIN held USING (pool_no, cell) WHERE committed <> coalesce(units, 0)""",
    "every event of the journal has its command":
        "SELECT abs((SELECT count(*) FROM command) - (SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM journal))",
}


class Violation(Exception):
    """A promise that does not hold: what the sweep is there to find."""


class Engine:
    """One calloffd after another over one database and one control page."""

    def __init__(self, options, directory):
        self.socket = os.path.join(directory, "socket")
        self.log_path = os.path.join(directory, "log")
        control = os.path.join(directory, "control")
        with open(control, "wb") as f:
            f.write(bytes(4096))
        with open(control, "r+b") as f:
            self.control = mmap.mmap(f.fileno(), 4096)
        self.command = [options.engine, "--socket=" + self.socket, "--packages-max=20000", "--take-over-at-once=1",
                        "--store-silence-seconds=1",
                        f"--database=host={os.environ['PGHOST']} dbname={DATABASE} user=calloff_engine"]
        self.environment = dict(os.environ, LD_PRELOAD=os.path.abspath(options.shim), SWEEP_CONTROL=control,
                                ASAN_OPTIONS="abort_on_error=1:detect_leaks=0:verify_asan_link_order=0",
                                UBSAN_OPTIONS="halt_on_error=1:abort_on_error=1:print_stacktrace=1")
        self.process, self.deaths, self.buried, self.log_at = None, collections.Counter(), {}, 0

    def arm(self, mode, k, variant):
        self.control[:CONTROL.size] = CONTROL.pack(OFF, 0, 0, k, int(variant == "for ever"),
                                                   variant if isinstance(variant, int) else 0, b"")
        self.control[:4] = struct.pack("<I", mode)

    def disarm(self):
        """(failures, the call that failed first)"""
        self.control[:4] = struct.pack("<I", OFF)
        _, _, fired, _, _, _, call = CONTROL.unpack(self.control[:CONTROL.size])
        return fired, call.rstrip(b"\0").decode()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.log_at = log.tell()
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)

    def said(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_at)
            return log.read()

    def dead(self, within_s=0.0):
        """None while it lives; else how it died. A death that is not its own is a violation."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None
        if self.process.pid not in self.buried:
            self.buried[self.process.pid] = self.how(code)
            self.deaths[self.buried[self.process.pid]] += 1
        return self.buried[self.process.pid]

    def how(self, code):
        said = self.said()
        if self.crashed_in_openssl(code, said):
            return "crash of OpenSSL before it listens"
        if code == -signal.SIGABRT:
            how = "assertion" if "event=assertion_failed" in said else "abort in a library"
        elif code > 0 and "event=" in said:
            how = f"exit {code} with a message"
        else:
            raise Violation(f"it dies by its own abort, or says why it stops: exit {code}: {said[-1500:]}")
        self.check_log(said)
        return how

    @staticmethod
    def crashed_in_openssl(code, said):
        """Decision 0017: its first steps may crash; they are taken before anybody is served."""
        if "event=listening" in said:
            return False
        return code == -signal.SIGSEGV or re.search(r"AddressSanitizer: SEGV[^#]*(?:#\d[^#]*){0,3}libcrypto", said) is not None

    @staticmethod
    def check_log(said):
        for finding in FINDINGS:
            if finding in said:
                raise Violation(f"no sanitizer finds anything: {said[-3000:]}")

    def await_ready(self, count=1):
        """Until it has said event=ready that often since its start; None, or how it died."""
        end = time.monotonic() + LOAD_S
        while self.said().count("event=ready") < count:
            how = self.dead()
            if how:
                return how
            if time.monotonic() > end:
                raise Violation(f"it loads, or dies, within {LOAD_S} s: {self.said()[-1500:]}")
            time.sleep(0.002)
        return None

    def revive(self):
        self.disarm()
        if self.process is None or self.process.poll() is not None:
            self.start()
        how = self.await_ready()
        if how:
            raise Violation(f"it starts again once nothing fails: {how}: {self.said()[-1500:]}")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.check_log(self.said())


# ---- what is swept ----

class Request:
    """One request: prepare() before anything fails, then body, content and key of what is sent; command: it has a key;
    follow: the body of what comes after the reply, and is the answer."""
    follow = None

    def __init__(self, run):
        self.run, self.key = run, None

    def prepare(self):
        pass


class Command(Request):
    command = True
    serial = 0

    def requirement(self, case, bundle=""):
        week = message((1, 127), (2, 2), (4, 30), (5, 1))
        return message((1, case), (2, "X-" + case), (5, bundle), (6, "CM0 7"), (8, 1), (10, week), (15, 5), (16, 3), (17, 3),
                       (23, 1), (24, 1))

    def new_case(self):
        Command.serial += 1
        return f"C-{Command.serial}"

    def place(self, confirm):
        """A package for the command that follows."""
        reply = self.run.settle(11, message((1, self.requirement(self.new_case()))), new_key())
        package = reply.package()
        if confirm:
            self.run.settle(14, message((1, package)), new_key())
        return package


class Submit(Command):
    body = 11

    def prepare(self):
        self.key, self.content = new_key(), message((1, self.requirement(self.new_case())))


class SubmitDry(Submit):
    command = False

    def prepare(self):
        self.content = message((1, self.requirement("C-dry")), (2, 1))


class SubmitSecondOfBundle(Command):
    body = 11

    def prepare(self):
        bundle = "B-" + self.new_case()
        self.run.settle(11, message((1, self.requirement(self.new_case(), bundle))), new_key())
        self.key, self.content = new_key(), message((1, self.requirement(self.new_case(), bundle)))


class SubmitAgain(Submit):
    """A key that has acted: its outcome is asked of the database."""

    def prepare(self):
        super().prepare()
        self.run.settle(self.body, self.content, self.key)


class Confirm(Command):
    body = 14

    def prepare(self):
        self.key, self.content = new_key(), message((1, self.place(confirm=False)))


class Withdraw(Command):
    body = 15

    def prepare(self):
        self.key, self.content = new_key(), message((1, self.place(confirm=False)), (2, "hospital"))


class End(Command):
    body = 16

    def prepare(self):
        self.key, self.content = new_key(), message((1, self.place(confirm=True)), (2, "hospital"))


class Declare(Command):
    body = 18

    def prepare(self):
        cells = [(2, message((1, day), (2, 2), (4, 100000))) for day in range(1, 8)]
        self.key = new_key()
        self.content = message((1, "A-2"), *cells, (3, int(time.time() * 1e6) + 10**14))


class Refused(Command):
    """A refusal by the rules is an outcome with a receipt."""
    body = 14

    def prepare(self):
        self.key, self.content = new_key(), message((1, "P-999999999"))


def query(name, number, *fields):
    return type(name, (Request,), {"command": False, "body": number, "content": message(*fields)})


class OfPackage(Request):
    command = False

    def prepare(self):
        self.content = message((1, f"P-{self.run.a_package}"))


class Subscribe(Request):
    """Its answer is the first batch of events, which the database is asked for after the subscription was taken."""
    command, body, content, follow = False, 27, message((1, 0)), 78


class GetPackage(OfPackage):
    body = 12


class ExplainPackage(OfPackage):
    body = 13


REQUESTS = {
    "submit": Submit, "submit_dry_run": SubmitDry, "submit_bundle": SubmitSecondOfBundle, "submit_again": SubmitAgain,
    "confirm": Confirm, "withdraw": Withdraw, "end": End, "declare": Declare, "refused": Refused,
    "get": GetPackage, "get_case": query("GetCase", 12, (2, "C-first")), "explain": ExplainPackage,
    "list_packages": query("ListPackages", 17, (3, 5)), "list_pools": query("ListPools", 19),
    "list_lots": query("ListLots", 20), "get_list": query("GetList", 21, (1, "LAH-MAL-PC")),
    "list_providers": query("ListProviders", 22), "get_counts": query("GetCounts", 23),
    "get_health": query("GetHealth", 24), "get_stats": query("GetStats", 25),
    "read_journal": query("ReadJournal", 26, (1, 0), (2, 3)), "subscribe": Subscribe,
    "hello": query("Hello", 10, (1, "sweep"), (2, 1)),
}
CHANGING = {"submit_dry_run", "list_packages", "list_pools", "get_list", "list_providers", "get_counts", "get_health",
            "get_stats", "hello", "subscribe"}  # they tell of the moment
LIVES = ("start", "reload", "connect")


class Run:
    def __init__(self, options, engine):
        self.options, self.engine, self.random = options, engine, random.Random(options.seed)
        self.connection, self.a_package = None, 0
        self.failures, self.passed = collections.Counter(), {}
        self.sites = collections.defaultdict(set)
        self.keys = []

    # -- talking --

    def connect(self):
        if self.connection is None:
            self.connection = Connection(self.engine.socket, PATIENCE_S)
        return self.connection

    def drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def settle(self, body, content, key=None, follow=None):
        """With nothing failing: asks until the answer is no refusal that says to come again."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.engine.revive()
            try:
                reply = Answer(self.connect().ask(body, content, key, follow))
                if not (reply.is_status and reply.same_key):
                    return reply
            except Gone:
                self.drop()
            except Silent:
                raise Violation(f"a request is answered within {PATIENCE_S} s once nothing fails (body {body})") from None
            if time.monotonic() > end:
                raise Violation(f"a command goes through within {PATIENCE_S} s once nothing fails (body {body})")
            time.sleep(0.01)

    # -- one failure --

    def one(self, name, mode, k, variant):
        """Makes the k-th fail; True when nothing was left to fail."""
        if name in LIVES:
            fired, call = getattr(self, "life_" + name)(mode, k, variant)
        else:
            fired, call = self.request(REQUESTS[name](self), name, mode, k, variant)
        if fired:
            self.failures[mode] += 1
            self.sites[call].add((name, k))
        return not fired

    def request(self, subject, name, mode, k, variant):
        self.engine.revive()
        subject.prepare()
        before = None if subject.command or name in CHANGING else self.settle(subject.body, subject.content, follow=subject.follow)
        self.settle(24, b"")  # a connection that is there
        reply = None
        self.engine.arm(mode, k, variant)
        try:
            # where nothing can be allocated for ever, the database cannot be asked, and nothing follows the reply
            follow = None if variant == "for ever" else subject.follow
            reply = Answer(self.connection.ask(subject.body, subject.content, subject.key, follow))
        except Gone:
            self.drop()
        except Silent:
            self.engine.disarm()
            raise Violation(f"a reply, or the end of the connection, comes within {PATIENCE_S} s: "
                            + self.engine.said()[-1500:]) from None
        fired = self.engine.disarm()
        if reply is None:
            self.engine.dead(0.2)
        elif reply.is_status and not reply.same_key and not reply.has_receipt:
            raise Violation(f"what failed is told as something to retry, not as {reply.reason}")
        again = self.settle(subject.body, subject.content, subject.key, subject.follow)
        self.check_answers(subject, reply, before, again, name)
        return fired

    def check_answers(self, subject, reply, before, again, name):
        told = reply if reply is not None and not (reply.is_status and reply.same_key) else None
        if subject.command:
            self.keys.append(subject.key)
            last = self.settle(subject.body, subject.content, subject.key)
            if again.is_status and name != "refused":
                raise Violation(f"the command goes through in the end, not {again.reason}")
            if last.content != again.content or (told is not None and told.content != again.content):
                raise Violation("one key has one outcome: " + " / ".join(repr(r and r.content) for r in (told, again, last)))
        elif before is not None and (again.content != before.content or (told is not None and told.content != before.content)):
            raise Violation(f"a read says what it said: {before.content!r}, then {told and told.content!r}, {again.content!r}")

    # -- lives --

    def life_start(self, mode, k, variant):
        self.drop()
        self.engine.stop()
        self.engine.arm(mode, k, variant)
        self.engine.start()
        return self.loaded(1, variant)

    def life_reload(self, mode, k, variant):
        self.engine.revive()
        ready = self.engine.said().count("event=ready")
        self.engine.arm(mode, k, variant)
        kit.psql(DATABASE, EDIT)
        return self.loaded(ready + 1, variant)

    def loaded(self, ready, variant):
        """A failure that lasts is taken away after a while: the engine may wait for better times, and must then load."""
        end = time.monotonic() + (0.4 if variant == "for ever" else LOAD_S)
        fired = (0, "")
        while self.engine.said().count("event=ready") < ready and self.engine.dead() is None and time.monotonic() < end:
            time.sleep(0.002)
        fired = self.engine.disarm()
        if self.engine.dead() is None:
            self.engine.await_ready(ready)
        self.settle(24, b"")
        return fired

    def life_connect(self, mode, k, variant):
        self.engine.revive()
        self.drop()
        self.engine.arm(mode, k, variant)
        try:
            self.connect()
        except Gone:
            self.connection = None
        except Silent:
            if variant != "for ever" and mode != CALLS:
                raise Violation(f"a connection is answered or closed within {PATIENCE_S} s") from None
            self.connection = None
        fired = self.engine.disarm()
        if self.connection is None:
            self.engine.dead(0.2)
        self.settle(24, b"")
        return fired

    # -- all of it --

    def sweep(self, mode, subjects, seconds):
        """Subjects in turns, each variant of each k; a subject is done when nothing was left to fail, twice."""
        end = time.monotonic() + seconds if seconds else None
        turns = collections.deque((name, 1, 0) for name in subjects)
        while turns and (end is None or time.monotonic() < end):
            name, k, in_a_row = turns.popleft()
            left = [self.guarded(name, mode, k, variant) for variant in VARIANTS[mode]]
            in_a_row = in_a_row + 1 if all(left) else 0
            if in_a_row == PASSED_IN_A_ROW:
                self.passed[(mode, name)] = k - PASSED_IN_A_ROW
            else:
                turns.append((name, k + self.step(name), in_a_row))
        return sorted((name, k) for name, k, _ in turns)

    def step(self, name):
        """A start fails in thousands of places, most alike: where time is short they are sampled."""
        far = self.options.stride > 1 and name in ("start", "reload")
        return self.random.randint(1, 2 * self.options.stride) if far else 1

    def guarded(self, name, mode, k, variant):
        what = f"{name}, {'allocation' if mode == ALLOCATIONS else 'call'} {k}, {variant}"
        if self.options.verbose:
            print(what, file=sys.stderr, flush=True)
        try:
            return self.one(name, mode, k, variant)
        except Violation as violation:
            raise Violation(f"{what} ({self.engine.disarm()[1]}): {violation}") from None

    def check_database(self):
        for rule, sql in CHECKS.items():
            (count,), = kit.psql(DATABASE, "SET search_path = calloff;\n" + sql)
            if count != "0":
                raise Violation(f"{rule}: {count} wrong")
        stored = {row[0].replace("-", "") for row in kit.psql(DATABASE, "SELECT key FROM calloff.command")}
        missing = [k.hex() for k in self.keys if k.hex() not in stored]
        if missing:
            raise Violation(f"what was acknowledged is stored: {missing[:3]}")
        chain.verify(DATABASE, 1)


class Answer:
    """A Reply, and what it says of a package."""

    def __init__(self, reply):
        self.reply = reply

    def __getattr__(self, name):
        return getattr(self.reply, name)

    def __repr__(self):
        return repr(self.reply)

    def package(self):
        from wire import decode
        outcome = decode(self.content).get(1, [b""])[0] if not self.is_status else b""
        package = decode(outcome).get(1, [b""])[0].decode()
        if not package:
            raise Violation(f"a submission names its package: {self.reply}")
        return package


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engine", required=True)
    p.add_argument("--shim", required=True)
    p.add_argument("--seconds", type=int, default=0, help="a bound for each part; 0: until everything has passed")
    p.add_argument("--stride", type=int, default=1, help="mean distance of the k tried of start and reload")
    p.add_argument("--only", choices=("memory", "calls"))
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--verbose", action="store_true")
    p.add_argument("subjects", nargs="*", metavar="SUBJECT", help=" ".join([*REQUESTS, *LIVES]))
    return p.parse_args()


def main():
    options = arguments()
    kit.psql("postgres", f"DROP DATABASE IF EXISTS {DATABASE}")
    kit.make_template(DATABASE)
    kit.psql(DATABASE, MARKET)
    subjects = options.subjects or [*REQUESTS, *LIVES]
    with tempfile.TemporaryDirectory(prefix="sweep.") as directory:
        engine = Engine(options, directory)
        run = Run(options, engine)
        try:
            first = message((1, Command(run).requirement("C-first")))
            run.a_package = int(run.settle(11, first, new_key()).package()[2:])
            for mode, word in ((ALLOCATIONS, "memory"), (CALLS, "calls")):
                if options.only in (None, word):
                    started = time.monotonic()
                    left = run.sweep(mode, subjects, options.seconds)
                    done = {n: k for (m, n), k in run.passed.items() if m == mode}
                    print(f"  {word}: {run.failures[mode]} failures in {time.monotonic() - started:.0f} s; passed after k: "
                          + ", ".join(f"{n} {k}" for n, k in sorted(done.items()))
                          + ("; not reached the end: " + ", ".join(f"{n} {k}" for n, k in left) if left else ""))
            run.drop()
            engine.stop()
            run.check_database()
        except Violation as violation:
            print(f"sweep: VIOLATED (seed {options.seed}): {violation}", file=sys.stderr)
            return 1
        finally:
            if engine.process.poll() is None:
                engine.process.kill()
                engine.process.wait()
    deaths = ", ".join(f"{count} {how}" for how, count in sorted(engine.deaths.items())) or "none"
    print(f"sweep: ok: {sum(run.failures.values())} failures at {sum(map(len, run.sites.values()))} places of "
          f"{len(run.sites)} calls; {len(run.keys)} commands once and alike; deaths: {deaths}; seed {options.seed}")
    found("the k-th allocation or system call fails (sweep)", sum(run.failures.values()), len(run.keys))
    return 0 if sum(run.failures.values()) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
