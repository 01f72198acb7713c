#!/usr/bin/env python3
"""doctor.py: what calloff doctor finds when one thing at a time is wrong, and that it finds nothing when nothing is."""
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time

from engines import CLIENT, engine, main, rule, session, until


class Finding(dict):
    """Checks by name; the last of each wins, of several the worst."""

    def __init__(self, e, *words, **more):
        super().__init__()
        import json
        done = e.client("doctor", "--json", *words, **more)
        self.exit = done.returncode
        assert done.stderr == "", done.stderr
        for line in done.stdout.splitlines():
            check = json.loads(line)
            assert set(check) == {"check", "verdict", "what", "why", "mend"} and check["what"], check
            assert check["verdict"] == "ok" or check["why"] or check["mend"], f"neither why nor mend: {check}"
            worst = self.get(check["check"])
            if worst is None or ["ok", "warn", "fail"].index(check["verdict"]) >= ["ok", "warn", "fail"].index(worst["verdict"]):
                self[check["check"]] = check

    def bad(self):
        return {name for name, check in self.items() if check["verdict"] != "ok"}


@rule("a healthy engine: every check is ok, exit 0")
def _(db):
    with engine(db) as e:
        e.start()
        e.submit(1)
        found = Finding(e)
        assert (found.exit, found.bad()) == (0, set()), found
        assert set(found) == {"socket", "protocol", "you", "clock", "engine", "database", "framework", "alarm", "counters",
                              "pools"}, sorted(found)
        assert f"process {e.process.pid} (calloffd)" in found["socket"]["what"], found["socket"]
        assert "fsync" in found["database"]["what"] and "schema version" in found["database"]["what"]


@rule("nobody there, a dead engine's socket, a file, a stranger: each is told apart, exit 69")
def _(db):
    with engine(db) as e:
        found = Finding(e)
        assert found.exit == 69 and found.bad() == {"socket"} and "is not there" in found["socket"]["what"], found
        e.start()
        e.kill()
        found = Finding(e)
        assert found.exit == 69 and "nobody listens" in found["socket"]["what"], found
        assert "killed" in found["socket"]["why"] and "journalctl" in found["socket"]["mend"], found
        os.unlink(e.socket)
        with open(e.socket, "w", encoding="utf-8"):
            pass
        assert "is no socket" in Finding(e)["socket"]["what"]
        os.unlink(e.socket)
        stranger = socket.socket(socket.AF_UNIX)
        stranger.bind(e.socket)
        stranger.listen()
        found = Finding(e)
        stranger.close()
        assert found.exit == 69 and found.bad() == {"socket", "protocol"}, found
        assert "some other program" in found["socket"]["why"], found


@rule("a person who is not in the socket's group is told which group, and by which command to be let in")
def _(db):
    # root may go everywhere, and becomes nobody; anybody else is kept out by modes alone
    root, me = os.geteuid() == 0, pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    become = {"user": me.pw_uid, "group": me.pw_gid, "extra_groups": []} if root else {}

    def doctor(client):
        done = subprocess.run([f"/proc/self/fd/{client.fileno()}", "doctor", "--socket", e.socket], capture_output=True, text=True,
                              check=False, cwd="/", pass_fds=[client.fileno()], **become)
        assert done.returncode == 69, done
        return done.stdout

    # an open file runs wherever it lies, also where nobody may go
    with engine(db) as e, open(CLIENT, "rb") as client:
        e.start()
        os.chmod(e.folder, 0o711)
        os.chmod(e.socket, 0o660 if root else 0)
        said = doctor(client)
        assert f"mode {'0660' if root else '0000'}, and you are {me.pw_name}" in said, said
        assert re.search(rf"usermod -aG \S+ {me.pw_name}", said), said
        os.chmod(e.folder, 0o700 if root else 0)
        said = doctor(client)
        os.chmod(e.folder, 0o700)
        assert re.search(rf"{e.folder} is of \S+, mode {'0700' if root else '0000'}", said), said


@rule("an engine that cannot reach its database says so, in PostgreSQL's own words, exit 75")
def _(db):
    with engine(db) as e:
        e.database = "host=/nowhere dbname=none"
        e.start(ready=False)
        until("it has failed once", lambda: e.client_json("health", "--wait", "0").get("state") == "store_away")
        found = Finding(e)
        assert found.exit == 75 and found.bad() == {"engine", "database"}, found
        assert "/nowhere" in found["database"]["why"] and "cannot be loaded from" in found["database"]["what"], found
        assert "no restart is needed" in found["engine"]["mend"], found


