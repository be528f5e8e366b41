"""A DNS server on 127.0.0.1:53 that resolves every name to 127.0.0.1 (RFC 1035)."""

import socket
import struct
import threading

TYPE_A = 1
# Response, recursion desired and available, no error.
FLAGS = 0x8180
TRUNCATED = 0x0200


class DnsServer:
    """`addresses` is the number of A records of each answer.

    `tcp_only` truncates answers over UDP, so that the resolver asks again over TCP. `silent` answers
    nothing."""

    def __init__(self, addresses=1, tcp_only=False, silent=False):
        self.queried_names = set()
        self.received_query = threading.Event()
        self._addresses, self._tcp_only, self._silent = addresses, tcp_only, silent
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 53))
        self._tcp = socket.create_server(("127.0.0.1", 53))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_udp(self):
        while True:
            query, client = self._udp.recvfrom(2000)
            answer = self._answer(query, is_truncated=self._tcp_only)
            if not self._silent:
                self._udp.sendto(answer, client)

    def _serve_tcp(self):
        while True:
            client, _ = self._tcp.accept()
            with client, client.makefile("rwb") as stream:
                while length := stream.read(2):
                    answer = self._answer(stream.read(int.from_bytes(length, "big")))
                    stream.write(len(answer).to_bytes(2, "big") + answer)
                    stream.flush()

    def _answer(self, query, is_truncated=False):
        end, labels = 12, []
        while length := query[end]:
            labels.append(query[end + 1 : end + 1 + length].decode())
            end += 1 + length
        self.queried_names.add(".".join(labels))
        self.received_query.set()
        question = query[12 : end + 5]
        is_ipv4 = struct.unpack("!H", query[end + 1 : end + 3])[0] == TYPE_A
        count = self._addresses if is_ipv4 and not is_truncated else 0
        # 0xC00C is a pointer to the name of the question.
        record = struct.pack("!HHHIH4B", 0xC00C, TYPE_A, 1, 60, 4, 127, 0, 0, 1)
        header = query[:2] + struct.pack("!5H", FLAGS | (TRUNCATED if is_truncated else 0), 1, count, 0, 0)
        return header + question + record * count
