"""As much of curl as the README's walk asks of it, for machines that have none: -s -N -X -H -d."""

import argparse
import sys

import httpx


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", "-N", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    said = parser.parse_args()
    data = sys.stdin.read().replace("\n", "") if said.data == "@-" else said.data
    headers = dict(header.split(": ", 1) for header in said.headers)
    method = said.method or ("GET" if data is None else "POST")
    with httpx.stream(method, said.url, headers=headers, content=data, timeout=60) as answer:
        for text in answer.iter_text():
            sys.stdout.write(text)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
