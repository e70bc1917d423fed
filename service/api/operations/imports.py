"""Imports of whole files."""

from service import errors
from service.api.operations.operation import BODY, Answer, Operation, Schema
from service.api.requests import ListQuery
from service.api.requests.imports import Finalize, ImportsQuery, NewImport
from service.core.scopes import Scope
from service.messages import Page
from service.messages.imports import Differences, Import

IMPORT_TAG = "Imports"
IMPORT = "01KAMW5T9E8Z3Q4R5S6T7V8W9Y"
_SCOPES = (Scope.PRODUCTS_WRITE,)
_MISSING = (errors.NotFoundError,)
_GONE = (errors.NotFoundError, errors.ConflictError, errors.SessionExpiredError)
_POLL = {"Retry-After": "Seconds to wait before asking again; absent unless the file is being read."}
_OPEN: Schema = {
    "id": IMPORT, "reference": "nightly", "mode": "merge", "dryRun": False, "status": "open", "reason": None,
    "upload": {"method": "PUT", "path": f"/api/v1/imports/{IMPORT}/file", "maxBytes": 268435456},
    "receivedBytes": 0, "totalBytes": None, "rowsRead": 0, "rowsAccepted": 0, "rowsRejected": 0, "detected": None,
    "sessionId": None, "summary": None, "startedAt": "2026-11-22T06:30:00.000Z",
    "expiresAt": "2026-11-23T06:30:00.000Z", "finalizedAt": None, "completedAt": None,
}  # fmt: skip
_SENT = _OPEN | {"receivedBytes": 81920, "totalBytes": 81920}
_READ = _SENT | {"status": "processing", "finalizedAt": "2026-11-22T06:30:05.000Z"}
_COUNTS = {
    "created": 3, "changed": 1, "unchanged": 6796, "stale": 0, "rejected": 1, "archived": 0, "onSale": 6800,
    "held": None,
}  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post",
        path="/imports",
        id="startImport",
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="Ask for the import of a file",
        text=(
            "CSV, NDJSON or XML, plain or gzip. The answer says where its bytes go to and how many there may be. What "
            "the body does not say of the file, its format, encoding, delimiter and decimal signs, is found out."
        ),
        body=NewImport,
        body_needed=False,
        example={"format": "shopify", "mode": "merge", "reference": "nightly"},
        answers=(Answer(201, "Its bytes may come.", Import, headers={"Location": "This import."}, example=_OPEN),),
        refusals=(*BODY, errors.ConflictError),
    ),
    Operation(
        method="get",
        path="/imports",
        id="listImports",
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="List imports",
        text="The newest first.",
        query=ImportsQuery,
        answers=(Answer(200, "Imports of the store.", Page[Import]),),
        refusals=(errors.ValidationError,),
    ),
    Operation(
        method="get",
        path="/imports/{importId}",
        id="getImport",
        counts=False,
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="Ask how an import stands",
        text="Once it is completed, `sessionId` is its batch, which goes on like any other.",
        answers=(Answer(200, "How it stands.", Import, headers=_POLL, example=_READ),),
        refusals=_MISSING,
    ),
    Operation(
        method="put",
        path="/imports/{importId}/file",
        id="uploadImport",
        counts=False,
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="Send the file, or a part of it",
        text=(
            "Without Content-Range the whole file, instead of whatever came before. With it a part, which begins where "
            "`receivedBytes` ends; 409 says where that is. What came before a connection broke is kept, so go on there."
        ),
        headers={
            "Content-Range": {
                "type": "string",
                "pattern": "^bytes [0-9]{1,15}-[0-9]{1,15}/([0-9]{1,15}|[*])$",
                "description": "Which bytes these are, as `bytes 1048576-2097151/5000000`, or `*` for the total.",
            }
        },
        body={"type": "string", "format": "binary"},
        media="application/octet-stream",
        answers=(Answer(200, "These bytes are kept.", Import, example=_SENT),),
        refusals=(errors.ValidationError, errors.TooLargeError, *_GONE),
    ),
    Operation(
        method="post",
        path="/imports/{importId}/finalize",
        id="finalizeImport",
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="Have the file read",
        text="All of it came. Repeating it gives the import as it stands. With `sha256`, other bytes are refused.",
        body=Finalize,
        body_needed=False,
        answers=(Answer(202, "It is being read.", Import, headers=_POLL, example=_READ),),
        refusals=(*BODY, *_GONE),
    ),
    Operation(
        method="post",
        path="/imports/{importId}/cancel",
        id="cancelImport",
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="Cancel an import",
        text="Nothing of the file is saved. One that is over cannot be cancelled: its batch goes on, and can.",
        answers=(Answer(200, "It is cancelled.", Import, example=_SENT | {"status": "cancelled"}),),
        refusals=_GONE,
    ),
    Operation(
        method="get",
        path="/imports/{importId}/differences",
        id="listImportDifferences",
        tag=IMPORT_TAG,
        scopes=_SCOPES,
        summary="What a dry run found",
        text=(
            "`summary` counts what would become of all products, and says whether a guard would hold the batch; `data` "
            "is the first 1,000 that would be created or changed, field by field. Both are there once it is completed."
        ),
        query=ListQuery,
        answers=(
            Answer(
                200,
                "The first products that would change.",
                Differences,
                example={
                    "data": [
                        {
                            "barcode": "3850123456782",
                            "number": 2,
                            "kind": "changed",
                            "fields": {"price": {"before": "1.99", "after": "1.49"}},
                        }
                    ],
                    "meta": {"page": 1, "perPage": 100, "count": 1, "total": None, "next": None},
                    "summary": _COUNTS,
                },
            ),
        ),
        refusals=(errors.ValidationError, errors.NotFoundError, errors.ConflictError),
    ),
)
