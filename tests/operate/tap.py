"""tap.py: what the tests without a database share: rules that run one after the other, TAP on stdout."""
import os
import subprocess

ENGINE, CLIENT = os.environ["OPERATE_ENGINE"], os.environ["OPERATE_CLIENT"]
TESTS = []


def rule(text):
    return lambda test: TESTS.append((text, test)) or test


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, (text, test) in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {text}")
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {text}\n# {type(e).__name__}: " + str(e).replace("\n", "\n# "))
    return 1 if failed else 0
