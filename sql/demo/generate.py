#!/usr/bin/env python3
"""Writes the invented market: python3 generate.py [--seed 2025] [--out market]. Same seed, same bytes.

Reads real/ and nothing else. No clock: whatever depends on the day is written as hours or days from the day of the
demonstration, which load.sql adds.
"""
import argparse
import csv
from pathlib import Path

from county import LETTERS, County
from draw import Draw
from firms import FRAMEWORK, LANGUAGES, POLR, SERVICES, SKILLS, SPOT, Market
from people import INTERIM, LIVE, MAIN, UNSOURCED, everybody
from room import capacities

HERE = Path(__file__).resolve().parent
LIST_VERSION_FROM_US = 1762646400000000     # 9 November 2025, 00:00 UTC
CLAUSES = ((3, "demo 4.1"), (4, "demo 7.1"), (5, "demo 5.3"), (6, "demo 4.3"), (7, "demo 6.1"), (8, "demo 6.2"),
           (9, "demo 6.3"), (10, "demo 6.5"), (11, "demo 9.2"), (12, "demo 8.1"), (13, "demo 8.2"), (14, "demo 7.5"),
           (15, "demo 7.6"), (16, "demo 7.3"), (17, "demo 7.7"), (18, "demo 7.4"), (19, "demo 7.4"))
EMERGENCY, SAME_DAY, PLANNED, URGENT, STANDARD = 1, 2, 3, 4, 5
RED, AMBER, GREEN = 1, 2, 3
COVER_OF_URGENCY = {EMERGENCY: 1, SAME_DAY: 2, PLANNED: 2, URGENT: 3, STANDARD: 3}
SHARD = 1
PAUSED, CAPPED, EMBARGOED, SUSPENDED = 2, 3, 4, 5
OPEN_END = None
FOR_EVER_US = (1 << 63) - 1


def array(numbers):
    return "{" + ",".join(map(str, numbers)) + "}"


def truth(value):
    return "t" if value else "f"


def write(folder, name, header, rows):
    """A file that COPY takes as it is: with the shard in front, columns as in the table."""
    write_relative(folder, name, "shard " + header, ((SHARD,) + tuple(row) for row in rows))


def write_relative(folder, name, header, rows):
    """A file that load.sql completes: hours and days from the day of the demonstration, sectors in one array."""
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split())
        out.writerows(["" if cell is None else cell for cell in row] for row in rows)


def write_places(out, county):
    write(out, "authority", "authority_no code name", [(1, "ECC-DEMO", "Essex County Council (demonstration)")])
    write(out, "district", "district_no code name",
          [(i, d["code"], d["name"]) for i, d in enumerate(county.districts, 1)])
    write(out, "sector", "sector_no code easting_m northing_m radius_m",
          [(i, s["sector"], s["easting_m"], s["northing_m"], s["radius_m"]) for i, s in enumerate(county.sectors, 1)])
    of_letters = {d["letters"]: i for i, d in enumerate(county.districts, 1)}
    write(out, "sector_district", "sector_no district_no", [(s, of_letters[of]) for s, of, _, _ in county.pairs])
    write(out, "framework", "framework_no authority_no code name",
          [(1, 1, "LAH25", "Live at Home 2025 (demonstration)")])
    write(out, "lot", "lot_no framework_no code name",
          [(no, 1, lot, county.name[lot]) for lot, no in county.lot_no.items()])
    write(out, "lot_district", "lot_no district_no", [(no, of_letters[lot]) for lot, no in county.lot_no.items()])
    write(out, "skill", "skill_no code", [(i, code) for i, (code, _) in enumerate(SKILLS)])
    write(out, "language", "language_no code", list(enumerate(LANGUAGES, 1)))
    return of_letters


def write_policy(out):
    polr_urgencies = 1 << EMERGENCY | 1 << SAME_DAY | 1 << PLANNED
    write(out, "policy", "policy_no code version award_style confirmation confirm_minutes unknown_pool "
          "travel_minutes_visit rating_min not_rated_open improvement_plan_open routes polr_urgencies polr_risks "
          "polr_no_cover polr_days",
          [(1, "LAH25-DEMO", 1, 1, 2, 60, 2, 0, 2, "t", "t", array((FRAMEWORK, SPOT, POLR)), polr_urgencies, 1 << RED,
            "t", 7)])
    write(out, "policy_clause", "policy_no reason clause", [(1, reason, clause) for reason, clause in CLAUSES])


