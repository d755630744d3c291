"""Views of one's own account."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers
from accounts.container import dependencies
from chassis.api.pagination import bad_cursor, decode_cursor, encode_cursor, page, page_only
from chassis.api.views import View
from chassis.couch.codec import converter
from chassis.identity import SignedIn

from . import responses

PAGE = [OpenApiParameter("limit", int), OpenApiParameter("cursor", str)]


class Me(View):
    """GET, PATCH /me."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.UserResponse)
    def get(self, request: Request) -> Response:
        """Return my account."""
        return responses.private(responses.user(dependencies().profile.me(responses.account_id(request))))

    @extend_schema(request=serializers.Profile, responses=serializers.UserResponse)
    def patch(self, request: Request) -> Response:
        """Change my name."""
        body = serializers.Profile.of(request, partial=True)
        profile = dependencies().profile
        account = (
            profile.rename(responses.account_id(request), **body)
            if body
            else profile.me(responses.account_id(request))
        )
        return responses.private(responses.user(account))


class Addresses(View):
    """GET, POST /me/addresses."""

    permission_classes = [SignedIn]

    @extend_schema(parameters=PAGE, responses=serializers.AddressList, operation_id="me_addresses_list")
    def get(self, request: Request) -> Response:
        """List my addresses."""
        limit, cursor = page_only(request)
        after = decode_cursor(cursor, str)
        book = dependencies().profile.me(responses.account_id(request)).addresses
        start = 0 if after is None else _start_after(after[0], [one.id for one in book])
        shown = book[start : start + limit]
        following = encode_cursor(shown[-1].id) if start + limit < len(book) else None
        return responses.private(page([responses.address(one) for one in shown], following))

    @extend_schema(request=serializers.Address, responses={201: serializers.AddressResponse})
    def post(self, request: Request) -> Response:
        """Add an address; 20 at most."""
        made = dependencies().profile.add_address(
            responses.account_id(request), serializers.Address.of(request)
        )
        return responses.private(responses.address(made), 201)


def _start_after(id: str, ids: list[str]) -> int:
    """Return the start of the next page; 400 for an address that is not in the book."""
    if id not in ids:
        raise bad_cursor()
    return ids.index(id) + 1


class AddressDetail(View):
    """GET, PUT, DELETE /me/addresses/{id}."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.AddressResponse)
    def get(self, request: Request, address_id: str) -> Response:
        """Return one of my addresses; 404 for others."""
        return responses.private(
            responses.address(dependencies().profile.address(responses.account_id(request), address_id))
        )

    @extend_schema(request=serializers.Address, responses=serializers.AddressResponse)
    def put(self, request: Request, address_id: str) -> Response:
        """Replace the address."""
        fields = serializers.Address.of(request)
        return responses.private(
            responses.address(
                dependencies().profile.replace_address(responses.account_id(request), address_id, fields)
            )
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, address_id: str) -> Response:
        """Remove the address."""
        dependencies().profile.remove_address(responses.account_id(request), address_id)
        return responses.no_content()


class Export(View):
    """GET /me/export."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.Export)
    def get(self, request: Request) -> Response:
        """Return everything that this service stores about me."""
        return responses.private(
            {"account": converter.unstructure(dependencies().profile.export(responses.account_id(request)))}
        )


class Erase(View):
    """POST /me/erase."""

    permission_classes = [SignedIn]

    @extend_schema(request=serializers.Password, responses={204: None})
    def post(self, request: Request) -> Response:
        """Erase my account. My orders stay, without my name."""
        dependencies().profile.erase(responses.account_id(request), **serializers.Password.of(request))
        return responses.no_content()
