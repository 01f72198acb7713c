"""kit.py: what the tests of the database share: a template, a database a test, batches built by name, refusals.

A test is a function of one argument, a Database of its own, decorated with @rule("the rule it holds the database to").
Needs a running PostgreSQL, found through PGHOST and PGUSER (tests/kit/cluster); without one every test fails.
"""
import concurrent.futures
import contextlib
import os
import re
import select
import subprocess
import sys
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Debian's /usr/bin/psql is a Perl wrapper that takes 60 ms to find this one.
PSQL = next((p for p in ("/usr/lib/postgresql/15/bin/psql",) if os.access(p, os.X_OK)), "psql")
RULES = []
ENGINE = "calloff_engine"
FRAMEWORK = "calloff_framework"
SUPERUSER = os.environ.get("PGUSER", "postgres")
MON, ALL_DAYS = 1, 127
MORNING, LUNCH, BED = 1, 3, 6


def rule(text):
    def mark(test):
        RULES.append((text, test))
        return test
    return mark


class Refused(Exception):
    """What PostgreSQL answered: .state is the SQLSTATE."""

    def __init__(self, state, message):
        super().__init__(f"{state}: {message}")
        self.state, self.message = state, message


def psql(database, sql, user=SUPERUSER, role=None):
    """The rows as lists of text; the last statement's are enough for every test."""
    login = ["-U", user] if role is None else ["-U", SUPERUSER]
    head = "SET client_min_messages = warning;\n" + (f"SET ROLE {role};\n" if role else "")
    done = subprocess.run([PSQL, "-qXAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", database,
                           *login, "-f", "-"], input=head + sql, capture_output=True, text=True)
    if done.returncode != 0:
        found = re.search(r"ERROR:\s+([0-9A-Z]{5}): (.*)", done.stderr)
        if not found:
            raise RuntimeError(done.stderr.strip() or f"psql: exit {done.returncode}")
        raise Refused(found.group(1), found.group(2))
    return [line.split("\t") for line in done.stdout.splitlines()]


def visit(days, band, units, paired=False):
    """A visit's code: days 0-6, band 7-9, paired 10, units 11-19 (engine/core/visit.h)."""
    return days | band << 7 | paired << 10 | units << 11


def fact(*bands, shared=False):
    return sum(1 << band for band in bands) | shared << 8


def cells_of(codes):
    """The units that codes take, by (cell, paired)."""
    cells = {}
    for code in codes:
        for day in range(7):
            if code >> day & 1:
                at = day * 8 + (code >> 7 & 7), code >> 10 & 1
                cells[at] = cells.get(at, 0) + (code >> 11)
    return {at: units for at, units in cells.items() if units}


