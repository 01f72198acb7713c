"""proxy.py: one calloff-chaosproxy, started, told and ended."""
import os
import socket
import subprocess
import time


class Proxy:
    """Between a listening address and another (unix:PATH or tcp:IPV4:PORT); rules may also be flags at the start."""

    def __init__(self, program, directory, name, listen, to, seed=1, frames=False, prefix=(), **rules):
        self.control_path = os.path.join(directory, name + ".control")
        flags = [text for rule, value in rules.items() for text in ("--" + rule.replace("__", "."), str(value))]
        self.process = subprocess.Popen([*prefix, program, "--listen", listen, "--to", to, "--control", self.control_path,
                                         "--seed", str(seed), "--frames", str(int(frames)), *flags])
        end = time.monotonic() + 10
        while True:
            self.control = socket.socket(socket.AF_UNIX)
            try:
                self.control.connect(self.control_path)
                break
            except OSError:
                self.control.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the proxy {name} does not start") from None
                time.sleep(0.01)
        self.said = self.control.makefile("r")
        self.tell("stats")  # the listening socket is there before the first command is answered

    def tell(self, line):
        self.control.sendall(line.encode() + b"\n")
        answer = self.said.readline().strip()
        if not answer.startswith("ok"):
            raise RuntimeError(f"the proxy takes {line!r}: {answer}")
        return answer[3:]

    def set(self, **rules):
        """up__delay_ms=50 and the like."""
        for rule, value in rules.items():
            self.tell(f"set {rule.replace('__', '.')} {value}")

    def clear(self):
        self.tell("clear")

    def stats(self):
        return {name: int(number) for name, number in (pair.split("=") for pair in self.tell("stats").split())}

    def end(self):
        self.control.close()
        self.process.kill()
        self.process.wait()
