#!/usr/bin/python3
"""Serves the pages of simulated hosts on loopback: /KIND/NUMBER, and figures of the server itself as JSON at /.

Usage: fleet_server.py PORT INTERVAL FILE, where FILE has [{"kind", "hosts", arguments of Template}, ...] as JSON.

A page is rendered once in each interval, so that several Prometheus servers get the same one.
"""

import asyncio
import json
import sys
import time

from fleet_pages import Host, Template

HEADERS = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
# Servers with the same targets scrape a target at the same offset in the interval.
SHARED = 0.5


class Fleet:
    def __init__(self, interval, kinds):
        self._interval = interval
        self._hosts = {}
        self._bodies = {}  # path: (time, body)
        self.responses = {}
        self.bytes = {}
        for kind in kinds:
            name, count = kind.pop("kind"), kind.pop("hosts")
            template = Template(**kind)
            self.responses[name] = self.bytes[name] = 0
            self._hosts |= {f"/{name}/{number}": Host(template, number, interval) for number in range(count)}

    def body(self, path):
        """Returns the compressed page of a host."""
        now = time.monotonic()
        at, body = self._bodies.get(path, (0, b""))
        if now - at > SHARED * self._interval:
            body = self._hosts[path].compressed()
            self._bodies[path] = now, body
        kind = path.split("/")[1]
        self.responses[kind] += 1
        self.bytes[kind] += len(body)
        return body

    def figures(self):
        return json.dumps({"cpu": time.process_time(), "responses": self.responses, "bytes": self.bytes}).encode()


class Connection(asyncio.Protocol):
    """One client: requests without a body, one after the other."""

    def __init__(self, fleet):
        self._fleet = fleet
        self._received = b""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            self._respond(request.split(b" ", 2)[1].decode())

    def _respond(self, path):
        if path == "/":
            body, headers = self._fleet.figures(), ("application/json", "")
        else:
            body, headers = self._fleet.body(path), (TEXT, "Content-Encoding: gzip\r\n")
        self._transport.write(HEADERS.format(*headers, len(body)).encode() + body)


async def serve(port, fleet):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(fleet), "127.0.0.1", port, backlog=4096)
    print("{}", flush=True)
    await server.serve_forever()


def main():
    port, interval, file = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        fleet = Fleet(float(interval), json.load(text))
    asyncio.run(serve(int(port), fleet))


if __name__ == "__main__":
    main()
