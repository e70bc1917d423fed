"""Tokens on two API processes at once: what one does, the other knows at its next request."""

import httpx

from service.core.scopes import Scope
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.processes import free_port, installed


async def test_a_token_revoked_on_one_process_is_refused_at_once_on_another(settings):
    async with installed(settings.data_dir, database_url=settings.database_url) as site:
        async with site.opened() as ctx:
            await stores.create_store(ctx, NewStore(slug="one"))
            admin = (await tokens.issue(ctx, "one", "admin", scopes=[Scope.ADMIN])).token
        await site.start("api")
        await site.ready()
        first = site.url
        site.port = free_port()
        site.environ["SHELFCAST_PORT"] = str(site.port)
        await site.start("api-2")
        await site.ready()
        second = site.url
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {admin}"}) as client:
            for number in range(20):
                here, there = (first, second) if number % 2 else (second, first)
                made = (
                    await client.post(f"{here}/api/v1/tokens", json={"name": f"t{number}", "scopes": ["feed"]})
                ).json()
                headers = {"Authorization": f"Bearer {made['token']}"}
                for _ in range(3):
                    used = await client.get(f"{there}/api/v1/organisation", headers=headers)
                    assert used.status_code == 200
                await client.post(f"{here}/api/v1/tokens/{made['id']}/revoke")
                refused = await client.get(f"{there}/api/v1/organisation", headers=headers)
                assert (refused.status_code, "revoked" in refused.json()["detail"]) == (401, True)
