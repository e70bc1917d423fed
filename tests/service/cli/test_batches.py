from tests.service.cli.conftest import Shelfcast


def test_a_batch_that_the_store_does_not_have_is_not_released(shelfcast: Shelfcast) -> None:
    shelfcast("store", "create", "zagreb")
    result = shelfcast("batch", "release", "01M8148K7E1YNZK0G9CMEGKHCP", "--store", "zagreb")
    assert result.exit_code == 1
    assert "has no batch" in result.stderr
