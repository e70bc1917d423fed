from service.core.scopes import ROLES, Scope, allows, implied


def test_who_may_write_a_thing_may_read_it() -> None:
    assert implied([Scope.DISPLAYS_WRITE]) == {Scope.DISPLAYS_WRITE, Scope.DISPLAYS_READ}


def test_an_administrator_may_do_everything() -> None:
    assert implied(["admin"]) == set(Scope)


def test_a_reader_writes_nothing() -> None:
    assert not allows(ROLES["viewer"], [scope for scope in Scope if not scope.endswith(":read")])


def test_words_that_are_no_scopes_mean_nothing() -> None:
    assert implied(["", "read", "products:*", "ADMIN", "products"]) == frozenset()
    assert not allows([], list(Scope))


def test_every_write_has_its_read() -> None:
    assert {scope for scope in Scope if scope.endswith(":write")} <= {
        scope for scope in Scope if scope.replace(":write", ":read") in list(Scope)
    }