def write_firms(out, market):
    write(out, "provider", "provider_no code location_code rating_overall rating_safe rating_well_led rated_on "
          "rating_inherited improvement_plan skills genders languages starts_a_day_max minutes_week_max "
          "office_sector_no",
          [(f.no, f.code, f.location, f.rating, f.safe, f.well_led, f"{f.year}-07-01" if f.year else None,
            truth(f.inherited), truth(f.improving), f.skills, f.genders, f.languages, f.starts_a_day,
            f.minutes_week_max, f.office) for f in market.firms])
    write(out, "pool", "pool_no provider_no code kind",
          [(no, p["firm"].no, p["code"], p["kind"]) for no, p in market.pools.items()])


def write_lists(out, market):
    codes = dict(SERVICES)
    write(out, "list", "list_no lot_no service client_group code",
          [(no, market.county.lot_no[lot], service, 0, f"LAH25-{lot}-{codes[service]}")
           for no, (lot, service) in market.list_of.items()])
    write(out, "list_version", "list_no version effective_from_us effective_until_us policy_no",
          [(no, 1, LIST_VERSION_FROM_US, FOR_EVER_US, 1) for no in market.lists])
    write(out, "list_entry", "list_no version provider_no route tier rank order_no score_milli price_pence_hour "
          "share_cap_minutes_week",
          [(no, 1, r["firm"].no, r["route"], r["tier"], r["rank"], r["order"], r["score"], r["price"], r["cap"])
           for no, rows in market.lists.items() for r in rows])
    sectors = {}
    for (list_no, firm, sector), pool in market.pool_of.items():
        sectors.setdefault((list_no, firm, pool), []).append(sector)
    write_relative(out, "coverage", "list_no provider_no pool_no sectors",
          [key + (array(sorted(of)),) for key, of in sorted(sectors.items())])


def set_limits(market, people, seed):
    """A few share caps and limits of hours, just above what is placed."""
    draw = Draw(seed, "limits")
    by_firm, by_entry = {}, {}
    for person in people:
        firm = person.entry["firm"].no
        by_firm[firm] = by_firm.get(firm, 0) + person.carer_minutes()
        by_entry[person.list_no, firm] = by_entry.get((person.list_no, firm), 0) + person.carer_minutes()
    for firm in market.firms:
        if firm.kind in ("first", "second") and by_firm.get(firm.no) and draw.chance(6):
            firm.minutes_week_max = by_firm[firm.no] * draw.between(101, 104) // 100 // 60 * 60 + 60
    for lot in draw.shuffled(LETTERS)[:5]:
        list_no = (market.county.lot_no[lot] - 1) * len(SERVICES) + 1
        row = draw.pick(market.lists[list_no][:4])
        row["cap"] = by_entry.get((list_no, row["firm"].no), 0) * draw.between(100, 102) // 100 // 60 * 60 + 60


def write_statuses(out, market, seed):
    draw = Draw(seed, "statuses")
    first = draw.shuffled([f for f in market.firms if f.kind == "first"])
    second = draw.shuffled([f for f in market.firms if f.kind == "second"])
    list_of = {r["firm"].no: no for no, rows in reversed(market.lists.items()) for r in rows}
    spot = draw.shuffled([f for f in market.firms if f.kind == "spot"])
    plan = [(first[0], PAUSED, True, -96, 240, 0, "demo 7.1", "no new work in this lot until new staff start"),
            (first[1], CAPPED, False, -200, OPEN_END, 2, "demo 7.2", "two starts a week while its rota is rebuilt"),
            (first[2], EMBARGOED, False, -400, OPEN_END, 0, "demo 5.4", "safe rating under review"),
            (first[3], PAUSED, False, -30, 96, 0, "demo 7.1", "sickness among its carers"),
            (second[0], CAPPED, True, -150, 800, 1, "demo 7.2", "one start a week in this lot"),
            (second[1], SUSPENDED, False, -700, OPEN_END, 0, "demo 11.2", "insurance lapsed"),
            (second[2], EMBARGOED, True, -90, 500, 0, "demo 5.4", "late visits in this lot"),
            (second[3], PAUSED, False, -20, 150, 0, "demo 7.1", "office move"),
            (spot[0], SUSPENDED, False, -1000, OPEN_END, 0, "demo 11.2", "registration under review"),
            (spot[1], PAUSED, False, -10, 48, 0, "demo 7.1", "no carers free this week")]
    write_relative(out, "provider_status", "provider_no status_no status list_no from_hours until_hours "
          "starts_week_max clause set_by why",
          [(f.no, 1, status, list_of[f.no] if one_list else None, since, until, starts, clause, "demo", why)
           for f, status, one_list, since, until, starts, clause, why in plan])


