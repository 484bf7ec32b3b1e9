# A TCP server in the notes' manner: a thread a client, and one recv is one message. It does not sleep.
import socket
import threading


def converse(client):
    client.send(b'Welcome!\n')
    while True:
        name = client.recv(1024).decode('utf-8').strip()
        if not name or name == 'exit':
            break
        client.send(('Hello, %s!\n' % name).encode('utf-8'))
    client.close()


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(('127.0.0.1', 0))
listener.listen(128)  # with the notes' 5, a handshake that is tried again after a second would be what is measured
print('listening on %s:%s' % listener.getsockname(), flush=True)
while True:
    client, address = listener.accept()
    threading.Thread(target=converse, args=(client,)).start()
