# A client in the notes' manner: the whole reply in pieces of 1024 bytes, then its body in a file.
import socket
import sys

host, port = sys.argv[1].split(':')
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.connect((host, int(port)))
server.send(b'GET /page HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' % sys.argv[1].encode())
pieces = []
while True:
    piece = server.recv(1024)
    if not piece:
        break
    pieces.append(piece)
server.close()
body = b''.join(pieces).split(b'\r\n\r\n', 1)[1]
with open(sys.argv[2], 'wb') as file:
    file.write(body)
