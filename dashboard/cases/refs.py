"""Names as people say them, in addresses: `C-1042`, `D-7`."""


class CaseRef:
    """A case's name in the address, its primary key in the view."""

    prefix = "C-"
    regex = "C-[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value.removeprefix(self.prefix))

    def to_url(self, value: object) -> str:
        named = str(value)
        return named if named.startswith(self.prefix) else f"{self.prefix}{named}"


class DecisionRef(CaseRef):
    prefix = "D-"
    regex = "D-[0-9]{1,18}"
