#!/usr/bin/env python3
"""Makes real/ from the folder of published data sets: python3 derive.py SOURCE [TARGET].

Needed only when the source data change; the market is generated from real/ alone.
65+ people: every postcode belongs to the nearest LSOA centroid of its own district; the LSOA's residents of 65 and
over are shared among the distinct places (coordinates) of those postcodes, so that a block of PO boxes counts once; an
LSOA that no postcode chose goes to the nearest place. A (sector, district) pair gets the sum. Non-geographic sectors
get nobody, and neither do pairs too small to be kept (see sector_districts).
"""
import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

from draw import share_out

SHORT = {"Basildon": "BAS", "Braintree": "BRA", "Brentwood": "BRE", "Castle Point": "CAS", "Chelmsford": "CHE",
         "Colchester": "COL", "Epping Forest": "EPP", "Harlow": "HAR", "Maldon": "MAL", "Rochford": "ROC",
         "Southend-on-Sea": "SOU", "Tendring": "TEN", "Thurrock": "THU", "Uttlesford": "UTT"}
OUTSIDE = {"SOU", "THU"}
NON_GEOGRAPHIC = {"SS99", "CM92", "CM98", "CM99"}
TRUSTS = ("RAJ", "RDE", "RQW")
FIRST_SOUND_DAY = "2023-07-01"
RATINGS = {"Good": 3, "Outstanding": 4, "Requires improvement": 2, "Inadequate": 1}


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def micro(text):
    """Degrees as whole hundred-thousandths."""
    return round(float(text) * 100000)


def distance2(a, b):
    """Square of a distance; a degree of longitude is 0.619 of one of latitude at 51.8 north."""
    return ((a[0] - b[0]) * 1000) ** 2 + ((a[1] - b[1]) * 619) ** 2


def nearest(place, lsoas):
    """The LSOA whose centroid is nearest."""
    return min(lsoas, key=lambda a: distance2((a["lat"], a["lon"]), place))["code"]


def people_and_rural(postcodes, lsoas):
    """(sector, district) -> 65+ people, and -> how many of its places lie in a rural LSOA."""
    spots, rural, people = defaultdict(set), Counter(), Counter()
    for row in postcodes:
        if row["sector"].split()[0] not in NON_GEOGRAPHIC:
            spots[row["district_code"]].add((row["sector"], row["easting"], row["northing"], row["place"]))
    for district, places in spots.items():
        of_district = [a for a in lsoas.values() if a["district"] == district]
        held = defaultdict(Counter)
        for sector, _, _, place in sorted(places):
            code = nearest(place, of_district)
            held[code][sector] += 1
            rural[sector, district, lsoas[code]["rural"]] += 1
        share_people(district, of_district, places, held, people)
    return people, rural


def share_people(district, lsoas, places, held, people):
    for area in lsoas:
        if not held[area["code"]]:
            here = (area["lat"], area["lon"])
            held[area["code"]][min(sorted(places), key=lambda p: distance2(p[3], here))[0]] = 1
        sectors = sorted(held[area["code"]].items())
        for (sector, _), part in zip(sectors, share_out(area["people"], [n for _, n in sectors])):
            people[sector, district] += part


def sector_districts(postcodes):
    """Every district with at least 3 of a sector's postcodes, or at least 0.5 % of them."""
    count = defaultdict(Counter)
    for row in postcodes:
        count[row["sector"]][row["district_code"]] += 1
    for sector in sorted(count):
        total = sum(count[sector].values())
        for district, n in sorted(count[sector].items()):
            if n >= 3 or n * 200 >= total:
                yield sector, district, n


def discharges(rows):
    """Days on which all three trusts reported: a zero is a day without a report."""
    days = defaultdict(dict)
    for row in rows:
        days[row["date"]][row["trust_code"]] = int(row["discharged_total"] or 0)
    for day in sorted(days):
        if day >= FIRST_SOUND_DAY and all(days[day].get(trust, 0) > 0 for trust in TRUSTS):
            yield day, sum(days[day][trust] for trust in TRUSTS)


def load_postcodes(source):
    rows = read(source / "geo/essex_postcodes.csv")
    for row in rows:
        row["sector"] = row["postcode"][:-2]
        row["place"] = (micro(row["lat"]), micro(row["lon"]))
    return rows


def load_lsoas(source):
    return {row["lsoa11_code"]: {"code": row["lsoa11_code"], "district": row["district_code"],
                                 "lat": micro(row["lat"]), "lon": micro(row["lon"]),
                                 "rural": row["ruc"] == "Rural", "people": int(row["pop_65_plus"])}
            for row in read(source / "geo/essex_lsoa11.csv")}


def main(source, target):
    sectors = read(source / "geo/essex_postcode_sectors.csv")
    postcodes, lsoas = load_postcodes(source), load_lsoas(source)
    pairs = list(sector_districts(postcodes))
    kept = {(sector, district) for sector, district, _ in pairs}
    people, rural = people_and_rural([p for p in postcodes if (p["sector"], p["district_code"]) in kept], lsoas)
    population = read(source / "geo/essex_population_by_district_census2021.csv")
    names = {row["main_district"]: row["main_district_code"] for row in sectors}
    aged = {row["district"]: row["age_65_plus"] for row in population}
    code = {names[name]: SHORT[name] for name in names}
    write(target / "districts.csv", ("code", "name", "letters", "in_a_lot", "age_65_plus_2021"),
          [(names[n], n, SHORT[n], int(SHORT[n] not in OUTSIDE), aged[n]) for n in sorted(names)])
    write(target / "sectors.csv", ("sector", "easting_m", "northing_m", "radius_m"),
          [(s["sector"], s["easting"], s["northing"], s["radius_m"])
           for s in sorted(sectors, key=lambda s: s["sector"])])
    write(target / "sector_districts.csv",
          ("sector", "district_code", "postcodes", "age_65_plus_2020", "rural_percent"),
          [(s, d, n, people[s, d], 100 * rural[s, d, True] // max(rural[s, d, True] + rural[s, d, False], 1))
           for s, d, n in pairs])
    write(target / "sector_weights.csv", ("sector", "district_code", "weight"),
          [(s, d, people[s, d]) for s, d, _ in pairs if code[d] not in OUTSIDE and people[s, d] > 0])
    places = read(source / "providers/essex_locations_anonymised.csv")
    write(target / "locations.csv", ("location", "sector", "district_code", "rating", "rating_year", "closed"),
          [(p["location"], p["postcode_sector"], p["district_code"], RATINGS.get(p["rating_latest"], 0),
            p["rating_latest_year"], int(p["closed_month"] != "")) for p in places])
    write(target / "discharges.csv", ("date", "discharges"),
          discharges(read(source / "demand/essex_trust_daily_discharges.csv")))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else here / "real")
