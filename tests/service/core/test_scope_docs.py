"""The page about the API has every scope and every role, in the words of the code."""

import re
from pathlib import Path

from service.core.scopes import ROLES, Scope

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8").partition("## Tokens and scopes")[2]
CODE = (ROOT / "service" / "core" / "scopes.py").read_text("utf-8")


def test_every_scope_is_told_as_the_code_tells_it():
    told = dict(re.findall(r'= "([a-z:]+)"  # (.+)', CODE))
    assert told.keys() == {str(scope) for scope in Scope}
    table = PAGE.partition("| role |")[0]
    assert re.findall(r"^\| `([a-z:]+)` \| (.+) \|$", table, re.MULTILINE) == list(told.items())


def test_every_role_is_told_with_its_scopes():
    table = PAGE.partition("| role |")[2].partition("**Which store.**")[0]
    rows = dict(re.findall(r"^\| `([a-z]+)` \| (.+) \|$", table, re.MULTILINE))
    assert rows.pop("viewer") == "every `:read`"
    assert set(ROLES["viewer"]) == {scope for scope in Scope if scope.endswith(":read")}
    others = {role: ", ".join(f"`{scope}`" for scope in scopes) for role, scopes in ROLES.items() if role != "viewer"}
    assert rows == others
