"""Expect: nothing

Health checks connect and close at once, 100 times a second, at a program that accepts them."""


def replay(host):
    server = host.listen(backlog=128)
    host.accept(server, serve=lambda connection: connection.close())

    def check_health():
        for client in host.connect(5):
            client.close()

    host.repeat(check_health)
