"""exposition.py: a strict reader of Prometheus' text exposition format 0.0.4, written from its specification.

Families in one piece, HELP and TYPE once and before the samples, no sample twice, counters ending in _total, histograms
with rising buckets that end in +Inf and agree with _count. Anything else is a Malformed with its line.
"""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?|\+Inf|-Inf|NaN)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])*)\Z")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)\Z")
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Malformed(Exception):
    pass


def labels_of(text):
    labels, at = {}, 0
    while text is not None and at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in labels:
            raise Malformed(f"labels: {text}")
        labels[match[1]] = re.sub(r"\\.", lambda m: UNESCAPED[m[0]], match[2])
        at = match.end()
        if match[3] == "," and at == len(text):
            raise Malformed(f"labels end in a comma: {text}")
    return labels


class Family:
    def __init__(self, name):
        self.name, self.help, self.kind, self.samples = name, None, None, {}

    def owns(self, sample):
        suffixes = ("_bucket", "_sum", "_count") if self.kind == "histogram" else ("",)
        return any(sample == self.name + suffix for suffix in suffixes)

    def check(self):
        if self.kind is None or self.help is None:
            raise Malformed(f"{self.name} needs HELP and TYPE")
        if (self.kind == "counter") != self.name.endswith("_total"):
            raise Malformed(f"{self.name} is a {self.kind}")
        if self.kind == "counter" and any(value < 0 for value in self.samples.values()):
            raise Malformed(f"{self.name} is below 0")
        if self.kind == "histogram":
            self.check_histogram()

    def check_histogram(self):
        series = {}
        for (name, labels), value in self.samples.items():
            rest = tuple(l for l in labels if l[0] != "le")
            series.setdefault(rest, {})[name.removeprefix(self.name), dict(labels).get("le")] = value
        for rest, values in series.items():
            buckets = [(float(le), value) for (suffix, le), value in values.items() if suffix == "_bucket"]
            if buckets != sorted(buckets) or [v for _, v in buckets] != sorted(v for _, v in buckets):
                raise Malformed(f"{self.name}{rest}: buckets do not rise")
            if not buckets or buckets[-1] != (float("inf"), values.get(("_count", None))) or ("_sum", None) not in values:
                raise Malformed(f"{self.name}{rest}: no +Inf bucket that equals _count, or no _sum")


def parse(text):
    """{name: Family}"""
    families, last = {}, None
    if text and not text.endswith("\n"):
        raise Malformed("the last line has no end")
    for line in text.split("\n")[:-1]:
        meta = HELP.match(line) or TYPE.match(line)
        if meta:
            if last is None or last.name != meta[1]:
                if meta[1] in families:
                    raise Malformed(f"{meta[1]} comes in two pieces")
                last = families[meta[1]] = Family(meta[1])
            what = "help" if line.startswith("# HELP") else "kind"
            if getattr(last, what) is not None or last.samples:
                raise Malformed(f"out of place: {line}")
            setattr(last, what, meta[2])
            continue
        sample = SAMPLE.match(line)
        if not sample:
            raise Malformed(f"not a line of this format: {line!r}")
        if last is None or not last.owns(sample[1]):
            raise Malformed(f"a sample outside its family: {line}")
        key = sample[1], tuple(labels_of(sample[2]).items())
        if key in last.samples:
            raise Malformed(f"a sample twice: {line}")
        last.samples[key] = float(sample[3])
    for family in families.values():
        family.check()
    return families


def value(families, name, **labels):
    """The one sample that has all of these labels."""
    found = [v for family in families.values() for (sample, has), v in family.samples.items()
             if sample == name and labels.items() <= dict(has).items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]
