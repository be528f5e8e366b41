"""The program in the containers: listens and never calls accept(), and binds a UDP socket. Usage: listener.py PORT
BACKLOG"""

import signal
import socket
import sys

address = ("0.0.0.0", int(sys.argv[1]))
listener = socket.create_server(address, backlog=int(sys.argv[2]))
datagrams = socket.socket(type=socket.SOCK_DGRAM)
datagrams.bind(address)
print("listening", flush=True)
signal.pause()
