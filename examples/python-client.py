"""A client in Python, standard library only: JSON lines over TCP (docs/protocol.md).

    python3 python-client.py 127.0.0.1:7000
"""

import itertools
import json
import socket
import sys
from datetime import datetime, timezone


class Failure(Exception):
    """A typed error of the server: `tag` names it, `reason` says which kind of it, `error` is the whole of it."""

    def __init__(self, error):
        super().__init__(error)
        self.error = error
        self.tag = error["_tag"]
        self.reason = error.get("reason", {}).get("_tag")


class Client:
    """One connection, one call at a time."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.lines = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.ids = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def stream(self, tag, payload=None):
        """The values of a stream, one by one; its end value, of a call that is none, comes last."""
        call = str(next(self.ids))
        self.send({"_tag": "Request", "id": call, "tag": tag, "payload": payload, "headers": []})
        for line in self.lines:
            message = json.loads(line)
            if message["_tag"] == "ProtocolError":
                raise Failure(message)
            if message.get("requestId") != call:
                continue
            if message["_tag"] == "Chunk":
                yield from message["values"]
                self.send({"_tag": "Ack", "requestId": call})  # or the stream stops here
            elif message["_tag"] == "Exit":
                if message["exit"]["_tag"] == "Success":
                    yield message["exit"].get("value")
                    return
                for cause in message["exit"]["cause"]:
                    if cause["_tag"] == "Fail":
                        raise Failure(cause["error"])
                raise RuntimeError(message["exit"]["cause"])
        raise ConnectionError("the server closed the connection")

    def call(self, tag, payload=None):
        return list(self.stream(tag, payload))[-1]


def millis(year, month, day):
    return int(datetime(year, month, day, tzinfo=timezone.utc).timestamp() * 1000)


def main():
    host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7000").rpartition(":")
    with Client(host, int(port)) as client:
        hello = client.call("System.hello")
        print(f"tapestry {hello['product']}, protocol {hello['protocol']}")

        query = {"symbol": "SPX", "kind": "bar", "timeframe": "1d"}
        series = client.call("Series.resolve", {"vendor": "sample", "query": query})
        span = {"start": millis(2019, 1, 1), "end": millis(2020, 1, 1)}
        bars = list(client.stream("Series.bars", {"series": series, "range": span}))[:-1]
        print(f"{len(bars)} bars, the last closes at {bars[-1]['close']:.2f}")

        try:
            client.call("Series.explain", {"series": series, "ts": millis(2019, 1, 1)})
        except Failure as failure:
            print(f"caught {failure.tag} / {failure.reason}")


main()
