"""The OpenAPI document taken at its word, by Schemathesis: whatever it allows or forbids, no answer is undocumented.

`SHELFCAST_EXAMPLES=500` asks that many questions of each operation, others than these.
"""

import os
import re
import sys

import pytest

from service.core.scopes import Scope
from service.tenants import tokens
from tests.end_to_end.shelf import on_one_site
from tests.processes import free_port

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = os.environ.get("SHELFCAST_EXAMPLES", "")
HOW_MANY = ["--max-examples", EXAMPLES or "3", *([] if EXAMPLES else ["--seed", "1"])]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,missing_required_header,unsupported_method,allow_header_conformance,"
    "use_after_free,ensure_resource_availability,object_level_authorization"
)
"""All but those that judge rows: one that is refused is an error of the row, and never of its neighbours. What becomes
of wrong tokens is the matrix's to try (tests/service/api/test_matrix.py): so many at once are answered with 429."""
STREAM = "/events$"


async def test_every_answer_is_documented_and_none_is_a_server_error(settings):
    hardware = free_port()  # which sandboxes are given their displays in, too
    simulated = {"simulator_url": f"http://127.0.0.1:{hardware}"}
    async with on_one_site(settings, displays=20, port=hardware, settings=simulated) as (site, store):
        # Who may do everything, so that no operation is just forbidden; but only those that are about tokens may revoke
        # the very token that they come with.
        most = [scope for scope in Scope if scope not in {Scope.ADMIN, Scope.TOKENS_WRITE}]
        async with site.opened() as ctx:
            token = (await tokens.issue(ctx, store.slug, "most", scopes=most)).token
            admin = (await tokens.issue(ctx, store.slug, "all", scopes=[Scope.ADMIN])).token

        async def run(*arguments, by=token):
            auth = f"Authorization: Bearer {by}"
            common = ("-m", "schemathesis.cli", "run", f"{site.url}/openapi.json", "--no-color", "--header", auth)
            limits = ("--checks", CHECKS, *HOW_MANY, "--continue-on-failure")
            return await site.execute(sys.executable, *common, *limits, *arguments, within=1700)

        # A stream of a session that there is ends with its batch, which Schemathesis does not wait for.
        whole = await run("--exclude-path-regex", STREAM, "--phases", "examples,coverage,fuzzing,stateful")
        stream = await run("--include-path-regex", STREAM, "--phases", "examples,coverage,fuzzing")
        about_tokens = await run("--include-path-regex", "^/tokens", "--phases", "examples,coverage,fuzzing", by=admin)
        for ended in (whole, stream, about_tokens):
            assert ended.code == 0, ended.out
        links = re.search(r"API Links: +(\d+) covered / (\d+) selected", whole.out)
        assert links, whole.out
        assert links[1] != "0", "nothing that was made was gone on with"
        assert "unforeseen" not in site.log("api")
