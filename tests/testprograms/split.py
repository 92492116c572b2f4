"""Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts."""
import sys
import time


def spin(rounds):
    x = rounds
    for _ in range(rounds):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


class Query:
    def sort_rows(self):
        return spin(6000)

    def hash_rows(self):
        return spin(3000)

    def write_rows(self):
        return spin(1000)


def run_query(query):
    return query.sort_rows() + query.hash_rows() + query.write_rows()


def main():
    end = time.monotonic() + float(sys.argv[1])
    query = Query()
    while time.monotonic() < end:
        run_query(query)


if __name__ == "__main__":
    main()
