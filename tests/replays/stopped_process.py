"""Expect: critical listener_stuck 0.0.0.0:8080
Says: is stopped (SIGSTOP or job control)
Says: kill -CONT
Says: A larger backlog does not help

A process that was stopped by a signal, as by a debugger, still listens. Clients connect and get no answer."""

def replay(host):
    server = host.server_process()
    host.stop(server)
    for client in host.connect(4):
        client.setblocking(True)
        client.send(b"GET / HTTP/1.0\r\n\r\n")
    host.wait_until_waiting(4, seconds=2.2)
