"""Displays: lists, what is done with them, what they went through, and what they showed at a time."""

from service import errors
from service.api.operations.operation import BODY, Answer, Operation
from service.api.requests import displays as requests
from service.core.scopes import Scope
from service.messages import Page
from service.messages.displays import (
    Blink,
    BoundElsewhere,
    DisplayDetail,
    DisplayEvent,
    Evidence,
    HistoryEntry,
    Imported,
)

DISPLAY_TAG, EVIDENCE_TAG = "Displays", "Evidence"

_READ, _WRITE = (Scope.DISPLAYS_READ,), (Scope.DISPLAYS_WRITE,)
_NAMED = (errors.ValidationError, errors.NotFoundError)
_CHANGED = Answer(200, "The display, as it is now.", DisplayDetail)
_CONFLICT = Answer(
    409,
    "It cannot be, as things are: `detail` says why and what to do.",
    BoundElsewhere,
    media="application/problem+json",
)
_LOCATION = {"Location": "Where it is."}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/displays",
        id="listDisplays",
        tag=DISPLAY_TAG,
        scopes=_READ,
        summary="List displays",
        text="What each should show and was proven to, why the two differ, and what is bound to it. The retired apart.",
        query=requests.DisplayListQuery,
        answers=(Answer(200, "One page of them.", Page[DisplayDetail]),),
        refusals=_NAMED,
    ),
    Operation(
        method="post",
        path="/displays",
        id="registerDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Register a display",
        text="From then on it is driven to what is bound to it.",
        body=requests.NewDisplay,
        example={"address": "SIM000009", "gateway": "ap-1", "panel": "296x128-BWR"},
        answers=(Answer(201, "It is registered.", DisplayDetail, headers=_LOCATION), _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/displays/import",
        id="importDisplays",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Register many displays, and bind them",
        text=(
            f"Up to {requests.MOST_ROWS:,} rows: as JSON, or as a file of `Content-Type: text/csv` with a header "
            "(and `?takeover=true`). A display that is registered is changed, one that was retired is back. With a "
            "barcode it is bound as well. Every good row is taken; `refused` says what is wrong with the others."
        ),
        body=requests.DisplayImport,
        example={
            "displays": [
                {"address": "SIM000001", "gateway": "ap-1", "panel": "296x128-BWR", "barcode": "3850123456782"}
            ]
        },
        answers=(Answer(200, "What became of the rows.", Imported),),
        refusals=BODY,
    ),
    Operation(
        method="get",
        path="/displays/{display}",
        id="getDisplay",
        tag=DISPLAY_TAG,
        scopes=_READ,
        summary="Get a display",
        text="By its id, or its address where no two drivers have it. Retired ones too.",
        answers=(Answer(200, "The display.", DisplayDetail),),
        refusals=(*_NAMED, errors.ConflictError),
    ),
    Operation(
        method="patch",
        path="/displays/{display}",
        id="changeDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Move a display, or change its panel or template",
        text="What is under way follows it to the other gateway, which has to be one of the same driver.",
        body=requests.ChangedDisplay,
        example={"template": "minimal"},
        answers=(_CHANGED, _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/displays/{display}/bind",
        id="bindDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Bind a product to a display",
        text=(
            "The product need not be known yet. A slot that shows another product is a conflict, which says what is "
            "bound, since when and by whom; with `takeover` that ends."
        ),
        body=requests.Binding,
        example={"barcode": "3850123456782", "slot": 0},
        answers=(_CHANGED, _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/displays/{display}/unbind",
        id="unbindDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="End what is bound to a display",
        text="To one slot, or to all. A display with nothing bound to it any more is drawn empty.",
        body=requests.Unbinding,
        body_needed=False,
        example={"slot": 0},
        answers=(_CHANGED, _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/displays/{display}/swap",
        id="swapDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Replace a broken display",
        text=(
            "What is bound to it, and its template, move to the replacement; it is retired. Both keep their histories. "
            "Something bound to the replacement is a conflict."
        ),
        body=requests.Swap,
        example={"replacement": "SIM000002"},
        answers=(Answer(200, "The replacement, as it is now.", DisplayDetail), _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="post",
        path="/displays/{display}/retire",
        id="retireDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Take a display out of use",
        text="It is unbound and left alone; its history stays. Repeating it changes nothing.",
        answers=(_CHANGED, _CONFLICT),
        refusals=_NAMED,
    ),
    Operation(
        method="post",
        path="/displays/{display}/restore",
        id="restoreDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Use a retired display again",
        text="With nothing bound to it. Repeating it changes nothing.",
        answers=(_CHANGED, _CONFLICT),
        refusals=_NAMED,
    ),
    Operation(
        method="post",
        path="/displays/{display}/resend",
        id="resendDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Send a display its face again",
        text="Although it was proven to show it: people see something else. It is wrong until that is proven anew.",
        answers=(Answer(202, "The display, as it is now.", DisplayDetail), _CONFLICT),
        refusals=_NAMED,
    ),
    Operation(
        method="post",
        path="/displays/{display}/blink",
        id="blinkDisplay",
        tag=DISPLAY_TAG,
        scopes=_WRITE,
        summary="Flash a display's light",
        text="So that staff find it. One that cannot be reached within a minute is given up.",
        body=requests.BlinkBody,
        body_needed=False,
        example={"seconds": 10},
        answers=(Answer(202, "It is asked for.", Blink, headers=_LOCATION), _CONFLICT),
        refusals=(*BODY, errors.NotFoundError),
    ),
    Operation(
        method="get",
        path="/displays/{display}/blinks/{blink}",
        id="getBlink",
        counts=False,
        tag=DISPLAY_TAG,
        scopes=_READ,
        summary="Ask what became of a blink",
        text="Waiting, flashed, failed, or expired.",
        answers=(Answer(200, "The blink.", Blink),),
        refusals=(*_NAMED, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/displays/{display}/history",
        id="getDisplayHistory",
        tag=EVIDENCE_TAG,
        scopes=_READ,
        summary="Read what a display went through",
        text="What it showed, was sent, had bound and reported, and who did what with it; the newest first.",
        query=requests.HistoryQuery,
        answers=(Answer(200, "One page of it.", Page[HistoryEntry]),),
        refusals=(*_NAMED, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/display-events",
        id="listDisplayEvents",
        tag=EVIDENCE_TAG,
        scopes=_READ,
        summary="List events of displays",
        text="Buttons that were pressed, phones that were held to displays, batteries that changed; the newest first.",
        query=requests.DisplayEventsQuery,
        answers=(Answer(200, "One page of them.", Page[DisplayEvent]),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="get",
        path="/displays/{display}/at",
        id="getDisplayAt",
        tag=EVIDENCE_TAG,
        scopes=_READ,
        summary="Ask what a display showed at a time",
        text=(
            "The face, when and at which level it was proven, by which update, and what caused that; what was bound. "
            "Where it is not known, it says why, and which faces it may have been. Without a time: now."
        ),
        query=requests.AtQuery,
        answers=(Answer(200, "What is known of it.", Evidence),),
        refusals=(*_NAMED, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/displays/{display}/at.png",
        id="seeDisplayAt",
        tag=EVIDENCE_TAG,
        scopes=_READ,
        summary="See what a display showed at a time",
        text="Not found, with the reason, where that is not known.",
        query=requests.AtQuery,
        answers=(Answer(200, "The label.", {"type": "string", "format": "binary"}, media="image/png"),),
        refusals=(*_NAMED, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/products/at",
        id="getProductAt",
        tag=EVIDENCE_TAG,
        scopes=_READ,
        summary="Ask what the shelf of a product showed at a time",
        text="The same of every display that the product was bound to at that time; at most 100 on a page.",
        query=requests.ProductAtQuery,
        answers=(Answer(200, "One page of them.", Page[Evidence]),),
        refusals=(errors.ValidationError,),
    ),
)
