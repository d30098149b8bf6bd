"""The interface for programs: its addresses, and what each does."""

from typing import Any

import fastapi_offline
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.drift import Drift
from weldbench.deploy.drift_reference import Reference
from weldbench.deploy.judge import uses_int8
from weldbench.deploy.novelty import Novelty
from weldbench.deploy.promise import CONDITIONS
from weldbench.deploy.serve.answers import BatchAnswer, FrameAnswer, ModelAnswer, Problem, PromiseAnswer
from weldbench.deploy.serve.limits import RETRY_AFTER_SECONDS, Gate, Limits
from weldbench.deploy.serve.metrics import Metrics
from weldbench.deploy.serve.page import page
from weldbench.deploy.serve.pictures import MANY_PICTURES, ONE_PICTURE, many_pictures, one_picture
from weldbench.deploy.serve.pool import JudgePool
from weldbench.deploy.serve.verdicts import Answering
from weldbench.errors import BadFrameError

_REFUSALS = {
    400: "The form is malformed.",
    401: "The token is missing or wrong.",
    408: "The request came too slowly.",
    413: "The request is too large.",
    415: "This is not the type that is read here.",
    422: "A picture, or a parameter, cannot be read.",
    503: "Too much is waiting; the header Retry-After says when to send it again.",
}


def create_app(bundle: Bundle, rule: Rule, pool: JudgePool, limits: Limits, token: str | None) -> FastAPI:
    """Build the server's app.

    Args:
        bundle: The export that decides.
        rule: How it decides.
        pool: Judges of that export.
        limits: Of requests.
        token: That clients must send; None for none.
    """
    metrics = Metrics()
    app: FastAPI = fastapi_offline.FastAPIOffline(
        redoc_url=None,
        title=f"weldbench: {bundle.model} of {bundle.dataset}",
        description="Send frames of a weld camera, get decisions.",
        version="1",
        swagger_ui_parameters={"validatorUrl": None},  # else Swagger UI asks an address outside
    )
    app.add_middleware(Gate, limits=limits, token=token, metrics=metrics, abandoned=lambda: pool.abandoned)
    app.add_exception_handler(BadFrameError, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TimeoutError, _busy)
    # The gate checks the token; here it is only described.
    described = [Depends(HTTPBearer(auto_error=False))] if token else []
    app.include_router(_interface(bundle, rule, pool, limits, metrics), dependencies=described)
    app.include_router(_operation(metrics))
    app.include_router(page)
    return app


def conditions(limits: Limits) -> str:
    """Say under which conditions a promise holds here."""
    return f"{CONDITIONS} The frames of a weld have to be sent as one batch, of at most {limits.batch_frames}."


def _interface(bundle: Bundle, rule: Rule, pool: JudgePool, limits: Limits, metrics: Metrics) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["frames"])
    novelty = Novelty.of(bundle, uses_int8(bundle, rule))
    reference = Reference.of(bundle, uses_int8(bundle, rule))
    answering = Answering(limits, metrics, Drift(reference, bundle.classes) if reference else None)
    described = ModelAnswer(
        model=bundle.model,
        dataset=bundle.dataset,
        classes=list(bundle.classes),
        good_class=bundle.good_class,
        false_rejects=rule.false_rejects,
        threshold=rule.threshold,
        vote_frames=rule.vote_frames,
        promise=_promise(rule, limits),
        temperature=bundle.temperature,
        novelty_threshold=novelty.threshold if novelty else None,
        drift=bundle.drift,
        drift_changed=False,
        frame_size_px=bundle.frame_size_px,
        input_size_px=bundle.input_size_px,
        lineage=dict(bundle.lineage),
        limits=vars(limits),
    )

    @router.post(
        "/predict",
        openapi_extra={"requestBody": ONE_PICTURE},
        responses=_refused(400, 401, 408, 413, 422, 503),
        summary="Judge one frame",
    )
    async def predict(request: Request, view: bool = False) -> FrameAnswer:
        """Send a picture as the body, or as a file of a form. `view=true` also returns the frame and its heat map."""
        picture = await one_picture(request)
        return await pool.run(lambda judge: answering.one(judge, picture, view), limits.answer_seconds)

    @router.post(
        "/predict/batch",
        openapi_extra={"requestBody": MANY_PICTURES},
        responses=_refused(400, 401, 408, 413, 415, 503),
        summary="Judge the frames of one run",
    )
    async def predict_batch(request: Request) -> BatchAnswer:
        """Send pictures as the files of a form, in filming order: each gets a verdict or an error, and they vote."""
        pictures = await many_pictures(request, limits)
        return await pool.run(lambda judge: answering.batch(judge, pictures), limits.answer_seconds)

    @router.get("/model", responses=_refused(401), summary="Which model decides, and how")
    async def model() -> ModelAnswer:
        told, changed = answering.drift_told()
        return described.model_copy(update={"drift": told or bundle.drift, "drift_changed": changed})

    return router


def _promise(rule: Rule, limits: Limits) -> PromiseAnswer | None:
    if rule.promise is None:
        return None
    said = {"sentences": rule.promise.sentences, "conditions": conditions(limits)}
    return PromiseAnswer.model_validate(rule.promise.described() | said)


def _operation(metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", response_class=PlainTextResponse, summary="Is the server alive?")
    async def healthz() -> str:
        return "alive\n"

    @router.get("/readyz", response_class=PlainTextResponse, summary="Are the models loaded?")
    async def readyz() -> str:
        # They are loaded before the server listens.
        return "ready\n"

    @router.get("/metrics", response_class=PlainTextResponse, responses=_refused(401), summary="For Prometheus")
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _refused(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": _REFUSALS[status]} for status in statuses}


def _unreadable(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 422)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"detail": f"{first['loc'][-1]}: {first['msg']}"}, 422)


def _busy(_: Request, error: Exception) -> Response:
    said = "this took too long; send it again later, or fewer frames at once"
    return JSONResponse({"detail": said}, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})
