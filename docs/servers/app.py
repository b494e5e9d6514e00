"""A small application for docs/servers.md: a page of text, as a WSGI and as an ASGI application."""

import asyncio


def page():
    """The end of a long table, made in pure Python: some milliseconds of work."""
    total, rows = 0, []
    for number in range(1, 2001):
        total += number * number % 97
        rows.append(f"<tr><td>{number}<td>{total}<td>{'even' if number % 2 == 0 else 'odd'}")
    return "".join(rows[-100:]).encode()


def wsgi(environ, start_response):
    body = page()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError(f"no support for {scope['type']}")
    # The event loop has one thread. Work that computes goes to others, as a framework does it with
    # handlers that are not coroutines.
    body = await asyncio.to_thread(page)
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
