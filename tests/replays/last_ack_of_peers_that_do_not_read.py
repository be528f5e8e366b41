"""Expect: warning closing_stalled this host

120 clients closed one direction and do not read. The program closed its side: its FIN waits behind data."""

import socket


def replay(host):
    server = host.listen()
    for client, connection in host.pairs(server, 120, ("127.0.0.1", 8080), receive_buffer=2048):
        client.shutdown(socket.SHUT_WR)
        host.send_until_full(connection)
        connection.close()
    host.wait_for_state("last-ack", 120)
