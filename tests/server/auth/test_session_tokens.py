from __future__ import annotations

from debugger.server.auth.keys import LOCAL_USER, MAX_TOKENS, TOKEN_SECONDS, SessionTokens

PATH = "/workflows/v1/workflow-runs/ws"


def handshake(token, path=PATH, kind="websocket"):
    return {"type": kind, "path": path, "query_string": f"token={token}".encode()}


def test_a_token_is_good_once():
    tokens = SessionTokens()
    token = tokens.mint(LOCAL_USER)

    assert tokens.redeem(handshake(token))
    assert not tokens.redeem(handshake(token))


def test_session_token_expires():
    now = [0.0]
    tokens = SessionTokens(lambda: now[0])
    early, late = tokens.mint(LOCAL_USER), tokens.mint(LOCAL_USER)

    now[0] = TOKEN_SECONDS
    assert tokens.redeem(handshake(early))
    now[0] = TOKEN_SECONDS + 0.1
    assert not tokens.redeem(handshake(late))


def test_a_token_is_for_the_socket_only():
    tokens = SessionTokens()
    token = tokens.mint(LOCAL_USER)

    assert not tokens.redeem(handshake(token, path="/workflows/v1/workflows"))
    assert not tokens.redeem(handshake(token, kind="http"))
    assert tokens.redeem(handshake(token))


def test_unused_session_tokens_are_bounded():
    tokens = SessionTokens()
    first = tokens.mint(LOCAL_USER)
    for _ in range(MAX_TOKENS):
        tokens.mint(LOCAL_USER)

    assert not tokens.redeem(handshake(first))


def test_no_token_is_no_good_token():
    assert not SessionTokens().redeem({"type": "websocket", "path": PATH, "query_string": b""})