@rule("a framework that cannot be used is told as a row, not as a database that is away")
def _(db):
    with engine(db) as e:
        e.start()
        db.sql("DELETE FROM calloff.policy_clause")
        until("it has tried", lambda: e.client_json("health").get("state") == "store_away")
        found = Finding(e)
        assert found.exit == 75 and "a row of it cannot be used" in found["engine"]["why"], found
        assert "names no clause" in found["engine"]["why"], found


@rule("while it loads: a warning, exit 75")
def _(db):
    with engine(db) as e, session(db, "BEGIN;", "LOCK TABLE calloff.fence;") as blocker:
        e.start(ready=False)
        found = Finding(e, "--wait", "10") if until("it listens", lambda: os.path.exists(e.socket)) else None
        assert found.exit == 75 and found["engine"]["verdict"] == "warn" and "loads the shard" in found["engine"]["what"], found
        blocker.ask("ROLLBACK;")


@rule("a database that does not answer commits any more is seen by the lease")
def _(db):
    with engine(db) as e, session(db, "BEGIN;") as blocker:
        e.start()
        blocker.ask("SELECT 1 FROM calloff.fence FOR UPDATE;")
        time.sleep(2.5)
        found = Finding(e)
        assert found["engine"]["verdict"] == found["database"]["verdict"] == "fail" and found.exit == 65, found
        assert "has not answered for" in found["database"]["what"] and "reads are refused" in found["engine"]["what"], found
        blocker.ask("ROLLBACK;")


def pair(first, second):
    first.start()
    second.start(ready=False)
    until("the second stands by", lambda: second.client_json("health").get("state") == "standby")


@rule("an engine that stands by is well: it says what it follows, how far, and where the one is that reigns; exit 0")
def _(db):
    with engine(db) as first, engine(db) as second:
        pair(first, second)
        first.submit(1)
        reign = first.client_json("health")
        until("it has followed", lambda: second.client_json("health").get("last_seq") == reign["last_seq"] != "0")
        found = Finding(second)
        assert (found.exit, found.bad()) == (0, set()), found
        follows = f"standby: follows epoch {reign['epoch']} at seq {reign['last_seq']}, reign at {first.socket}"
        assert found["engine"]["what"].startswith(follows), found
        assert Finding(first).exit == 0
        first.stop()
        until("it has taken over", lambda: second.client_json("health").get("state") == "ready")
        assert Finding(second).exit == 0


@rule("a standby that its database does not answer follows nothing: that is no health, exit 75; then it follows on")
def _(db):
    with engine(db) as first, engine(db) as second, session(db, "BEGIN;") as blocker:
        pair(first, second)
        blocker.ask("LOCK TABLE calloff.fence IN ACCESS EXCLUSIVE MODE;")
        time.sleep(3)
        found = Finding(second)
        assert found.exit == 75 and found.bad() >= {"engine", "database"}, found
        assert "has not answered for" in found["database"]["what"] and "does not see" in found["engine"]["what"], found
        blocker.ask("ROLLBACK;")
        until("it follows again", lambda: Finding(second).exit == 0)


@rule("where nobody reigns, an engine that only would is not well: it says so, and why it cannot; exit 75")
def _(db):
    with engine(db) as first, engine(db) as second:
        pair(first, second)
        db.sql("REVOKE EXECUTE ON FUNCTION calloff.take_over FROM calloff_engine")
        first.stop()
        until("it has tried", lambda: second.client_json("health").get("note"))
        found = Finding(second)
        assert found.exit == 75 and found.bad() == {"engine", "database"}, found
        assert "nobody has the shard" in found["engine"]["what"] and "permission denied" in found["database"]["why"], found
        db.sql("GRANT EXECUTE ON FUNCTION calloff.take_over TO calloff_engine")
        until("it has taken over", lambda: second.client_json("health").get("state") == "ready")
        assert Finding(second).exit == 0


@rule("every shard of an engine is looked at, by name; every socket of a list is tried")
def _(db):
    db.sql("INSERT INTO calloff.fence (shard, name, schema_version) SELECT 2, 'second', schema_version FROM calloff.fence")
    with engine(db) as e:
        e.start("--shard=1,2", ready=False)
        until("the first serves", lambda: e.client("health", "--shard", "1").returncode == 0)
        until("the second has nothing to serve", lambda: e.client_json("health", "--shard", "2")["state"] == "store_away")
        found = Finding(e)
        assert found.exit == 75 and found.bad() == {"engine", "database"}, found
        assert found["engine"]["what"].startswith("shard 2: store_away") and "a row of it" in found["engine"]["why"], found
        assert found["pools"]["what"].startswith("shard 1: "), found
        found = Finding(e, "--shard", "1")
        assert (found.exit, found.bad()) == (0, set()), found
        listed, e.socket = e.socket, f"{e.folder}/nobody,{e.socket}"
        done = e.client("doctor", "--shard", "1")
        assert done.returncode == 65 and "/nobody is not there" in done.stdout and f"{listed}: process" in done.stdout, done


