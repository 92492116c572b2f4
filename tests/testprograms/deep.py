"""Spends its CPU below many calls of one function."""
import sys
import time


def spin(rounds):
    x = rounds
    for _ in range(rounds):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def recurse(depth):
    return recurse(depth - 1) + 1 if depth else spin(100_000)


def run_deep():
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        recurse(int(sys.argv[2]))


if __name__ == "__main__":
    run_deep()
