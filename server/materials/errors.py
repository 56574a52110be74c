"""What can go wrong with lesson materials: a stable `code` each, typed fields, no HTTP."""

from __future__ import annotations


class MaterialError(Exception):
    """Base of every error of lesson materials."""

    code = "material_error"


class MaterialNotFound(MaterialError):
    code = "material_not_found"


class MaterialWrongType(MaterialError):
    """Neither PDF nor PNG, JPEG or WebP; or a PDF among other files."""

    code = "material_wrong_type"


class MaterialTooLarge(MaterialError):
    code = "material_too_large"

    def __init__(self, megabytes: int) -> None:
        super().__init__(f"more than {megabytes} MB")
        self.megabytes = megabytes


class MaterialTooManyPages(MaterialError):
    code = "material_too_many_pages"

    def __init__(self, pages: int, most: int) -> None:
        super().__init__(f"{pages} pages, {most} are taken")
        self.pages, self.most = pages, most


class MaterialUnreadable(MaterialError):
    """Broken, or not what its first bytes promise."""

    code = "material_unreadable"


class MaterialEncrypted(MaterialError):
    """Opens with a password only."""

    code = "material_encrypted"


class MaterialTooHeavy(MaterialError):
    """Its pages need more time or memory than a page may."""

    code = "material_too_heavy"


class MaterialInUse(MaterialError):
    """A lesson has it open now."""

    code = "material_in_use"


class TooManyMaterials(MaterialError):
    """`most` materials for a lesson, or versions of one, are kept."""

    code = "too_many_materials"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} are kept")
        self.most = most


class MaterialUnwritable(MaterialError):
    """The disk refuses; nothing is kept."""

    code = "material_unwritable"
