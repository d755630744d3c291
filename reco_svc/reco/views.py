"""The HTTP API of recommendations and trainings."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import Conflict
from chassis.api.pagination import page, page_only
from chassis.api.views import View
from chassis.identity.permissions import ByMethod, Public, Staff
from reco import serializers
from reco.container import dependencies
from reco.services.recommendations import RecommendationList, Recommendations, Suggestion

LIMIT = OpenApiParameter("limit", int, description="1 to 100; 12 by default.")


class ListView(View):
    """Base of the four list views: a limit, fresh state, one response format."""

    permission_classes = [Public]

    def recommendations(self) -> Recommendations:
        serving_state = dependencies().serving_state
        serving_state.wake()
        serving_state.recent_events.wake()
        return dependencies().recommendations

    @staticmethod
    def query(
        request: Request, serializer: type[serializers.ListQuery] = serializers.ListQuery
    ) -> dict[str, Any]:
        return serializer.of(request)

    @staticmethod
    def answer(answer: RecommendationList) -> Response:
        trained_at = answer.trained_at
        return Response(
            {
                "results": [_suggestion(one) for one in answer.results],
                "model": {
                    "version": answer.version,
                    "algorithm": answer.algorithm,
                    "trained_at": trained_at.isoformat().replace("+00:00", "Z") if trained_at else None,
                },
            }
        )


def _suggestion(one: Suggestion) -> dict[str, Any]:
    because = one.because
    about = {"product_id": because.product_id, "title": because.title} if because.product_id else {}
    return {
        "product_id": one.product_id,
        "score": one.score,
        "reason": because.sentence,
        "because": {"kind": because.kind, **about},
    }


def _people(request: Request) -> list[str]:
    """Return who asks: the account, then the session."""
    session = request.headers.get("X-Session-Id", "")[:128]
    people = [f"session:{session}"] if session else []
    if request.user.kind == "user":
        people.insert(0, f"user:{request.user.id}")
    return people


class SimilarView(ListView):
    @extend_schema(parameters=[LIMIT], responses=serializers.ListOut)
    def get(self, request: Request, product_id: str) -> Response:
        """List products that go well with a product."""
        limit = self.query(request)["limit"]
        return self.answer(self.recommendations().similar(product_id, limit=limit))


class TogetherView(ListView):
    @extend_schema(
        parameters=[
            LIMIT,
            OpenApiParameter("ids", str, required=True, description="Product ids, by commas."),
        ],
        responses=serializers.ListOut,
    )
    def get(self, request: Request) -> Response:
        """List products that go with this basket."""
        query = self.query(request, serializers.TogetherQuery)
        return self.answer(self.recommendations().together(query["ids"], limit=query["limit"]))


class ForYouView(ListView):
    @extend_schema(
        parameters=[LIMIT, OpenApiParameter("X-Session-Id", str, OpenApiParameter.HEADER)],
        responses=serializers.ListOut,
    )
    def get(self, request: Request) -> Response:
        """List personal recommendations by account or session; trending products without a history."""
        limit = self.query(request)["limit"]
        return self.answer(self.recommendations().for_you(_people(request), limit=limit))

    @extend_schema(
        request=None,
        parameters=[OpenApiParameter("X-Session-Id", str, OpenApiParameter.HEADER)],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Forget the history behind the personal lists of the account and the session."""
        dependencies().erasure.people_forget(_people(request))
        return Response(status=204)


class TrendingView(ListView):
    @extend_schema(
        parameters=[LIMIT, OpenApiParameter("category", str, description="Slug.")],
        responses=serializers.ListOut,
    )
    def get(self, request: Request) -> Response:
        """List trending products of one category or of all."""
        query = self.query(request, serializers.TrendingQuery)
        found = self.recommendations().trending(category=query.get("category"), limit=query["limit"])
        return self.answer(found)


class TrainingsView(View):
    permission_classes = [ByMethod(GET=Staff("reco.training.read"), POST=Staff("reco.training.write"))]

    @extend_schema(responses=serializers.TrainingPageOut)
    def get(self, request: Request) -> Response:
        """List trainings, the newest first."""
        limit, cursor = page_only(request)
        found = dependencies().trainings.training_list(limit=limit, cursor=cursor)
        return Response(page(serializers.TrainingOut(found.items, many=True).data, found.next))

    @extend_schema(request=serializers.TrainingIn, responses={202: serializers.TrainingOut})
    def post(self, request: Request) -> Response:
        """Start a training, or return the one that is open."""
        serializers.TrainingIn.of(request)
        training = dependencies().trainings.training_request(requested_by=request.user.id)
        return Response(serializers.TrainingOut(training).data, status=202)


class TrainingView(View):
    permission_classes = [Staff("reco.training.read")]

    @extend_schema(responses=serializers.TrainingOut)
    def get(self, request: Request, training_id: str) -> Response:
        """Return the progress of a training, then its quality."""
        return Response(serializers.TrainingOut(dependencies().trainings.training_get(training_id)).data)


class CancelView(View):
    permission_classes = [Staff("reco.training.write")]

    @extend_schema(request=serializers.TrainingIn, responses=serializers.TrainingOut)
    def post(self, request: Request, training_id: str) -> Response:
        """Cancel a training that is queued or running; 409 if it has ended."""
        serializers.TrainingIn.of(request)
        try:
            training = dependencies().trainings.training_cancel(training_id)
        except ValueError as error:
            raise Conflict(str(error)) from error
        return Response(serializers.TrainingOut(training).data)