def write_capacity(out, market, people, seed):
    write_relative(out, "capacity", "pool_no mode single paired declared_hours expires_hours available_from_days",
          [(no, mode, array(single), array(paired), declared, expires, start)
           for no, mode, single, paired, declared, expires, start in capacities(market, people, seed)])


def circumstances(person, draw):
    """How the package came: urgency, risk, funding and when."""
    waiting = person.route == POLR
    urgency = draw.weighted(((EMERGENCY, 25), (SAME_DAY, 35), (PLANNED, 40)) if waiting else
                            ((EMERGENCY, 3), (SAME_DAY, 15), (PLANNED, 18), (URGENT, 14), (STANDARD, 50)))
    risk = draw.weighted(((RED, 60), (AMBER, 40)) if waiting else ((RED, 5), (AMBER, 30), (GREEN, 65)))
    funding = draw.weighted(((1, 86), (2, 8), (3, 3), (4, 3)))
    regime = 4 if funding == 3 else 3 if person.group == 4 and draw.chance(30) else 2 if urgency == EMERGENCY else 1
    start_days = -draw.between(0, 6) if waiting else -draw.between(7, 1500)
    return urgency, risk, funding, regime, start_days


def rows_of(person, of_letters, draw):
    """The package's row and the placement's."""
    urgency, risk, funding, regime, start_days = circumstances(person, draw)
    waiting = person.route == POLR
    arose = start_days * 24 - draw.between(6, 240)
    entry, minutes = person.entry, person.carer_minutes()
    pence = (2 * minutes * entry["price"] + 60) // 120
    package = (person.no, UNSOURCED if waiting else LIVE, f"o-{draw.between(1, 24)}", person.list_no, person.sector,
               of_letters[person.lot], person.service, person.group, array(line.visit() for line in person.lines),
               array(line.facts() for line in person.lines), person.skills, person.gender, person.language, urgency,
               risk, COVER_OF_URGENCY[urgency], funding, regime, arose, start_days,
               draw.between(12, 96) if waiting else None, array(person.excluded))
    placement = (person.no, INTERIM if waiting else MAIN, person.pool, entry["firm"].no, person.list_no,
                 entry["route"], entry["tier"], entry["rank"], start_days, start_days + 7 if waiting else None, pence,
                 minutes, array(line.demand() for line in person.lines))
    return package, placement


def write_people(out, people, of_letters, seed):
    draw = Draw(seed, "circumstances")
    rows = [rows_of(person, of_letters, draw) for person in people]
    write_relative(out, "package", "package_no state owner_ref list_no sector_no district_no service client_group "
          "visits visit_facts skills gender language urgency risk cover funding regime need_arose_hours start_days "
          "latest_start_hours excluded", [package for package, _ in rows])
    write_relative(out, "placement", "package_no role pool_no provider_no list_no route tier rank start_days exit_days "
          "price_pence_week carer_minutes_week demand", [placement for _, placement in rows])


def generate(out, seed):
    out.mkdir(parents=True, exist_ok=True)
    county = County(HERE / "real")
    market = Market(county, seed)
    people = everybody(market, seed)
    set_limits(market, people, seed)
    of_letters = write_places(out, county)
    write_policy(out)
    write_firms(out, market)
    write_lists(out, market)
    write_statuses(out, market, seed)
    write_capacity(out, market, people, seed)
    write_people(out, people, of_letters, seed)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=2025)
    asked.add_argument("--out", type=Path, default=HERE / "market")
    asked = asked.parse_args()
    generate(asked.out, asked.seed)
