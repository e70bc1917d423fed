"""Labels as pictures."""

from service import errors
from service.api import requests
from service.api.operations.operation import Answer, Operation
from service.core.scopes import Scope

PREVIEW_TAG = "Previews"
_PICTURE = Answer(200, "The label.", {"type": "string", "format": "binary"}, media="image/png")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/products/{barcode}/preview.png",
        id="previewProduct",
        tag=PREVIEW_TAG,
        scopes=(Scope.FEED, Scope.PRODUCTS_READ),
        summary="See how a product looks",
        text=(
            "The label that a display with such a panel would show of this product now, pixel for pixel as it would be "
            "sent."
        ),
        query=requests.PreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/products/preview.png",
        id="previewNamedProduct",
        tag=PREVIEW_TAG,
        scopes=(Scope.FEED, Scope.PRODUCTS_READ),
        summary="The same, by a barcode that may hold a slash",
        text="As `/products/{barcode}/preview.png`.",
        query=requests.NamedPreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/displays/{display}/preview.png",
        id="previewDisplay",
        tag=PREVIEW_TAG,
        scopes=(Scope.FEED, Scope.DISPLAYS_READ),
        summary="See what a display should show, and does",
        text=(
            "`desired`: what it should show; `shown`: what it was last proven to show. An address that displays of two "
            "drivers have is a conflict."
        ),
        query=requests.DisplayPreviewQuery,
        answers=(_PICTURE,),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
)
