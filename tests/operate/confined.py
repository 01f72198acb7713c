#!/usr/bin/env python3
"""confined.py: a serving engine does nothing that its systemd unit forbids, without systemd to forbid it.

Twice: watched by strace, every system call, address family, memory protection and opened file is held against the unit; and
confined for real, by a seccomp filter made of the unit's, without capabilities, on a file system that cannot be written.
"""
import functools
import os
import re
import shutil
import signal
import struct
import subprocess
import sys

from engines import engine, main, rule, until

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "engine", "systemd", "calloffd@.service.in")
# files that a confined service still sees: its own /proc, the pseudo devices of PrivateDevices
PLACES = r"/proc/(self|\d+)/|/proc/(self|thread-self)$|/dev/(null|zero|full|random|urandom|tty)$"
ALLOW, ERRNO, TRAP_EPERM, TRAP_FAMILY = 0x7fff0000, 0x00050000, 1, 97
PROT_WRITE, PROT_EXEC = 2, 4
# the confined user may not reach a Python or a build in somebody's home
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable


def unit(name):
    with open(UNIT, encoding="utf-8") as f:
        return re.findall(rf"(?m)^{name}=(.*)$", f.read())


@functools.cache
def group(name):
    """The system calls of @name, its groups opened."""
    done = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], capture_output=True, text=True, check=True)
    words = [line.strip() for line in done.stdout.splitlines() if line.startswith("    ") and not line.strip().startswith("#")]
    return frozenset().union(*(group(word) if word.startswith("@") else {word} for word in words))


def allowed():
    calls = set()
    for line in unit("SystemCallFilter"):
        words = line.lstrip("~").split()
        for word in words:
            calls = calls - group(word) if line.startswith("~") else calls | group(word)
    assert "futex" in calls and "reboot" not in calls and len(calls) > 200, len(calls)
    return calls


def exercise(e, db):
    """What an engine meets in its life: every kind of request, an edit, a reload, a lost connection, an end."""
    for number in range(3):
        e.submit(number)
    e.ask("submit", "--person", "X-9", "--sector", "CM0 7", "--district", "Maldon", "--service", "personal_care", "--visit",
          "mon:morning:30", "--urgency", "hospital_planned", "--risk", "amber", "--cover", "ward", "--case", "C-9", "--dry-run")
    for words in (("explain", "P-1"), ("status", "P-1"), ("queue",), ("pools",), ("lots",), ("list", "LAH-MAL-PC"),
                  ("providers",), ("counts",), ("stats",), ("metrics",), ("audit", "verify"),
                  ("watch", "--after", "0", "--count", "2"), ("end", "P-1", "--reason", "moved")):
        done = e.client(*words)
        assert done.returncode == 0, (words, done.stderr)
    before = int(e.ask("health")[0]["epoch"])
    os.kill(inner(e) if e.wrapper else e.process.pid, signal.SIGHUP)
    until("it has loaded again", lambda: int(e.client_json("health").get("epoch", 0)) > before)
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'calloffd' "
           "AND datname = current_database()")
    until("it has loaded again", lambda: int(e.client_json("health").get("epoch", 0)) > before + 1)
    until("it serves", lambda: e.client("health").returncode == 0)
    e.submit(10)


def inner(e):
    """The engine below its wrapper."""
    with open(f"/proc/{e.process.pid}/task/{e.process.pid}/children", encoding="ascii") as f:
        return int(f.read().split()[0])


def watched(e, db):
    """strace's lines over an engine's whole life."""
    trace = os.path.join(e.folder, "trace")
    e.wrapper = ("strace", "-f", "-qq", "-yy", "-o", trace)
    # a sanitizer's leak check is ptrace's rival, and none of the engine's doing
    e.environment["ASAN_OPTIONS"] = "detect_leaks=0"
    e.start()
    exercise(e, db)
    os.kill(inner(e), signal.SIGTERM)
    assert e.process.wait(60) == 0, e.log()
    with open(trace, encoding="utf-8", errors="replace") as f:
        return f.read().splitlines()


def forbidden_file(line, folder):
    """The file that this call opens, if a service of the unit could not."""
    found = re.match(r'\d+ +openat\([^,]+, "([^"]*)", ([A-Z_|0-9]+).*\) = \d', line)
    if not found:
        return None
    path, flags = found[1], found[2]
    if path.startswith(folder) or re.match(PLACES, path):
        return None
    writes = re.search(r"O_WRONLY|O_RDWR|O_CREAT", flags) is not None
    return path if writes or re.match(r"/(proc|dev|home|root|tmp)/", path) else None


@rule("no system call, address family, memory protection or file that the unit forbids")
def _(db):
    with engine(db) as e:
        lines = watched(e, db)
    calls = {found[1] for line in lines if (found := re.match(r"\d+ +(?:<\.\.\. )?(\w+)[( ]", line))}
    assert len(calls) > 30 and {"epoll_pwait", "epoll_wait"} & calls and "sendto" in calls, sorted(calls)
    print("# system calls:", len(calls))
    assert not calls - allowed(), f"outside the filter: {sorted(calls - allowed())}"
    families = {f for line in lines for f in re.findall(r"\d+ +socket(?:pair)?\((AF_\w+)", line)}
    assert families and families <= set(unit("RestrictAddressFamilies")[0].split()), families
    for line in lines:
        assert not re.search(r"mmap\(.*PROT_WRITE\|PROT_EXEC|mprotect\(.*PROT_EXEC|SHM_EXEC", line), line
    if "OPERATE_COVERAGE" not in os.environ:  # whose runtime writes its counts beside the objects
        opened = [path for line in lines if (path := forbidden_file(line, e.folder))]
        assert not opened, f"not for a service with ProtectSystem=strict: {opened}"


