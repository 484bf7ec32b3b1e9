# A TCP server in the notes' manner: a thread a client, and one recv is one message. It does not sleep.
import socket
import threading


def converse(client, address):
    client.send(b'Welcome!')
    while True:
        name = client.recv(1024)
        if not name or name.decode('utf-8') == 'exit':
            break
        client.send(('Hello, %s!' % name.decode('utf-8')).encode('utf-8'))
    client.close()
    print('%s:%s has left' % address)


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(('127.0.0.1', 0))
listener.listen(128)  # with the notes' 5, a handshake that is tried again after a second would be what is measured
print('listening on %s:%s' % listener.getsockname(), flush=True)
while True:
    client, address = listener.accept()
    print('%s:%s is here' % address)
    threading.Thread(target=converse, args=(client, address)).start()
