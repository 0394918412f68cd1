"""Web sites: each answers with the address by which it was reached. `/large` is 8 MB, `/slow` never ends."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

LARGE = 8 * 2**20


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"x" * LARGE if self.path == "/large" else self.connection.getsockname()[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (self.path == "/slow")))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/slow":
            Event().wait()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = str(len(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512

    def handle_error(self, *_: object) -> None:
        pass  # clients cut connections


servers = [Server(("0.0.0.0", port), Handler) for port in (22, 80, 443, 8080)]
threads = [Thread(target=server.serve_forever) for server in servers]
for thread in threads:
    thread.start()
print("ready", flush=True)
# Python 3.12 starts no more threads once the main thread has ended.
for thread in threads:
    thread.join()
