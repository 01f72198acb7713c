#!/usr/bin/env python3
"""reign.py: several engines and one shard, or several shards: who reigns, who stands by, what clients see of a change.

Real engines, a real database each, the officer's client in a loop. Every submission acknowledged must stand in the
database once, whatever was killed, paused or handed over meanwhile; the journal must be whole. Prints how long each
change of reign kept a client waiting; tests/long holds those figures to their gates (--gates).
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("pg", "fault", "kit")]
import kit  # noqa: E402  pylint: disable=wrong-import-position
from proxy import Proxy  # noqa: E402  pylint: disable=wrong-import-position
from table import found  # noqa: E402  pylint: disable=wrong-import-position

BUILD = os.environ.get("BUILD_TO_TEST", os.path.join(kit.ROOT, "build"))
DEADLINE_S = 20
A_PACKAGE = ("--case", "C-0", "--person", "X-0", "--sector", "CM0 7", "--service", "personal_care", "--visit", "mon:lunch:10",
             "--urgency", "standard", "--risk", "green", "--cover", "family")
GATES = {"killed": 3.0, "handed over": 1.0}
waits = []  # (what, seconds)


def wait_for(what, test):
    give_up = time.monotonic() + DEADLINE_S
    while time.monotonic() < give_up:
        got = test()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"not within {DEADLINE_S} s: {what}")


class Engine:
    """One calloffd on a database; its log is kept for what went wrong."""

    def __init__(self, lab, name, *more, host=None):
        self.name, self.socket = name, os.path.join(lab.folder, name + ".sock")
        self.log = os.path.join(lab.folder, name + ".log")
        self.command = [os.path.join(BUILD, "engine/calloffd"), "--socket", self.socket, "--name", name, "--database",
                        f"host={host or os.environ['PGHOST']} dbname={lab.database} user={kit.ENGINE}", *more]
        self.process = None
        self.start()

    def start(self, *more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command + list(more), stderr=log)

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def health(self, shard=0):
        done = subprocess.run([os.path.join(BUILD, "clients/cli/calloff"), "health", "--json", "--socket", self.socket,
                               "--shard", str(shard)], capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.startswith("{") else {}

    def ask(self, *words):
        """What the officer's client prints; None: it was refused, or told nothing."""
        done = subprocess.run([os.path.join(BUILD, "clients/cli/calloff"), *words, "--json", "--socket", self.socket],
                              capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def is_(self, state, shard=0):
        assert self.process.poll() is None, f"{self.name} ended"
        wait_for(f"{self.name} {state}", lambda: self.health(shard).get("state") == state)

    def logged(self, word):
        with open(self.log, encoding="utf-8") as log:
            return [line for line in log if f"event={word}" in line.split()]


class Officers:
    """Submits one package after the other through a list of sockets, until told to stop."""

    def __init__(self, sockets, shard=1):
        self.sockets, self.shard = ",".join(sockets), shard
        self.told, self.faults, self.times, self.go_on = [], [], [], True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        number = 0
        while self.go_on:
            number += 1
            done = subprocess.run([os.path.join(BUILD, "clients/cli/calloff"), "submit", "--json", "--socket", self.sockets,
                                   "--shard", str(self.shard), "--case", f"C-{number}", "--person", f"X-{number}",
                                   "--sector", "CM0 7", "--service", "personal_care", "--visit", "mon:lunch:10",
                                   "--urgency", "standard", "--risk", "green", "--cover", "family", "--wait", "30"],
                                  capture_output=True, text=True)
            if done.returncode == 0:
                self.told.append(json.loads(done.stdout))
                self.times.append(time.monotonic())
            else:
                self.faults.append(done.stderr)

    def wait_from(self, instant):
        """Until something that was asked after the instant is answered: seconds."""
        before = len(self.times)
        wait_for("an answer", lambda: len(self.times) >= before + 2)
        return max(b - a for a, b in zip([instant] + self.times[before:], self.times[before:]))

    def stop(self):
        self.go_on = False
        self.thread.join()
        assert not self.faults, self.faults[0]
        return self


class Lab:
    """A database, a folder, and what was started there."""

    def __init__(self, database, folder):
        self.database, self.folder, self.engines, self.crowd, self.proxies = database, folder, [], [], []
        self.edit("""
            SET search_path = calloff;
            INSERT INTO policy_clause SELECT 1, 1, reason, '4.' || reason FROM generate_series(3, 20) AS reason;
            DELETE FROM coverage WHERE list_no = 2;  -- what an engine would refuse
            """)

    def engine(self, name, *more, state="ready", shard=0, host=None):
        engine = Engine(self, name, *more, host=host)
        self.engines.append(engine)
        engine.is_(state, shard)
        return engine

    def pair(self):
        return self.engine("first"), self.engine("second", state="standby")

    def way_to_the_database(self):
        """One that can be cut: (its proxy, the host to connect to)."""
        host, port = os.path.join(self.folder, "way"), os.environ.get("PGPORT", "5432")
        os.mkdir(host)
        self.proxies.append(Proxy(os.path.join(BUILD, "tests/fault/calloff-chaosproxy"), self.folder, "proxy",
                                  f"unix:{host}/.s.PGSQL.{port}", f"unix:{os.environ['PGHOST']}/.s.PGSQL.{port}"))
        return self.proxies[0], host

    def officers(self, *engines, shard=1):
        self.crowd.append(Officers([e.socket for e in engines], shard))
        return self.crowd[-1]

    def edit(self, sql):
        kit.psql(self.database, sql)

    def end(self):
        for officers in self.crowd:
            officers.go_on = False
        for engine in self.engines:
            if engine.process.poll() is None:
                engine.process.send_signal(signal.SIGCONT)
                engine.process.kill()
                engine.process.wait()
        for proxy in self.proxies:
            proxy.end()

    def logs(self):
        for engine in self.engines:
            with open(engine.log, encoding="utf-8") as log:
                yield f"# {engine.name}\n# " + "# ".join(log.readlines()[-40:])


def lasts(what, seconds):
    waits.append((what, seconds))


def more_answers(officers, count=4):
    before = len(officers.told)
    wait_for("more answers", lambda: len(officers.told) >= before + count)


def holds(lab, officers, shard=1):
    """What was told stands in the database, once, and the journal is whole."""
    rows = kit.psql(lab.database, f"""
        SELECT count(*), count(DISTINCT case_ref) FROM calloff.package WHERE shard = {shard};""")
    told = len(officers.told)
    assert rows == [[str(told), str(told)]], (rows, told)
    assert len({row["outcome"]["package"] for row in officers.told}) == told
    gaps = kit.psql(lab.database, f"""
        SELECT first_seq FROM (SELECT first_seq, prev_hash, lag(last_seq, 1, 0::int8) OVER w AS before, lag(row_hash) OVER w AS hash
            FROM calloff.journal WHERE shard = {shard} WINDOW w AS (ORDER BY first_seq)) AS t
        WHERE before <> first_seq - 1 OR hash IS DISTINCT FROM nullif(prev_hash, sha256('calloff genesis'));""")
    assert gaps == [], gaps
    for e in lab.engines:
        for alarm in ("ALARM_batch_refused", "ALARM_quarantined", "ALARM_replay_differs", "ALARM_journal_broken"):
            assert not e.logged(alarm), e.logged(alarm)


def rule(text):
    """A test of one argument, a Lab; whatever it started is stopped."""
    def mark(test):
        def run(db):
            with tempfile.TemporaryDirectory(prefix="calloff-reign.") as folder:
                lab = Lab(db.name, folder)
                try:
                    test(lab)
                except BaseException:
                    print("\n".join(lab.logs()))
                    raise
                finally:
                    lab.end()
        kit.RULES.append((text, run))
        return test
    return mark


@rule("one engine reigns, the other stands by and leads clients there")
def stands_by(lab):
    first, second = lab.pair()
    health = second.health()
    assert health["active_engine"] == "first" and health["active_endpoint"] == first.socket, health
    officers = lab.officers(second)
    more_answers(officers)
    holds(lab, officers.stop())


@rule("an engine that is killed is followed by the one that stands by; started again, it stands by itself")
def killed(lab):
    first, second = lab.pair()
    officers = lab.officers(first, second)
    for dies, follows in ((first, second), (second, first)):
        more_answers(officers)
        at = time.monotonic()
        dies.stop(signal.SIGKILL)
        lasts("killed", officers.wait_from(at))
        follows.is_("ready")
        dies.start()
        dies.is_("standby")
    assert second.logged("ready")[-1].split("followed=")[1].strip() != "0", "it had not followed"
    holds(lab, officers.stop())


@rule("an engine that is stopped hands its shard over: nobody waits for silence")
def handed_over(lab):
    first, second = lab.pair()
    officers = lab.officers(first, second)
    more_answers(officers)
    at = time.monotonic()
    assert first.stop(signal.SIGTERM) == 0
    reigns = kit.psql(lab.database, "SELECT engine FROM calloff.fence WHERE shard = 1;")
    assert reigns in ([[""]], [["second"]]), reigns
    lasts("handed over", officers.wait_from(at))
    second.is_("ready")
    holds(lab, officers.stop())


@rule("an engine that was paused while another took over finds itself deposed, and stands by")
def paused(lab):
    first, second = lab.pair()
    officers = lab.officers(second, first)
    more_answers(officers)
    first.process.send_signal(signal.SIGSTOP)
    at = time.monotonic()
    second.is_("ready")
    first.process.send_signal(signal.SIGCONT)
    lasts("paused", officers.wait_from(at))
    first.is_("standby")
    assert first.logged("deposed")
    holds(lab, officers.stop())


@rule("an engine cut off from its database is followed by the one that is not, and stands by when it is back")
def cut_off(lab):
    proxy, host = lab.way_to_the_database()
    first = lab.engine("first", "--store-silence-seconds=1", host=host)
    second = lab.engine("second", state="standby")
    officers = lab.officers(first, second)
    more_answers(officers)
    at = time.monotonic()
    proxy.set(both__half_open=1)
    second.is_("ready")
    lasts("cut off", officers.wait_from(at))
    wait_for("the first gave up", lambda: first.health().get("state") != "ready")
    proxy.clear()
    first.is_("standby")
    more_answers(officers)
    assert len(first.logged("ready")) == 1
    holds(lab, officers.stop())


@rule("an engine cut off from its database tells nothing of what it remembers while another reigns")
def tells_no_memory(lab):
    proxy, host = lab.way_to_the_database()
    first = lab.engine("first", "--store-silence-seconds=60", host=host)
    second = lab.engine("second", state="standby")
    assert first.ask("counts") and first.ask("submit", *A_PACKAGE, "--dry-run")
    proxy.set(both__half_open=1)
    second.is_("ready")
    officers = lab.officers(second)
    more_answers(officers)
    officers.stop()
    for question in (["counts"], ["submit", *A_PACKAGE, "--dry-run"]):
        assert first.health()["state"] == "ready", "it must not know"
        said = first.ask(*question, "--timeout", "2")
        assert said is None, f"{question[0]}: {said}"
    holds(lab, officers)


@rule("a standby cut off from its database claims nothing, and follows on when it is back")
def standby_cut_off(lab):
    first = lab.engine("first")
    proxy, host = lab.way_to_the_database()
    second = lab.engine("second", host=host, state="standby")
    officers = lab.officers(first, second)
    more_answers(officers)
    proxy.set(both__half_open=1)
    time.sleep(4)  # longer than silence takes
    more_answers(officers)
    assert not second.logged("ready")
    proxy.clear()
    more_answers(officers)
    first.stop(signal.SIGTERM)
    second.is_("ready")
    more_answers(officers)
    assert len(first.logged("ready")) == 1 and len(second.logged("ready")) == 1
    holds(lab, officers.stop())


@rule("a standby reads an edited framework again, and takes over with it")
def edited(lab):
    first, second = lab.pair()
    officers = lab.officers(first, second)
    for rank in (7, 8, 9):
        lab.edit(f"UPDATE calloff.list_entry SET rank = {rank} WHERE shard = 1 AND list_no = 1 AND provider_no = 2;")
        more_answers(officers)
    wait_for("the standby read it", lambda: second.logged("reloading"))
    second.is_("standby")
    first.stop(signal.SIGKILL)
    second.is_("ready")
    more_answers(officers)
    holds(lab, officers.stop())


@rule("an engine told to take over at once deposes the one that reigns, which does not fight back")
def at_once(lab):
    first, second = lab.pair()
    second.stop(signal.SIGTERM)
    officers = lab.officers(first, second)
    more_answers(officers)
    second.start("--take-over-at-once=1")
    second.is_("ready")
    first.is_("standby")
    more_answers(officers)
    holds(lab, officers.stop())
    assert len(first.logged("ready")) == 1, first.logged("ready")


@rule("two engines share two shards; one dies, the other carries both")
def many_shards(lab):
    lab.edit(SECOND_SHARD)
    east = lab.engine("east", "--shard=1,2", shard=2)
    west = lab.engine("west", "--shard=1,2", state="standby", shard=2)
    # a shard each: east hands over both and comes back for the first
    east.stop(signal.SIGTERM)
    west.is_("ready", 1)
    west.is_("ready", 2)
    east.start("--shard=1", "--take-over-at-once=1")
    east.is_("ready", 1)
    west.is_("standby", 1)
    west.is_("ready", 2)
    one, two = lab.officers(east, west, shard=1), lab.officers(west, east, shard=2)
    more_answers(one)
    more_answers(two)
    at = time.monotonic()
    east.stop(signal.SIGKILL)
    lasts("killed", one.wait_from(at))
    west.is_("ready", 1)
    west.is_("ready", 2)
    more_answers(two)
    holds(lab, one.stop(), 1)
    holds(lab, two.stop(), 2)


# every row of the first shard once more, for a second
SECOND_SHARD = """
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['fence', 'authority', 'district', 'sector', 'sector_district', 'provider', 'framework', 'lot',
		'lot_district', 'policy', 'policy_clause', 'list', 'list_version', 'list_entry', 'pool', 'coverage'] LOOP
		EXECUTE format('INSERT INTO calloff.%1$I SELECT (jsonb_populate_record(t, ''{"shard": 2}'')).* FROM calloff.%1$I t
			WHERE shard = 1', t);
	END LOOP;
	UPDATE calloff.capacity c SET declared = o.declared, expires_us = o.expires_us, mode = o.mode
	FROM calloff.capacity o WHERE c.shard = 2 AND o.shard = 1 AND o.pool_no = c.pool_no;
END $$;
"""


if __name__ == "__main__":
    gates = "--gates" in sys.argv
    sys.argv = [a for a in sys.argv if a != "--gates"]
    status = kit.main()
    for what, seconds in waits:
        print(f"# {what}: a client waited {seconds:.2f} s")
    if status == 0:
        for what in dict.fromkeys(what for what, _ in waits):
            of = [seconds for named, seconds in waits if named == what]
            found(f"two engines: {what}", len(of), len(of), of)
    if gates and any(seconds > GATES.get(what, DEADLINE_S) for what, seconds in waits):
        print("# slower than its gate: " + str(GATES))
        status = 1
    sys.exit(status)
