"""Starlette with starsessions in Redis."""

import asyncio
import os
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware, regenerate_session_id
from starsessions.stores.redis import RedisStore


async def visit(request):
    request.session["cart"] = ["a book"]
    return Response(status_code=204)


async def log_in(request):
    request.session.update({"authenticated": True, "userId": request.query_params["user"]})
    regenerate_session_id(request)
    return Response(status_code=204)


async def user(request):
    return Response(request.session.get("userId", ""))


async def log_out(request):
    request.session.clear()
    return Response(status_code=204)


app = Starlette(
    routes=[
        Route("/visit", visit, methods=["POST"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/user", user, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
    ],
    middleware=[
        Middleware(
            SessionMiddleware,
            store=RedisStore(os.environ["REDIS_URL"]),
            lifetime=3600,
            cookie_https_only=False,
        ),
        Middleware(SessionAutoloadMiddleware),
    ],
)

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening on {listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    asyncio.run(server.serve(sockets=[listener]))
