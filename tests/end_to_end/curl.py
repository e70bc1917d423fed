"""As much of curl as the walks of our pages ask of it, for machines that have none: -s -N -X -H -d -T."""

import argparse
import sys
from pathlib import Path

import httpx


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", "-N", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("-T", dest="file")
    said = parser.parse_args()
    data = sys.stdin.read().replace("\n", "") if said.data == "@-" else said.data
    file = None if said.file is None else sys.stdin.buffer.read() if said.file == "-" else Path(said.file).read_bytes()
    headers = dict(header.split(": ", 1) for header in said.headers)
    method = said.method or ("PUT" if file is not None else "GET" if data is None else "POST")
    content = data if file is None else file
    with httpx.stream(method, said.url, headers=headers, content=content, timeout=60) as answer:
        for text in answer.iter_text():
            sys.stdout.write(text)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
