# A UDP server in the notes' manner.
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 0))
print('bound to %s:%s' % server.getsockname(), flush=True)
while True:
    name, address = server.recvfrom(1024)
    server.sendto(b'Hello, %s!' % name, address)
