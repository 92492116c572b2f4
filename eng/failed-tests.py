#!/usr/bin/env python3
"""Prints name, message and first stack lines of each test that failed, from the xunit reports given as arguments."""
import sys
import xml.etree.ElementTree as ElementTree

for path in sys.argv[1:]:
    for failed in ElementTree.parse(path).iter():
        failure = failed.find("failure")
        if failure is None:
            continue
        print(f"\nfailed: {failed.get('name')} ({failed.get('time', '?')} s)")
        print((failure.findtext("message") or "").strip()[:4000])
        print("\n".join((failure.findtext("stack-trace") or "").strip().splitlines()[:8]))
