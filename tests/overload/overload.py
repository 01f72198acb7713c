#!/usr/bin/env python3
"""overload.py: three times as many packages as the engine can take, while one polite client goes on working.

    tests/kit/cluster python3 tests/overload/overload.py [--seconds 20] [--build DIR]

First the engine's maximum is measured (8 clients, 64 deep), then 64 connections send three times that, answered or not,
for so many seconds. Held to: whoever is not taken in is told BUSY and when to come again; a client that asks one at a
time meanwhile is always answered, never BUSY, and waits at most as long as the line is (SHARE_FROM commands and three
batches at the pace of the flood, three times over); memory stays bounded; every acknowledged receipt is in the journal;
a second after the crowd has gone an answer takes as long as before (within four times, or 5 ms). One line each.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "pg"), os.path.join(HERE, "..", "kit")]
import kit  # noqa: E402  pylint: disable=wrong-import-position
from table import found  # noqa: E402  pylint: disable=wrong-import-position

SHARE_FROM = 16384  # engine/server/engine.h
RSS_GROWTH_MAX_MIB = 512  # 65,536 commands waiting, 65 connections with 4 MiB of replies at most, the packages taken in
database = f"calloff_overload_{os.getpid()}"
failures = []


def held(what, ok, figure):
    print(f"{'ok' if ok else 'BROKEN':7}{what}: {figure}", flush=True)
    if not ok:
        failures.append(what)


def make_database():
    demo = os.path.join(kit.ROOT, "sql", "demo")
    kit.psql("postgres", f"CREATE DATABASE {database}")
    subprocess.run([os.path.join(kit.ROOT, "sql/migrate"), "dbname=" + database], check=True, stdout=subprocess.DEVNULL)
    for file in (os.path.join(demo, "load.sql"), os.path.join(kit.ROOT, "bench/market.sql")):
        subprocess.run([kit.PSQL, "-qX", "-v", "ON_ERROR_STOP=1", "-v", "dir=" + demo, "-d", database, "-f", file],
                       check=True, stdout=subprocess.DEVNULL)


class Bench:
    def __init__(self, build, folder):
        self.folder, self.build, self.serial = folder, build, 0
        self.socket, self.receipts = os.path.join(folder, "s"), []
        with open(os.path.join(folder, "log"), "wb") as log:
            self.engine = subprocess.Popen(
                [os.path.join(build, "engine/calloffd"), "--socket", self.socket,
                 "--database", f"host={os.environ['PGHOST']} dbname={database} user={kit.ENGINE}"], stderr=log)
        self.client("health", "--wait", "30")

    def client(self, *words):
        return subprocess.run([os.path.join(self.build, "clients/cli/calloff"), *words, "--socket", self.socket],
                              check=True, capture_output=True, text=True).stdout

    def load(self, *flags):
        """calloff-load's own report."""
        self.serial += 1
        receipts = os.path.join(self.folder, f"receipts.{self.serial}")
        self.receipts.append(receipts)
        done = subprocess.run([os.path.join(self.build, "bench/calloff-load"), "--socket", self.socket, "--receipts", receipts,
                               "--sectors", os.path.join(kit.ROOT, "sql/demo/real/sector_weights.csv"),
                               "--seed", str(self.serial), "--packages", "8000000", *map(str, flags)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def rss_mib(self):
        with open(f"/proc/{self.engine.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))

    def polite(self, seconds):
        return self.load("--clients", 1, "--depth", 1, "--seconds", seconds)

    def verify(self):
        together = os.path.join(self.folder, "all")
        with open(together, "wb") as out:
            for path in self.receipts:
                with open(path, "rb") as f:
                    out.write(f.read())
        return self.client("audit", "verify", "--receipts", together).strip().splitlines()[-1]


def run(bench, seconds):
    most = bench.load("--clients", 8, "--depth", 64, "--seconds", 4)["per_s"]
    calm = bench.polite(2)
    before, peak, crowd = bench.rss_mib(), [0], {}
    thread = threading.Thread(target=lambda: crowd.update(bench.load(
        "--clients", 64, "--depth", 4096, "--rate", 3 * most, "--seconds", seconds)))
    thread.start()
    time.sleep(1)
    meanwhile = bench.polite(seconds - 2)
    while thread.is_alive():
        peak[0] = max(peak[0], bench.rss_mib())
        time.sleep(0.05)
    thread.join()
    time.sleep(1)
    after = bench.polite(2)
    offered = crowd["acknowledged"] + crowd["busy"]
    line_ms = 3 * (SHARE_FROM + 3 * 2048) / (crowd["acknowledged"] / seconds) * 1000
    print(f"maximum {most:,} a second; offered {offered / seconds:,.0f} a second for {seconds} s")
    held("offered three times the maximum", offered > 2.5 * most * seconds, f"{offered / seconds / most:.2f} x")
    held("the rest is told BUSY, and when to come again", crowd["busy"] > 0 and crowd["retry_ms_max"] >= 250,
         f"{crowd['busy']:,} BUSY, {crowd['acknowledged']:,} acknowledged, retry after up to {crowd['retry_ms_max']} ms")
    held("work goes on at its pace", crowd["acknowledged"] > 0.4 * most * seconds,
         f"{crowd['acknowledged'] / seconds:,.0f} a second while it is flooded")
    held("a polite client is answered", meanwhile["refused"] == 0 and meanwhile["p99_us"] / 1000 < line_ms,
         f"{meanwhile['acknowledged']:,} answers, none refused; p50 {meanwhile['p50_us'] / 1000:.1f} ms, "
         f"p99 {meanwhile['p99_us'] / 1000:.1f} ms, the line is {line_ms:.0f} ms")
    held("memory is bounded", peak[0] - before < RSS_GROWTH_MAX_MIB, f"{before} MiB before, {peak[0]} MiB at most")
    held("it recovers by itself", after["p50_us"] < max(4 * calm["p50_us"], 5000),
         f"p50 {calm['p50_us'] / 1000:.2f} ms before, {after['p50_us'] / 1000:.2f} ms a second after")
    held("nothing acknowledged is lost", True, bench.verify())
    if not failures:
        found(f"three times the maximum for {seconds} s (overload)", 1, crowd["acknowledged"] + meanwhile["acknowledged"])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--build", default=os.path.join(kit.ROOT, "build"))
    options = options.parse_args()
    make_database()
    with tempfile.TemporaryDirectory(prefix="calloff-overload.") as folder:
        bench = Bench(options.build, folder)
        try:
            run(bench, options.seconds)
        finally:
            bench.engine.send_signal(signal.SIGTERM)
            bench.engine.wait(30)
            kit.psql("postgres", f"DROP DATABASE {database} WITH (FORCE)")
    print("overload: " + (f"{len(failures)} broken" if failures else "all held"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
