"""The `mcp` SDK's server behind the SDK's own authorization server, as a program on one port.

python -m tests.peers.oauth_sdk_server PORT

Everybody may register, and every person says yes. A token lives for an hour; the tool `revoke`
ends all of them.
"""

import secrets
import sys
import time

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

SCOPES = ["mcp"]
LIFE = 3600


class Provider:
    """Keeps everything in memory."""

    def __init__(self):
        self.clients = {}
        self.codes = {}
        self.tokens = {}
        self.refreshes = {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull):
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client, params: AuthorizationParams):
        code = secrets.token_urlsafe(20)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or SCOPES,
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, client, authorization_code):
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client, authorization_code):
        del self.codes[authorization_code.code]
        return self.give(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client, refresh_token):
        return self.refreshes.get(refresh_token)

    async def exchange_refresh_token(self, client, refresh_token, scopes):
        del self.refreshes[refresh_token.token]
        return self.give(client, scopes, refresh_token.resource)

    async def load_access_token(self, token):
        return self.tokens.get(token)

    async def revoke_token(self, token):
        self.tokens.pop(token.token, None)

    def give(self, client, scopes, resource):
        access, refresh = secrets.token_urlsafe(20), secrets.token_urlsafe(20)
        common = {"client_id": client.client_id, "scopes": scopes, "resource": resource}
        end = int(time.time()) + LIFE
        self.tokens[access] = AccessToken(token=access, expires_at=end, **common)
        self.refreshes[refresh] = RefreshToken(token=refresh, **common)
        return OAuthToken(
            access_token=access, expires_in=LIFE, refresh_token=refresh, scope=" ".join(scopes)
        )


def main(port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    provider = Provider()
    server = MCPServer(
        "guarded",
        auth_server_provider=provider,
        auth=AuthSettings(
            issuer_url=base,
            resource_server_url=f"{base}/mcp",
            validate_token_resource=True,
            required_scopes=SCOPES,
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES
            ),
        ),
    )

    @server.tool()
    def whisper(word: str) -> str:
        return f"psst: {word}"

    @server.tool()
    def revoke() -> str:
        provider.tokens.clear()
        return "done"

    server.run(transport="streamable-http", host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]))
