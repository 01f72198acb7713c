"""pair.py: a stage for two engines and one database: `engine` reigns, `second` stands by, clients look for whoever serves.

Beyond what every row is held to: an epoch is one engine's, in its log and in the journal; counters are each engine's own,
under its name ("second.deposed"); at the end one reigns, the other follows it level; what was asked by hand and not
acknowledged then has one outcome, too. Recovery is from the blow to the first acknowledgement of a later reign.
"""
import re

import rig
from raw import STATUS, Raw, decode, new_key, submission
from rig import Violation
from stage import PATIENCE_S, Stage, stopped

GET_COUNTS, GET_HEALTH, GET_STATS = 23, 24, 25
HELLO = {10: {1: "fault", 2: 1}}
ANSWER_S = 15  # from a command to an answer, whatever it is, of an engine that runs
ALARMS = (*rig.ALARMS, "replay_differs", "journal_broken")
NOT_HERE = ("LOADING", "STORE", "STORE_AWAY", "STORE_STALE", "DEPOSED", "DRAINING")


def reason(reply):
    """What a status says; "": another body."""
    return reply[2][2][0].decode() if reply[1] == STATUS and 2 in reply[2] else ""


class Pair(Stage):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.counters, self.asked, self.second, self.under_load = {}, [], None, False

    # ---- setting up ----

    def start_engines(self):
        super().start_engines()
        self.until_reigns(self.engine, 0)
        self.second = self.new_engine("second", self.server("127.0.0.2"))
        self.start_engine(self.second)
        self.until_follows(self.second)

    def sockets(self, first):
        return f"{first},{self.second.socket}"

    def set_up(self):
        super().set_up()
        self.under_load = True

    def check(self):
        if self.under_load:
            super().check()

    def again(self, engine, **more):
        """It is started once more, after it ended."""
        if engine.process is not None:
            raise ValueError(f"{engine.name} still runs")
        self.start_engine(engine, **more)

    @staticmethod
    def stop(engine):
        engine.stop()
        engine.process = None

    @staticmethod
    def kill(engine):
        engine.kill()
        engine.process = None

    def ended(self, engine, what, code, patience_s=20):
        """It ends by itself: a failpoint (code -9), or in peace (0)."""
        self.wait_for(what, lambda: engine.process.poll() is not None, patience_s, alive=False)
        if engine.process.returncode != code:
            raise Violation(f"{what} with {code}, not {engine.process.returncode}: {engine.last_words()}")
        engine.process = None

    def sleeps(self, engine, what):
        self.wait_for(what, lambda: stopped(engine.process))

    # ---- who reigns ----

    @staticmethod
    def reigning():
        """As the fence has it: a name, or nothing."""
        return rig.psql("SELECT engine FROM fence WHERE shard = 1", patience_s=rig.PATIENCE_S)

    @staticmethod
    def count(engine, event):
        return sum(f"event={event} " in line for line in engine.log())

    def until_reigns(self, engine, before):
        """before: how often it has begun to."""
        self.wait_for(f"{engine.name} reigns", lambda: self.count(engine, "ready") > before, patience_s=PATIENCE_S)

    def until_follows(self, engine):
        self.wait_for(f"{engine.name} follows", lambda: self.health(engine)[0] == "standby", patience_s=PATIENCE_S)

    def until_settled(self):
        self.wait_for("one engine reigns and the other follows", patience_s=PATIENCE_S,
                      holds=lambda: sorted(self.health(e)[0] for e in self.engines) == ["ready", "standby"])

    def until_level(self, engine):
        """With what is committed by now."""
        last_seq = rig.fence("last_seq")
        self.wait_for(f"{engine.name} is level", lambda: self.health(engine)[1] >= last_seq, patience_s=PATIENCE_S)

    # ---- asked by hand ----

    def ask(self, engine, number):
        raw = Raw(engine.socket, timeout_s=ANSWER_S)
        try:
            return raw.call({number: {}})
        except TimeoutError:
            raise Violation(f"{engine.name} answers within {ANSWER_S} s") from None
        finally:
            raw.end()

    def health(self, engine):
        """(state, sequence it has seen)"""
        try:
            body = self.ask(engine, GET_HEALTH)[2]
        except (OSError, TypeError):
            return "", 0  # it does not listen yet, or not any more
        return body[1][0].decode(), body.get(3, [0])[0]

    def question(self, engine, what=None):
        """A command (or a question of memory: what) is sent: its connection; answer() waits for what becomes of it."""
        raw = Raw(engine.socket, hello=False, timeout_s=ANSWER_S)
        self.others.append(raw)
        key, body = (None, {what: {}}) if what else (new_key(), submission(f"PAIR-{self.seed}-{len(self.asked)}"))
        raw.send(HELLO)  # an engine that sleeps answers neither
        number = raw.send(body, key)
        if key:
            self.asked.append((key, body, raw, number))
        return raw

    @staticmethod
    def answer(engine, raw):
        """To what was sent last. Why it was not done; "" if it was, or told."""
        try:
            while True:
                reply = raw.receive()
                if reply is None:
                    raise Violation(f"{engine.name} answers, and does not just end the connection")
                if reply[0] == raw.next_id:
                    return reason(reply)
        except TimeoutError:
            raise Violation(f"{engine.name} answers within {ANSWER_S} s") from None

    def refuses(self, engine, what=None):
        """It must not do, or tell, anything: another reigns, or nobody it knows of."""
        self.is_refused(engine, self.answer(engine, self.question(engine, what)), what)

    @staticmethod
    def is_refused(engine, told, what=None):
        if told not in NOT_HERE:
            raise Violation(f"{engine.name}, which does not reign, {'tells its memory' if what else 'acts'}: {told or 'done'}")

    # ---- after it ----

    def settle(self):
        """One reigns, the other is level with it; what was asked by hand is asked once more of the one that reigns."""
        self.under_load = False
        self.until_settled()
        one = next(e for e in self.engines if e.name == self.reigning())
        for key, body, raw, number in self.asked:
            self.ask_again(one, key, body, raw, number)
        other = next(e for e in self.engines if e is not one)
        self.until_level(other)
        for e in self.engines:
            for counter in self.ask(e, GET_STATS)[2][1]:
                name, value = self.counter(counter)
                self.counters[f"{e.name}.{name}"] = value

    @staticmethod
    def counter(data):
        fields = decode(data)
        return fields[1][0].decode(), fields.get(2, [0])[0]

    def ask_again(self, engine, key, body, raw, number):
        """Under its key, and as sent when it was: real time counts from there."""
        again = Raw(engine.socket, timeout_s=ANSWER_S)
        again.acks = raw.acks
        request = again.send(body, key)
        again.sent[request] = raw.sent[number]
        told = self.answer(engine, again)
        again.end()
        if told:
            raise Violation(f"what was asked by hand is done in the end, not {told}")

    def counted(self, history):
        return self.counters, {**{f"{e.name}.{name}": (0, 0) for e in self.engines for name in ALARMS}, **self.row.counters}

    def recovery_ns(self, history, replied):
        ns, epoch = self.marks[-1]
        later = [int(ack[3]) for ack in history.acks if int(ack[3]) > ns and history.leaves[int(ack[5])][2] > epoch]
        return min(later) - ns if later else super().recovery_ns(history, replied)

    def check_history(self, history):
        super().check_history(history)
        reigns = [(int(epoch), e.name) for e in self.engines for line in e.log()
                  for epoch in re.findall(r"event=ready shard=1 epoch=(\d+)", line)]
        owners = dict(reigns)
        if len(owners) != len(reigns):
            raise Violation(f"an epoch is one engine's, once: {sorted(reigns)}")
        for epoch in {epoch for _, _, epoch in history.leaves.values()} - set(owners):
            raise Violation(f"who commits had begun to reign: epoch {epoch} is nobody's of {sorted(reigns)}")
