"""wire.py: what a client sent and was told, by field numbers of proto/calloff/v1."""
import datetime
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
from protocol import Garbled, decode as fields, take_varint  # noqa: E402,F401  pylint: disable=wrong-import-position

REQUESTS = {11: "submit", 14: "confirm", 15: "withdraw", 16: "end", 18: "declare", 12: "get_package", 23: "get_counts"}
REPLIES = {61: "submit", 64: "confirm", 65: "withdraw", 66: "end", 68: "declare", 62: "get_package", 73: "get_counts",
           50: "status"}
EPOCH = datetime.date(1970, 1, 1).toordinal()


def number(message, field):
    value = message.get(field, (0,))[-1]
    return value - (1 << 64) if value >> 63 else value


def text(message, field):
    return message.get(field, (b"",))[-1].decode()


def blob(message, field):
    return message.get(field, (b"",))[-1]


def sub(message, field):
    return fields(message[field][-1]) if field in message else None


def numbers(message, field):
    """A repeated enum: packed, or one by one."""
    found = []
    for value in message.get(field, ()):
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = take_varint(value, at)
            found.append(one)
    return found


def day(date):
    return datetime.date.fromisoformat(date).toordinal() - EPOCH if date else 0


def body(data, names):
    """(what, its fields) of an Envelope."""
    envelope = fields(data)
    for field, name in names.items():
        if field in envelope:
            return name, fields(envelope[field][-1])
    raise Garbled("no body that is known")


def package_number(name):
    return int(name[2:]) if name.startswith("P-") else 0


def placement(message):
    """A Placement; lists and pools by their codes, bands from 0."""
    return {"role": number(message, 1), "provider": text(message, 2), "route": number(message, 3), "tier": number(message, 4),
            "rank": number(message, 5), "list": text(message, 6), "pool": text(message, 7),
            "price_pence_week": number(message, 8), "carer_minutes_week": number(message, 9),
            "start_day": day(text(message, 10)), "exit_day": day(text(message, 11)),
            "bands": [band - 1 for band in numbers(message, 12)]}


class Told:
    """An acknowledgement: kind (what replied; "status" for a refusal), seq, leaf, row_hash, and the outcome."""

    def __init__(self, data):
        self.kind, m = body(data, REPLIES)
        receipt = sub(m, {"status": 9}.get(self.kind, 2))
        if receipt is None:
            raise Garbled("an acknowledgement has a receipt")
        self.shard, self.seq = number(receipt, 1), number(receipt, 2)
        self.leaf, self.row_hash = blob(receipt, 3), blob(receipt, 4)
        self.refusal = number(m, 3) if self.kind == "status" else 0
        self.cells_over = number(m, 1) if self.kind == "declare" else 0
        self.package = self.state = self.looked_at = self.confirm_by_us = 0
        self.simulated = self.budget_authority = False
        self.placement = None
        outcome = sub(m, 1) if self.kind in ("submit", "confirm", "withdraw", "end") else None
        if outcome is not None:
            self.package, self.state = package_number(text(outcome, 1)), number(outcome, 2)
            self.placement = placement(sub(outcome, 3)) if 3 in outcome else None
            self.simulated, self.budget_authority = bool(number(outcome, 4)), bool(number(outcome, 5))
            self.looked_at, self.confirm_by_us = number(outcome, 6), number(outcome, 7)


def _visit(data):
    m = fields(data)
    band = number(m, 2) - 1
    bands = 1 << band
    for also in numbers(m, 3):
        bands |= 1 << (also - 1)
    flags = bool(number(m, 6)) | bool(number(m, 8)) << 1
    return (number(m, 1), band, bands, number(m, 5), number(m, 7), flags, number(m, 4))


def _submit(m):
    q = sub(m, 1)
    texts = {"case_ref": 1, "person_ref": 2, "household_ref": 3, "owner_ref": 4, "bundle_ref": 5, "sector": 6, "district": 7,
             "language": 13}
    codes = {"service": 8, "client_group": 9, "gender": 12, "urgency": 15, "risk": 16, "cover": 17, "funding": 23,
             "regime": 24, "cover_until_us": 18, "need_arose_us": 19, "latest_start_us": 21, "ceiling_pence_hour": 22}
    e = {name: text(q, field) for name, field in texts.items()}
    e.update({name: number(q, field) for name, field in codes.items()})
    e["funding"], e["regime"] = e["funding"] or 1, e["regime"] or 1
    e["prerequisites"] = bool(number(q, 25)) | bool(number(q, 26)) << 1
    e["start_day"] = day(text(q, 20))
    e["skills"] = [skill.decode() for skill in q.get(11, ())]
    e["excluded"] = [(text(x, 1), text(x, 2)) for x in map(fields, q.get(14, ()))]
    e["visits"] = [_visit(v) for v in q.get(10, ())]
    return e


def _declare(m):
    cells = [0] * 112
    for cell in map(fields, m.get(2, ())):
        cells[56 * number(cell, 3) + 8 * (number(cell, 1) - 1) + number(cell, 2) - 1] = number(cell, 4)
    return {"pool": text(m, 1), "expires_us": number(m, 3), "available_from_day": day(text(m, 4)), "cells": tuple(cells)}


def event(data):
    """(kind, event) of a command as it was sent, in the words of record.py."""
    kind, m = body(data, REQUESTS)
    if kind == "submit":
        return kind, _submit(m)
    if kind == "declare":
        return kind, _declare(m)
    return kind, {"package": package_number(text(m, 1)), "reason": text(m, 2) if kind != "confirm" else "",
                  "with_budget_authority": number(m, 2) if kind == "confirm" else 0}


def package_read(data):
    """How a package read: (state, changed_seq, placements), or None when it is not known."""
    kind, m = body(data, REPLIES)
    if kind != "get_package":
        return None
    (package,) = m[1]
    p = fields(package)
    return number(p, 2), number(p, 7), [placement(fields(x)) for x in p.get(5, ())]


def counts_read(data):
    """(at_seq, {state: packages}, {(route, role): (placements, minutes)}), or None."""
    kind, m = body(data, REPLIES)
    if kind != "get_counts":
        return None
    states = {number(x, 1): number(x, 2) for x in map(fields, m.get(1, ()))}
    routes = {(number(x, 1), number(x, 2)): (number(x, 3), number(x, 4)) for x in map(fields, m.get(2, ()))}
    return number(m, 3), states, routes
