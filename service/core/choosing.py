"""Which template a display has: its own, else the store's for its panel and category, else the store's default."""

import msgspec

from service.core.templates import DEFAULT


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A template for some displays.

    Attributes:
        panel: Only those with this panel, such as `296x128-BWR`.
        category: Only those whose first product is of this category, in any case.
    """

    template: str
    panel: str | None = None
    category: str | None = None

    @property
    def key(self) -> tuple[str | None, str | None]:
        return self.panel, self.category.casefold() if self.category is not None else None


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a store chose."""

    default: str = DEFAULT
    rules: tuple[Rule, ...] = ()

    def of(self, panel: str, category: str | None, own: str | None = None) -> str:
        """The name of a display's template. A rule for both wins over one for the category, that over the panel's."""
        if own is not None:
            return own
        named = {rule.key: rule.template for rule in self.rules}
        folded = category.casefold() if category is not None else None
        keys = ((panel, folded), (None, folded), (panel, None)) if folded is not None else ((panel, None),)
        return next((named[key] for key in keys if key in named), self.default)

    def changed(self, rule: Rule) -> "Choice":
        """With this rule in place of one for the same displays; one for all of them is the default."""
        if rule.key == (None, None):
            return Choice(rule.template, self.rules)
        return Choice(self.default, (*self.without(rule).rules, rule))

    def without(self, rule: Rule) -> "Choice":
        """Without what was chosen for the same displays."""
        if rule.key == (None, None):
            return Choice(DEFAULT, self.rules)
        return Choice(self.default, tuple(other for other in self.rules if other.key != rule.key))

    @property
    def names(self) -> set[str]:
        return {self.default, *(rule.template for rule in self.rules)}


_decode = msgspec.json.Decoder(Choice).decode


def decoded(text: str) -> Choice:
    """As a store has it."""
    return _decode(text)


def encoded(choice: Choice) -> str:
    return msgspec.json.encode(choice).decode()
