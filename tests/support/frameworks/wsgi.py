"""Serves a WSGI application on a port of the kernel's choice, and says which one on stdout."""

from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *words):
        pass


def serve(application):
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()