def numbers():
    """{system call: number} on this machine."""
    done = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-"], input="", capture_output=True, text=True,
                          check=True)
    return {name: int(no) for name, no in re.findall(r"(?m)^#define __NR_(\w+) (\d+)$", done.stdout)}


def program():
    """The unit's filter as a seccomp program: struct sock_filter, one after the other."""
    known, code = numbers(), []

    def op(code_, true, false, k):
        code.append(struct.pack("=HBBI", code_, true, false, k))
    load, equal, any_set, ret = 0x20, 0x15, 0x45, 0x06
    high_nr, first, third = 0, 16, 32  # offsets in struct seccomp_data: nr, args[0], args[2], little-endian

    def when_not(name, offset, tests, errno):
        """Refuses the call where none of the tests holds: (comparison, value) of its argument."""
        op(equal, 0, 2 + len(tests), known[name])
        op(load, 0, 0, offset)
        for i, (comparison, value) in enumerate(tests):
            op(comparison, len(tests) - i, 0, value)
        op(ret, 0, 0, ERRNO | errno)
        op(load, 0, 0, high_nr)
    op(load, 0, 0, high_nr)
    families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
    when_not("socket", first, [(equal, families[f]) for f in unit("RestrictAddressFamilies")[0].split()], TRAP_FAMILY)
    # mprotect to executable, and memory both writable and executable
    op(equal, 0, 4, known["mprotect"])
    op(load, 0, 0, third)
    op(any_set, 0, 1, PROT_EXEC)
    op(ret, 0, 0, ERRNO | TRAP_EPERM)
    op(load, 0, 0, high_nr)
    op(equal, 0, 5, known["mmap"])
    op(load, 0, 0, third)
    op(any_set, 0, 2, PROT_EXEC)
    op(any_set, 0, 1, PROT_WRITE)
    op(ret, 0, 0, ERRNO | TRAP_EPERM)
    op(load, 0, 0, high_nr)
    for name in sorted(allowed() & set(known)):
        op(equal, 0, 1, known[name])
        op(ret, 0, 0, ALLOW)
    op(ret, 0, 0, ERRNO | TRAP_EPERM)
    return code


# What the unit's mounts and credentials come to: $1 alone can be written, $2 is the user.
CONFINE = """
mount --bind "$1" "$1"
for place in / /tmp /var /var/tmp /run /home; do
	! mountpoint -q "$place" || mount -o remount,bind,ro "$place"
done
! touch /var/tmp/calloff-writable /etc/calloff-writable 2>/dev/null || exit 99
user=$2
shift 2
exec setpriv --reuid="$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""
# Becomes the rest of its arguments, under the filter in its first.
FILTERED = """
import ctypes, os, sys
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
code = open(sys.argv[1], "rb").read()
call = ctypes.CDLL(None, use_errno=True).prctl
if call(38, 1, 0, 0, 0) or call(22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
"""


def confined(e):
    """The wrapper under which a program is confined as by the unit; without root only the filter is."""
    path = os.path.join(e.folder, "filter")
    with open(path, "wb") as f:
        f.write(b"".join(program()))
    filtered = (PYTHON, "-c", FILTERED, path)
    if os.geteuid() != 0:
        return filtered
    user = os.stat(os.environ["PGHOST"]).st_uid  # who reaches the cluster's socket
    os.chown(e.folder, user, -1)
    os.chmod(e.folder, 0o755)
    return ("unshare", "--mount", "--propagation", "private", "sh", "-euc", CONFINE, "sh", e.folder, str(user), *filtered)


PROBE = """
import ctypes, errno, mmap, os, socket
def refused(what, code, call):
    try:
        call()
    except OSError as e:
        assert e.errno == code, (what, e)
    else:
        raise AssertionError(what + " is not refused")
refused("netlink", errno.EAFNOSUPPORT, lambda: socket.socket(socket.AF_NETLINK))
refused("writable and executable memory", errno.EPERM, lambda: mmap.mmap(-1, 4096, prot=7))
refused("nice", errno.EPERM, lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))
refused("chroot", errno.EPERM, lambda: os.chroot("/"))
socket.socket(socket.AF_UNIX)
print("confined")
"""


@rule("under the unit's filter, without capabilities and on a read-only system, an engine lives its whole life")
def _(db):
    with engine(db) as e:
        e.wrapper = confined(e)
        probe = subprocess.run([*e.wrapper, PYTHON, "-c", PROBE], capture_output=True, text=True, check=False)
        assert probe.stdout == "confined\n", probe.stdout + probe.stderr
        e.environment["ASAN_OPTIONS"] = "detect_leaks=0:disable_coredump=0"
        e.program = shutil.copy(e.program, e.folder)
        e.start()
        e.wrapper = ()  # each of them has become the next: the process is the engine
        with open(f"/proc/{e.process.pid}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert (status["Name"], status["NoNewPrivs"], status["Seccomp"]) == ("calloffd", "1", "2"), status
        if os.geteuid() == 0:
            assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0 and status["Uid"][0] != "0", status
        exercise(e, db)
        e.stop()


if __name__ == "__main__":
    sys.exit(main())
