"""A local OIDC provider that signs in a file's user.

Start it with `python -m tests.support.oidc_provider PORT FILE`.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

PORT, FILE = int(sys.argv[1]), Path(sys.argv[2])
ISSUER = f"http://127.0.0.1:{PORT}"
KEY = RSAKey.generate_key(2048, {"kid": "test"})
nonces: dict[str, str] = {}


async def metadata(request: Request) -> Response:
    paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
    algorithms = {"id_token_signing_alg_values_supported": ["RS256"]}
    return JSONResponse({"issuer": ISSUER, **algorithms, **{k: f"{ISSUER}/{v}" for k, v in paths.items()}})


async def authorize(request: Request) -> Response:
    query = request.query_params
    code = secrets.token_hex(8)
    nonces[code] = query["nonce"]
    return RedirectResponse(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")


async def token(request: Request) -> Response:
    form = await request.form()
    now = int(time.time())
    own = {
        "iss": ISSUER,
        "aud": "debugger",
        "iat": now,
        "exp": now + 60,
        "nonce": nonces.pop(str(form["code"])),
    }
    claims = {**own, **json.loads(FILE.read_text())}
    if "lasts" in claims:
        claims["exp"] = now + claims.pop("lasts")
    id_token = jwt.encode({"alg": "RS256", "kid": "test"}, claims, KEY)
    return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": id_token})


async def jwks(request: Request) -> Response:
    return JSONResponse({"keys": [KEY.as_dict(private=False)]})


async def health(request: Request) -> Response:
    return PlainTextResponse("ok")


routes = [Route("/authorize", authorize), Route("/token", token, methods=["POST"]), Route("/jwks", jwks)]
routes += [Route("/.well-known/openid-configuration", metadata), Route("/health", health)]

if __name__ == "__main__":
    uvicorn.run(Starlette(routes=routes), port=PORT, log_level="warning")
