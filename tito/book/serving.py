"""A web server for the finished site: this machine only, no cache, nothing printed."""

import functools
import http.server


class Pages(http.server.SimpleHTTPRequestHandler):
    """Answer with files; a browser asks again after every build."""

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *words):
        pass


def server(site, port):
    """Return a server for a site's folder, bound to the loopback address.

    Raises:
        OSError: The port is taken, or not allowed.
    """
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Pages, directory=site))
