"""The program in the containers: listens and never calls accept(). Usage: listener.py PORT BACKLOG"""

import signal
import socket
import sys

listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=int(sys.argv[2]))
print("listening", flush=True)
signal.pause()
