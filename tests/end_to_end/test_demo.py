import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

COMMAND = [sys.executable, "-m", "service.cli", "demo", "--displays", "24"]


def environ(folder: Path) -> dict[str, str]:
    """With a temporary folder that can be looked into, and a setting that the demonstration must not follow."""
    return {**os.environ, "TMPDIR": str(folder), "SHELFCAST_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}


def test_the_demonstration_proves_every_display_and_leaves_a_picture_alone(tmp_path: Path):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    done = subprocess.run(
        COMMAND, cwd=tmp_path, env=environ(scratch), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = (int(count) for count in re.findall(r"(\d+) changed: ", done.stdout))
    assert first == 24
    assert 0 < second < first
    assert re.findall(r"changed: (\d+) confirmed", done.stdout) == [str(first), str(second)]
    assert "/docs" in done.stderr
    with Image.open(tmp_path / "demo-shelf.png") as picture:
        assert picture.width > 1000
    assert list(scratch.iterdir()) == []


def test_a_demonstration_that_is_told_to_stop_takes_everything_with_it(tmp_path: Path):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    with subprocess.Popen(COMMAND, cwd=tmp_path, env=environ(scratch), stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        for line in running.stderr:
            if "The first day" in line:
                running.send_signal(signal.SIGTERM)
                break
        running.stderr.read()
        assert running.wait(30) == 1
    assert list(scratch.iterdir()) == []
