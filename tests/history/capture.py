"""capture.py: puts what a database holds into a run's folder, as the checker reads it: see README.md for the files."""
import os
import subprocess

import chain

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS_SQL = """COPY (SELECT seq, key, client, encode(outcome, 'hex') FROM calloff.command
 WHERE shard = {shard} AND seq > {after} ORDER BY seq) TO STDOUT"""
FRAMEWORK_SQL = """COPY (SELECT version, line FROM history.framework
 WHERE shard = {shard} AND version >= {version} ORDER BY place) TO STDOUT"""
STATE_SQL = "COPY (SELECT line FROM history.state_lines({shard}::int2, {after}::int8) AS line) TO STDOUT"
FENCE_SQL = "COPY (SELECT last_seq, encode(head_hash, 'hex'), framework_version FROM calloff.fence WHERE shard = {shard}) TO STDOUT"


def install(database):
    """Once, before the engine's first event: from then on every version of the framework is kept."""
    subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", os.path.join(HERE, "capture.sql")],
                   check=True)


def _unescaped(line):
    """COPY writes the tabs within a column as backslash t."""
    return line.replace("\\t", "\t")


def _copy(database, sql, path):
    with open(path, "w", encoding="utf-8") as f:
        for line in chain.copied(database, sql):
            f.write(_unescaped(line))


class Capture:
    """A span of the journal: begin() where nothing is under way, end() where all is again."""

    def __init__(self, database, shard, directory):
        self.database, self.shard, self.directory = database, shard, directory
        self.after = self.version = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def _fence(self):
        ((last, head, version),) = [line.split() for line in
                                    chain.copied(self.database, FENCE_SQL.format(shard=self.shard))]
        return int(last), head, int(version)

    def begin(self):
        os.makedirs(self.directory, exist_ok=True)
        self.after, head, self.version = self._fence()
        _copy(self.database, STATE_SQL.format(shard=self.shard, after=self.after), self.path("start.tsv"))
        with open(self.path("span.tsv"), "w", encoding="ascii") as f:
            f.write(f"shard\t{self.shard}\nafter_seq\t{self.after}\nafter_hash\t{head}\n")

    def end(self):
        last, head, _ = self._fence()
        span = {"shard": self.shard, "after": self.after, "version": self.version}
        for name, sql in (("journal.tsv", chain.ROWS_SQL), ("command.tsv", COMMANDS_SQL), ("framework.tsv", FRAMEWORK_SQL),
                          ("final.tsv", STATE_SQL)):
            _copy(self.database, sql.format(**span), self.path(name))
        with open(self.path("span.tsv"), "a", encoding="ascii") as f:
            f.write(f"last_seq\t{last}\nhead_hash\t{head}\n")
