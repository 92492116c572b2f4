"""A WSGI application that works as split.py does, for the seconds that the query says."""
import time

from split import Query, run_query


def application(environ, start_response):
    end = time.monotonic() + float(environ["QUERY_STRING"])
    query = Query()
    while time.monotonic() < end:
        run_query(query)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
