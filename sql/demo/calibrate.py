#!/usr/bin/env python3
"""Calls off a day of invented arrivals, one by one in rank order, against market/: python3 calibrate.py [--people 40].

A plain reading of the rules for calibration only; the engine's own matcher is engine/core. Prints, for the short parts
and the rest of the county, where people went and which reason came most often, over several such days.
"""
import argparse
import csv
from collections import Counter
from pathlib import Path

from county import County
from draw import Draw
from firms import FRAMEWORK, POLR
from people import EVERY_DAY, Line, Person, ask_for_people, day_lines

HERE = Path(__file__).resolve().parent
URGENCIES = ((1, 3), (2, 15), (3, 18), (4, 14), (5, 50))
RISKS = ((1, 15), (2, 35), (3, 50))
SERVICES = ((1, 93), (2, 2), (3, 3), (4, 2))


def read(folder, name):
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(text):
    return [int(n) for n in text[1:-1].split(",")] if len(text) > 2 else []


class Room:
    """What is left in every pool, on every list and in every firm."""

    def __init__(self, folder):
        self.capacity = {int(row["pool_no"]): row for row in read(folder, "capacity")}
        self.free = {no: [numbers(row["single"]), numbers(row["paired"])] for no, row in self.capacity.items()}
        self.firm = {int(row["provider_no"]): row for row in read(folder, "provider")}
        self.entries, self.pool_of = {}, {}
        self.minutes, self.starts = Counter(), Counter()
        for row in read(folder, "list_entry"):
            self.entries.setdefault(int(row["list_no"]), []).append(row)
        for row in read(folder, "coverage"):
            for sector in numbers(row["sectors"]):
                self.pool_of[int(row["list_no"]), int(row["provider_no"]), sector] = int(row["pool_no"])
        self.status = [row for row in read(folder, "provider_status")
                       if int(row["from_hours"]) <= 0 and (not row["until_hours"] or int(row["until_hours"]) > 0)]
        for row in read(folder, "placement"):
            self.take(row, int(row["pool_no"]), numbers(row["demand"]), int(row["carer_minutes_week"]))

    def take(self, entry, pool, demand, minutes):
        for code in demand:
            for cell in cells(code):
                self.free[pool][code >> 10 & 1][cell] -= code >> 11
        self.minutes[entry["provider_no"]] += minutes
        self.minutes[entry["list_no"], entry["provider_no"]] += minutes


def cells(code):
    return [day * 8 + (code >> 7 & 7) for day in range(7) if code >> day & 1]


def fit(room, pool, lines):
    """Codes with the lowest bands that fit, or the reason."""
    taken, demand = Counter(), []
    for line in lines:
        plane = line.carers == 2
        for band in (b for b in range(8) if line.mask >> b & 1):
            code = line.code(band)
            if all(room.free[pool][plane][c] - taken[plane, c] >= line.units() for c in cells(code)):
                taken.update({(plane, c): line.units() for c in cells(code)})
                demand.append(code)
                break
        else:
            return None, "PAIR_SHORT" if plane else "TIME_SHORT"
    return demand, None


def first_failing(room, person, entry, pool):
    """The reason before capacity, if any."""
    firm, minutes = room.firm[int(entry["provider_no"])], person.carer_minutes()
    for row in room.status:
        if row["provider_no"] == entry["provider_no"] and row["list_no"] in ("", entry["list_no"]):
            if row["status"] != "3" or room.starts[entry["provider_no"]] >= int(row["starts_week_max"]):
                return "STATUS"
    if firm["rating_overall"] == "1" and firm["improvement_plan"] == "f":
        return "RATING"
    if not pool:
        return "NOT_COVERED"
    if person.skills & ~int(firm["skills"]):
        return "SKILL"
    if person.gender and not int(firm["genders"]) & person.gender:
        return "GENDER"
    if person.language and not int(firm["languages"]) >> person.language & 1:
        return "LANGUAGE"
    cap, most = int(entry["share_cap_minutes_week"]), int(firm["minutes_week_max"])
    if cap and room.minutes[entry["list_no"], entry["provider_no"]] + minutes > cap:
        return "SHARE_CAP"
    if most and room.minutes[entry["provider_no"]] + minutes > most:
        return "HOURS_MAX"
    if int(room.capacity[pool]["available_from_days"]) > 3:
        return "START_DATE"
    limit = int(firm["starts_a_day_max"])
    if limit and room.starts[entry["provider_no"]] >= limit:
        return "STARTS_A_DAY"
    expires = room.capacity[pool]["expires_hours"]
    return "CAPACITY_UNKNOWN" if not expires or int(expires) <= 0 else None


def call_off(room, person, list_no, reasons):
    """The route and order that took the person."""
    for entry in room.entries[list_no]:
        route = int(entry["route"])
        pool = room.pool_of.get((list_no, int(entry["provider_no"]), person.sector))
        if route == POLR:
            return ("POLR", 0) if person.urgency <= 3 or person.risk == 1 else ("nobody", 0)
        reason = first_failing(room, person, entry, pool)
        if not reason:
            demand, reason = fit(room, pool, person.lines)
        if not reason:
            room.take(entry, pool, demand, person.carer_minutes())
            room.starts[entry["provider_no"]] += 1
            return ("framework" if route == FRAMEWORK else "spot"), int(entry["order_no"])
        reasons[reason] += 1
    raise ValueError("a list without a provider of last resort")


def arrivals(county, count, seed):
    draw = Draw(seed, "arrivals")
    places = [((s, lot), n) for s, lot, n in county.people]
    people = [Person(no, *draw.weighted(places)) for no in range(1, count + 1)]
    for person in people:
        person.service = draw.weighted(SERVICES)
        person.urgency, person.risk = draw.weighted(URGENCIES), draw.weighted(RISKS)
        if person.service == 1:
            person.lines = day_lines(draw, draw.chance(16))
        else:
            person.lines = [Line(EVERY_DAY, 7, 600)]
    ask_for_people(people, seed)
    return people


def area(county, person):
    if person.service != 1:
        return "nights and live-in"
    short = county.short(person.lot, person.sector)
    return f"{person.lot}, short" if short else person.lot


def report(name, result, reasons):
    count = sum(n for route, n in result.items() if isinstance(route, str))
    routes = ("framework", "spot", "POLR", "nobody")
    shares = "  ".join(f"{route} {100 * result[route] / count:5.1f} %" for route in routes)
    often = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common(6))
    print(f"{name:20} {count:5}  {shares}  mean order {result[0] / max(count, 1):4.1f}  {often}")


def main(folder, count, days, seed):
    county, results, reasons = County(HERE / "real"), {}, {}
    for day in range(days):
        room = Room(folder)
        for person in arrivals(county, count, seed + day):
            where = area(county, person)
            of_area = reasons.setdefault(where, Counter())
            route, order = call_off(room, person, county.lot_no[person.lot] * 4 - 4 + person.service, of_area)
            results.setdefault(where, Counter()).update({route: 1, 0: order})
    for name in sorted(results):
        report(name, results[name], reasons[name])
    report("all", sum(results.values(), Counter()), sum(reasons.values(), Counter()))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=40)
    asked.add_argument("--days", type=int, default=40)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--market", type=Path, default=HERE / "market")
    asked = asked.parse_args()
    main(asked.market, asked.people, asked.days, asked.seed)