class Database:
    CHANGES = ("fence", "journal", "command", "package", "round", "placement", "capacity")

    def __init__(self, name):
        self.name = name
        self.arguments, self.columns = None, {}

    def sql(self, sql, user=SUPERUSER, role=None):
        return psql(self.name, sql, user, role)

    def one(self, sql, **who):
        rows = self.sql(sql, **who)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]

    def fence(self):
        names = ("epoch", "last_seq", "framework_version", "head_hash")
        row = self.sql("SELECT epoch, last_seq, framework_version, encode(head_hash, 'hex') FROM calloff.fence")[0]
        return {n: int(v) if n != "head_hash" else v for n, v in zip(names, row)}

    def snapshot(self):
        return self.sql("SELECT " + ", ".join(
            f"(SELECT count(*) || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM calloff.{t} AS t)"
            for t in self.CHANGES))

    @contextlib.contextmanager
    def refuses(self, state, constraint=""):
        """The block must be refused with this SQLSTATE, and leave every row as it was."""
        before = self.snapshot()
        try:
            yield
        except Refused as refused:
            assert refused.state == state, f"refused with {refused}, not {state}"
            assert constraint in refused.message, f"refused by {refused.message}, not {constraint}"
        else:
            raise AssertionError(f"not refused; {state} was expected")
        assert self.snapshot() == before, "the refusal left something behind"

    def commit(self, batch, user=ENGINE):
        return bytes.fromhex(self.one(self.call(batch), user=user))

    def call(self, batch):
        """The statement that commits it."""
        if self.arguments is None:
            names, types = self.sql("""SELECT array_to_string(proargnames, ','),
                array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t), ',')
                FROM pg_proc WHERE proname = 'commit_batch_v1'""")[0]
            self.arguments = list(zip(names.split(","), types.split(",")))
            for name, columns in self.sql("""SELECT typname, string_agg(attname, ',' ORDER BY attnum)
                    FROM pg_type JOIN pg_attribute ON attrelid = typrelid AND attnum > 0
                    WHERE typnamespace = 'calloff'::regnamespace AND typname LIKE '%\\_v1' GROUP BY 1"""):
                self.columns[f"calloff.{name}[]"] = columns.split(",")
        values = dict(batch.rows, **batch.scalars(self))
        unknown = set(values) - {name for name, _ in self.arguments}
        assert not unknown, f"commit_batch_v1 has no argument {unknown}"
        call = ", ".join(f"{name} => {literal(values.get(name, []), kind, self.columns.get(kind))}"
                         for name, kind in self.arguments)
        return f"SELECT encode(calloff.commit_batch_v1({call}), 'hex')"

    def grid(self, pool, column):
        digits = self.one(f"SELECT lpad(right({column}::text, 672), 672, '0') FROM calloff.capacity WHERE pool_no = {pool}")
        return [int(digits[666 - 6 * i:672 - 6 * i]) for i in range(112)]

    def committed(self, pool):
        return {(i % 56, i // 56): units for i, units in enumerate(self.grid(pool, "committed")) if units}


class Session:
    """A psql that stays: SQL goes in, the rows of one statement come back."""

    def __init__(self, db):
        self.process = subprocess.Popen([PSQL, "-qXAt", "-v", "ON_ERROR_STOP=0", "-d", db.name, "-U", SUPERUSER],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b""

    def send(self, sql):
        self.process.stdin.write((sql + "\n").encode())
        self.process.stdin.flush()

    def ask(self, sql, patience_s=20):
        """What psql says to this, as one text; None when it has not said anything by then."""
        self.send(sql + "\n\\echo ==end==")
        return self.rest(patience_s)

    def rest(self, patience_s=20):
        """The answer that was not there yet."""
        end = time.monotonic() + patience_s
        while not self.said.endswith(b"==end==\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            self.said += os.read(self.process.stdout.fileno(), 65536)
        said, self.said = self.said[:-len(b"==end==\n")].decode(), b""
        return said

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


@contextlib.contextmanager
def session(db, *begin):
    s = Session(db)
    try:
        for sql in begin:
            s.ask(sql)
        yield s
    finally:
        s.close()


def element(value):
    if value is None:
        return "NULL"
    if isinstance(value, (bytes, bytearray)):
        return f"'\\x{value.hex()}'"
    if isinstance(value, list):
        return "'{" + ",".join("NULL" if v is None else str(v) for v in value) + "}'"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def literal(value, kind, columns=None):
    """columns: of the row type, when value is rows as dictionaries; a row that is None is NULL."""
    if value is None:
        return f"NULL::{kind}"
    if columns is not None:
        for row in value:
            assert row is None or set(row) == set(columns), f"a row of {kind} has {columns}, not {sorted(row)}"
        value = [row if row is None else "ROW(" + ", ".join(element(row[c]) for c in columns) + f")::{kind[:-2]}"
                 for row in value]
        return f"ARRAY[{', '.join('NULL' if row is None else row for row in value)}]::{kind}"
    if isinstance(value, list):
        return f"ARRAY[{', '.join(element(v) for v in value)}]::{kind}"
    return f"{element(value)}::{kind}"


class Batch:
    """One call of commit_batch_v1. Every method is one row; keyword arguments override its columns."""

    def __init__(self, events=1, **scalars):
        self.events, self.overrides, self.rows = events, scalars, {}
        self.records = [b"record %d" % i for i in range(events)]
        self.salts = b"".join(bytes([i % 251]) * 32 for i in range(events))

    def add(self, parameter, row, **overrides):
        assert set(overrides) <= set(row), f"{parameter} has no {overrides}"
        self.rows.setdefault(parameter, []).append(dict(row, **overrides))
        return self

    def scalars(self, database):
        fence = database.fence()
        values = {"p_shard": 1, "p_epoch": fence["epoch"], "p_prev_seq": fence["last_seq"],
                  "p_framework_version": fence["framework_version"], "p_clock_us": 1, "p_salts": self.salts,
                  "p_records": self.records}
        values.update(self.overrides)
        return values

    def package(self, no, visits=None, facts=None, **columns):
        visits = visits if visits is not None else [visit(ALL_DAYS, MORNING, 6)]
        facts = facts if facts is not None else [fact(v >> 7 & 7) for v in visits]
        row = {"package_no": no, "state": 5, "changed_seq": no, "case_ref": f"C-{no}", "person_ref": f"P-{no}",
               "household_ref": f"H-{no}", "bundle_ref": "", "owner_ref": "o-1", "list_no": 1, "sector_no": 1,
               "district_no": 1, "service": 1, "client_group": 0, "requirement_version": 1, "visits": visits,
               "visit_facts": facts, "skills": 0, "gender": 0, "language": 0, "urgency": 5, "risk": 3, "cover": 1,
               "funding": 1, "regime": 1, "prerequisites": 0, "need_arose_us": 0, "start_day": 20000,
               "latest_start_us": 0, "cover_until_us": 0, "ceiling_pence_hour": 0, "excluded": []}
        return self.add("p_packages", row, **columns)

    def place(self, no, seq, demand, alone=False, **columns):
        """Beside its package when that is the newest of the batch and has none yet, as the engine does; else, or alone,
        among the placements that follow."""
        row = {"package_no": no, "role": 1, "made_seq": seq, "pool_no": 1, "provider_no": 1, "list_no": 1, "route": 1,
               "tier": 1, "rank": 1, "start_day": 20000, "exit_day": 0, "price_pence_week": 100, "carer_minutes_week": 60,
               "demand": demand}
        packages, nominations = self.rows.get("p_packages", []), self.rows.setdefault("p_nominations", [])
        if not alone and packages and packages[-1]["package_no"] == no and len(nominations) < len(packages):
            nominations += [None] * (len(packages) - 1 - len(nominations))
            return self.add("p_nominations", row, **columns)
        return self.add("p_placements", row, **columns)

    def end(self, no, seq, role=1):
        return self.add("p_ended", {"package_no": no, "role": role, "seq": seq})

    def state(self, no, seq, before, after):
        return self.add("p_states", {"package_no": no, "was": before, "next": after, "seq": seq})

    def round(self, no, seq):
        return self.add("p_rounds", {"package_no": no, "opened_seq": seq, "requirement_version": 1, "list_no": 1,
                                     "list_version": 1, "policy_no": 1, "outcome": 1, "looked_at": 1})

    def command(self, seq, key, client="unix:0", request_hash=bytes(16), outcome=b"told"):
        return self.add("p_commands", {"client": client, "key": f"00000000-0000-7000-8000-{key:012d}",
                                       "request_hash": request_hash, "seq": seq, "outcome": outcome})

    def declare(self, pool, single, paired=None, **columns):
        row = {"pool_no": pool, "single": single, "paired": paired if paired is not None else [0] * 56,
               "declared_at_us": 1, "expires_us": 2**62, "available_from_day": 0}
        return self.add("p_declarations", row, **columns)


MARKET = """
SET search_path = calloff;
INSERT INTO fence (shard, name, schema_version) VALUES (1, 'test', {schema_version});
INSERT INTO authority VALUES (1, 1, 'ESX', 'Test');
INSERT INTO district VALUES (1, 1, 'E07000074', 'Maldon');
INSERT INTO sector VALUES (1, 1, 'CM0 7', 0, 0, 0), (1, 2, 'CM0 8', 0, 0, 0);
INSERT INTO sector_district VALUES (1, 1, 1), (1, 2, 1);
INSERT INTO provider (shard, provider_no, code, location_code, rating_overall, rating_safe, rating_well_led)
VALUES (1, 1, 'PRV-A', 'L-1', 3, 3, 3), (1, 2, 'PRV-B', 'L-2', 3, 3, 3);
INSERT INTO framework VALUES (1, 1, 1, 'LAH', 'Test');
INSERT INTO lot VALUES (1, 1, 1, 'MAL', 'Maldon');
INSERT INTO lot_district VALUES (1, 1, 1);
INSERT INTO policy (shard, policy_no, code, version, award_style, confirmation, confirm_minutes, unknown_pool, routes)
VALUES (1, 1, 'P', 1, 1, 2, 60, 2, '{{1}}');
INSERT INTO list VALUES (1, 1, 1, 1, 0, 'LAH-MAL-PC'), (1, 2, 1, 2, 0, 'LAH-MAL-NA');
INSERT INTO list_version VALUES (1, 1, 1, 0, DEFAULT, 1), (1, 2, 1, 0, DEFAULT, 1);
INSERT INTO list_entry (shard, list_no, version, provider_no, route, tier, rank, order_no, price_pence_hour)
VALUES (1, 1, 1, 1, 1, 1, 1, 1, 2400), (1, 1, 1, 2, 1, 1, 2, 2, 2400), (1, 2, 1, 1, 1, 1, 1, 1, 2400);
INSERT INTO pool VALUES (1, 1, 1, 'A-1', 1), (1, 2, 1, 'A-2', 1), (1, 3, 2, 'B-1', 1), (1, 4, 2, 'B-FREE', 1);
INSERT INTO coverage VALUES (1, 1, 1, 1, 1), (1, 1, 1, 2, 2), (1, 1, 2, 1, 3), (1, 1, 2, 2, 4), (1, 2, 1, 1, 1);
UPDATE capacity SET declared = grid_of(array_fill(12::int2, ARRAY[56]) || array_fill(4::int2, ARRAY[56]), 1),
	expires_us = 9223372036854775807;
UPDATE capacity SET mode = 3 WHERE pool_no = 4;
"""


def schema_version():
    with open(os.path.join(ROOT, "engine/store/fence.h"), encoding="utf-8") as f:
        return int(re.search(r"SCHEMA_VERSION = (\d+)", f.read()).group(1))


def make_template(name):
    psql("postgres", f"CREATE DATABASE {name}")
    subprocess.run([os.path.join(ROOT, "sql/migrate"), f"dbname={name}"], check=True, stdout=subprocess.DEVNULL)
    psql(name, MARKET.format(schema_version=schema_version()))


def run(test, template, number):
    database = Database(f"{template}_{number}")
    psql("postgres", f"CREATE DATABASE {database.name} TEMPLATE {template}")
    try:
        test(database)
        return None
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()
    finally:
        psql("postgres", f"DROP DATABASE {database.name} WITH (FORCE)")


def main():
    """Runs every rule, or those whose text holds the first argument; TAP on stdout."""
    if not os.environ.get("PGHOST"):
        sys.exit("needs PostgreSQL through PGHOST: tests/kit/cluster meson test -C build --suite pg")
    template = f"calloff_pg_{os.getpid()}_{int(time.time())}"
    wanted = [r for r in RULES if len(sys.argv) < 2 or sys.argv[1] in r[0]]
    failed = 0
    make_template(template)
    try:
        print(f"1..{len(wanted)}")
        # making and dropping a database waits for the disk, so several tests wait together
        pool = concurrent.futures.ThreadPoolExecutor(8)
        results = pool.map(lambda t: run(t[1][1], template, t[0]), enumerate(wanted, 1))
        for number, ((text, _), broken) in enumerate(zip(wanted, results), 1):
            failed += broken is not None
            print(f"{'ok' if broken is None else 'not ok'} {number} - {text}")
            for line in (broken or "").splitlines():
                print("# " + line)
    finally:
        psql("postgres", f"DROP DATABASE {template} WITH (FORCE)")
    return 1 if failed or not wanted else 0