@rule("a clock that is off is measured, and its side is named")
def _(db):
    db.sql("UPDATE calloff.fence SET clock_us = (extract(epoch FROM now()) * 1000000)::int8 + 3600000000")
    with engine(db) as e:
        e.start()
        found = Finding(e)
        assert found["clock"]["verdict"] == "fail" and "ahead of this machine's" in found["clock"]["what"], found["clock"]
        assert found.exit == 65
    db.sql("UPDATE calloff.fence SET clock_us = (extract(epoch FROM now()) * 1000000)::int8 + 20000000")
    with engine(db) as e:
        e.start()
        assert Finding(e)["clock"]["verdict"] == "warn"


@rule("an alarm fails: a batch that the database refused, by its counter's own text")
def _(db):
    db.sql("""CREATE FUNCTION calloff.faulty() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE 'planted' USING ERRCODE = '23514'; END $$;
              CREATE TRIGGER faulty BEFORE INSERT ON calloff.package FOR EACH ROW EXECUTE FUNCTION calloff.faulty()""")
    with engine(db) as e:
        e.start()
        e.client("submit", "--person", "X-1", "--sector", "CM0 7", "--district", "Maldon", "--service", "personal_care",
                 "--visit", "mon:morning:30", "--urgency", "hospital_planned", "--risk", "amber", "--cover", "ward", "--case",
                 "C-1", "--timeout", "5")
        until("it serves again", lambda: e.client_json("health").get("state") == "ready")
        found = Finding(e)
        assert found["alarm"]["verdict"] == "fail" and found.exit == 65, found
        assert "ALARM" in found["alarm"]["why"], found["alarm"]


@rule("pools whose declaration has expired are counted")
def _(db):
    db.sql("UPDATE calloff.capacity SET expires_us = 1 WHERE pool_no IN (1, 2)")
    with engine(db) as e:
        e.start()
        found = Finding(e)
        assert found["pools"]["verdict"] == "warn" and "2 of 4 (50 %)" in found["pools"]["what"], found["pools"]
        assert found.exit == 0, "a warning is no failure"


@rule("receipts: whole, torn, contradicting, and beyond the journal's end, which is what a lost tail looks like")
def _(db):
    with engine(db) as e:
        e.start()
        path = os.path.join(e.folder, "receipts")
        for number in range(3):
            done = e.client("submit", "--person", f"X-{number}", "--sector", "CM0 7", "--district", "Maldon", "--service",
                            "personal_care", "--visit", "mon:morning:30", "--urgency", "hospital_planned", "--risk", "amber",
                            "--cover", "ward", "--case", f"C-{number}", "--receipts", path)
            assert done.returncode == 0, done.stderr
        found = Finding(e, "--receipts", path)
        assert found["receipts"]["verdict"] == "ok" and "3 in" in found["receipts"]["what"] and found.exit == 0, found
        with open(path, encoding="ascii") as f:
            lines = f.read().splitlines()

        def with_file(text):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            return Finding(e, "--receipts", path)

        found = with_file("\n".join(lines)[:-40])
        assert found["receipts"]["verdict"] == "fail" and "line 3" in found["receipts"]["why"] and found.exit == 65, found
        found = with_file("\n".join([*lines, lines[0][:-1] + ("0" if lines[0][-1] != "0" else "1")]))
        assert found["receipts"]["verdict"] == "fail" and "contradict" in found["receipts"]["what"], found
        found = with_file("\n".join([*lines, "9" + lines[0]]))
        assert found["receipts"]["verdict"] == "fail" and "is gone" in found["receipts"]["why"], found
        found = Finding(e, "--receipts", "/nowhere/receipts")
        assert found["receipts"]["verdict"] == "fail" and "cannot be read" in found["receipts"]["what"], found
        e.kill()
        found = with_file("\n".join(lines))
        assert found["receipts"]["verdict"] == "ok" and found.exit == 69, "the file can be looked at without an engine"


@rule("an engine that hangs is found out within seconds")
def _(db):
    with engine(db) as e:
        e.start()
        e.process.send_signal(signal.SIGSTOP)
        found = Finding(e)
        assert found.exit == 69 and "did not answer hello" in found["protocol"]["what"], found


@rule("TSV on a pipe: a header, five columns a line")
def _(db):
    with engine(db) as e:
        e.start()
        lines = e.client("doctor").stdout.splitlines()
        assert lines[0] == "verdict\tcheck\twhat\twhy\tmend" and all(line.count("\t") == 4 for line in lines), lines


if __name__ == "__main__":
    sys.exit(main())
