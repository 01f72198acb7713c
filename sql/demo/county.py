"""The real county: sectors, districts, the twelve lots, and which parts of them are short of care."""
import csv
from math import isqrt
from pathlib import Path

LETTERS = ("BAS", "BRA", "BRE", "CAS", "CHE", "COL", "EPP", "HAR", "MAL", "ROC", "TEN", "UTT")
SHORT_LOTS = ("MAL", "ROC")
TOWN, RURAL = 0, 1
SHORT_OUTCODES_OF_COLCHESTER = ("CO5", "CO6", "CO7")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class County:
    def __init__(self, folder):
        folder = Path(folder)
        self.sectors = read(folder / "sectors.csv")
        self.districts = sorted(read(folder / "districts.csv"), key=lambda row: row["code"])
        self.locations = read(folder / "locations.csv")
        self.sector_no = {row["sector"]: i for i, row in enumerate(self.sectors, 1)}
        self.district_no = {row["code"]: i for i, row in enumerate(self.districts, 1)}
        self.letters = {row["code"]: row["letters"] for row in self.districts}
        self.name = {row["letters"]: row["name"] for row in self.districts}
        self.place = {i: (int(row["easting_m"]), int(row["northing_m"])) for i, row in enumerate(self.sectors, 1)}
        self.pairs = [(self.sector_no[row["sector"]], self.letters[row["district_code"]], int(row["age_65_plus_2020"]),
                       int(row["rural_percent"])) for row in read(folder / "sector_districts.csv")]
        self.lot_no = {letters: i for i, letters in enumerate(LETTERS, 1)}
        self.lot_sectors = {lot: [s for s, of, _, _ in self.pairs if of == lot] for lot in LETTERS}
        self.rural = {(lot, s): percent >= 50 for s, lot, _, percent in self.pairs}
        self.people = [(s, lot, people) for s, lot, people, _ in self.pairs if lot in self.lot_no and people > 0]

    def metres(self, a, b):
        (ax, ay), (bx, by) = self.place[a], self.place[b]
        return isqrt((ax - bx) ** 2 + (ay - by) ** 2)

    def zone(self, lot, sector):
        """A lot's town and country, which some providers staff apart; in Colchester its short part."""
        if lot == "COL":
            return RURAL if self.sectors[sector - 1]["sector"].split()[0] in SHORT_OUTCODES_OF_COLCHESTER else TOWN
        return RURAL if self.rural[lot, sector] else TOWN

    def short(self, lot, sector):
        return lot in SHORT_LOTS or (lot in ("UTT", "COL") and self.zone(lot, sector) == RURAL)

    def by_distance(self, lot, office):
        return sorted(self.lot_sectors[lot], key=lambda s: (self.metres(office, s), s))

    def metres_to_lot(self, lot, office):
        """To the middle of its people: the distance below which a third of them live."""
        reached, people = 0, {s: n for s, of, n in self.people if of == lot}
        for sector in self.by_distance(lot, office):
            reached += people.get(sector, 0)
            if 3 * reached >= sum(people.values()):
                return self.metres(office, sector)
        raise ValueError(lot)
