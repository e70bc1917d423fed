"""Products to look at templates with: what a shelf usually has, and what it has at worst."""

from collections.abc import Mapping

from display_drivers.base import Palette, Panel
from service.core.faces import Face, plan_face
from service.core.product import Product, StoreFacts
from service.core.templates import Template

SIZES = (
    (152, 152), (200, 200), (212, 104), (250, 122), (296, 128),
    (296, 152), (384, 168), (400, 300), (640, 384), (800, 480),
)  # fmt: skip
"""Of the common panels, in pixels."""
PALETTES: tuple[Palette, ...] = ("BW", "BWR", "BWY", "BWRY")
PANELS = tuple(Panel(width, height, palette) for width, height in SIZES for palette in PALETTES)

NOW = 1_797_000_000_000
"""A moment in December 2026, at which every sale below is on."""
_UNTIL = 1_798_758_000_000  # the last day of 2026, in Zagreb
_CROATIA = StoreFacts("EUR", "Europe/Zagreb", "hr")


class Sample:
    """A product in a store, and whether it is one of the extremes, of which a label may leave out small print."""

    def __init__(self, product: Product, store: StoreFacts = _CROATIA, *, extreme: bool = False) -> None:
        self.product = product
        self.store = store
        self.extreme = extreme

    def face(self, template: Template, panel: Panel) -> Face:
        """In every slot that the template has."""
        products = dict.fromkeys(range(template.file.slots), self.product)
        face = plan_face(products, panel, template, self.store, NOW)
        assert face is not None  # noqa: S101 - for the type checker: there is a product
        return face


_MILK = Product(
    "3850123456782", name="Svježe mlijeko 3,2 % m.m. 1 l", price=12_900, net_content="1", net_content_unit="l",
    stock="24", brand="Dukat", category="Mlijeko",
)  # fmt: skip
_CHOCOLATE = Product(
    "4006381333931", name="Čokolada s lješnjacima i grožđicama 300 g", price=54_900, sale_price=36_900,
    sale_end=_UNTIL, net_content="300", net_content_unit="g", stock="40",
)  # fmt: skip
_CHEESE = Product("2412345000009", name="Paški sir, zreli", price=289_900, unit="kg", stock="3.2")
_SOLD_OUT = Product(
    "3850123456799", name="Jaja L, podni uzgoj 10/1", price=34_900, net_content="10", net_content_unit="kom", stock="0"
)
_HIGHEST = "Profesionalni espresso aparat s dvostrukim bojlerom, mlincem i spojem na vodu, inox"

SAMPLES: Mapping[str, Sample] = {
    "regular": Sample(_MILK),
    "sale": Sample(_CHOCOLATE),
    "weighed": Sample(_CHEESE),
    "sold out": Sample(_SOLD_OUT),
    "german": Sample(
        Product("4311501490044", name="Bio-Vollkornhaferflocken zartschmelzend", price=17_900,
                net_content="500", net_content_unit="g", promotion_text="2 für 3,00 €"),
        StoreFacts("EUR", "Europe/Berlin", "de"),
    ),
    "longest name, highest price": Sample(
        Product("5901234123457", name=_HIGHEST, price=99_999_999_900, sale_price=99_999_989_900, sale_end=_UNTIL,
                net_content="1", net_content_unit="kg", promotion_text="Samo uz predočenje kartice vjernosti"),
        extreme=True,
    ),
    "hebrew": Sample(
        Product("7290000066318", name="שוקולד חלב 100 גרם 30% קקאו", price=59_000, sale_price=49_000, sale_end=_UNTIL,
                net_content="100", net_content_unit="g"),
        StoreFacts("ILS", "Asia/Jerusalem", "he"), extreme=True,
    ),
    "arabic": Sample(
        Product("6281007035675", name="حليب طازج كامل الدسم ٢ لتر", price=119_500, net_content="2",
                net_content_unit="l"),
        StoreFacts("AED", "Asia/Dubai", "ar"), extreme=True,
    ),
    "japanese": Sample(
        Product("4901777018686", name="有機栽培緑茶ティーバッグ 50袋入り", price=12_980_000, net_content="50",
                net_content_unit="pcs"),
        StoreFacts("JPY", "Asia/Tokyo", "ja"), extreme=True,
    ),
    "thai": Sample(
        Product("8850999320007", name="น้ำปลาแท้ตราปลาทอง ขวดใหญ่ 700 มล.", price=350_000, net_content="700",
                net_content_unit="ml"),
        StoreFacts("THB", "Asia/Bangkok", "th"), extreme=True,
    ),
    "without a price or a scannable barcode": Sample(
        Product("ARTIKEL/2026-SPECIAL-EDITION-00012345", name="?"), extreme=True,
    ),
}  # fmt: skip
"""By what they stand for."""
