"""record.py: the journal's record of one event, read by a decoder of its own (the bytes: engine/core/record.h).

Only what a client can hold it against: the stamp, the event as it came in, and the outcome as it was told.
"""
import struct

TYPES = {1: "submit", 2: "confirm", 3: "withdraw", 4: "end", 5: "declare"}
HAS_PLACEMENT, HAS_FIELD, HAS_CONFIRM_BY, IS_SIMULATED, NEEDS_BUDGET, HAS_POOL = 1, 2, 4, 8, 16, 32


class Unreadable(Exception):
    """These bytes are not a record."""


class Cursor:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, layout):
        size = struct.calcsize("<" + layout)
        if self.at + size > len(self.data):
            raise Unreadable("it ends too early")
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += size
        return values if len(values) > 1 else values[0]

    def text(self):
        size = self.take("B")
        if self.at + size > len(self.data):
            raise Unreadable("it ends too early")
        self.at += size
        return self.data[self.at - size:self.at].decode()


def _submit(c):
    names = ("case_ref", "person_ref", "household_ref", "owner_ref", "bundle_ref", "sector", "district", "language")
    e = {name: c.text() for name in names}
    codes = ("service", "client_group", "gender", "urgency", "risk", "cover", "funding", "regime", "prerequisites")
    e.update(zip(codes, c.take("9B")))
    numbers = ("start_day", "ceiling_pence_hour", "need_arose_us", "latest_start_us", "cover_until_us")
    e.update(zip(numbers, c.take("iIqqq")))
    e["skills"] = [c.text() for _ in range(c.take("H"))]
    e["excluded"] = [(c.text(), c.text()) for _ in range(c.take("H"))]
    e["visits"] = [c.take("6BH") for _ in range(c.take("H"))]  # days band bands carers tolerance flags minutes
    return e


def _change(c):
    return {"package": c.take("q"), "reason": c.text(), "with_budget_authority": c.take("B")}


def _declare(c):
    e = {"pool": c.text(), "expires_us": c.take("q"), "available_from_day": c.take("i")}
    e["cells"] = c.take("112I")
    return e


def _outcome(c):
    o = dict(zip(("type", "has", "refusal", "state", "package", "looked_at", "cells_over"), c.take("BBHBqHH")))
    has = o.pop("has")
    o["simulated"], o["budget_authority"] = bool(has & IS_SIMULATED), bool(has & NEEDS_BUDGET)
    o["pool"] = c.take("i") if has & HAS_POOL else 0
    o["confirm_by_us"] = c.take("q") if has & HAS_CONFIRM_BY else 0
    if has & HAS_FIELD:
        o["field"] = c.text()
    o["placement"] = None
    if has & HAS_PLACEMENT:
        names = ("provider", "list", "start_day", "exit_day", "price_pence_week", "carer_minutes_week", "rank", "role",
                 "route", "tier", "bands")
        o["placement"] = p = dict(zip(names, c.take("iiiiIIHBBBB")))
        packed = c.take(f"{(p['bands'] + 1) // 2}s")
        p["bands"] = [packed[i // 2] >> 4 * (i % 2) & 7 for i in range(p["bands"])]
    return o


class Record:
    """seq, key, type, event, outcome, outcome_bytes."""

    def __init__(self, data):
        c = Cursor(data)
        number, version, length = c.take("HHI")
        if version != 1 or number not in TYPES or length != len(data) - c.at:
            raise Unreadable("its head is not that of a record")
        self.type = TYPES[number]
        self.seq, self.now_us, self.rules_version, self.framework_version = c.take("qqHq")
        self.principal = c.text()
        self.key = c.take("16s")
        self.event = {"submit": _submit, "declare": _declare}.get(self.type, _change)(c)
        at = c.at
        self.outcome = _outcome(c)
        self.outcome_bytes = data[at:c.at]
        self.outcome_at, self.effects_at = at, c.at
