"""The open renderer that ours is measured against; run by a Python that has it, as `peer.lock` says.

Takes {width, height, labels: [elements of one label]} as JSON and prints the seconds of CPU that drawing them took, in
black, white and red. A first round, which is not counted, loads its fonts.
"""

import asyncio
import json
import sys
import time
from typing import Any

from epaper_dithering import ColorScheme, DitherMode, dither_image
from odl_renderer import generate_image


async def _drawn(width: int, height: int, labels: list[list[dict[str, Any]]]) -> float:
    start = time.process_time()
    for elements in labels:
        image = await generate_image(width, height, elements)
        dither_image(image, ColorScheme.BWR, mode=DitherMode.NONE)
    return time.process_time() - start


async def _measured(width: int, height: int, labels: list[list[dict[str, Any]]]) -> float:
    await _drawn(width, height, labels[:20])
    return await _drawn(width, height, labels)


if __name__ == "__main__":
    print(asyncio.run(_measured(**json.load(sys.stdin))))
