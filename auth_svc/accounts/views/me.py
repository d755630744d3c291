"""What a person may see and do with their own account."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers
from accounts.wiring import parts
from chassis.api.pagination import bad_cursor, decode_cursor, encode_cursor, page, page_only
from chassis.api.views import View
from chassis.couch.codec import converter
from chassis.identity import SignedIn

from . import answers

PAGE = [OpenApiParameter("limit", int), OpenApiParameter("cursor", str)]


class Me(View):
    """GET, PATCH /me"""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.UserAnswer)
    def get(self, request: Request) -> Response:
        """My account."""
        return answers.private(answers.user(parts().profile.me(answers.account_id(request))))

    @extend_schema(request=serializers.Profile, responses=serializers.UserAnswer)
    def patch(self, request: Request) -> Response:
        """Change my name."""
        body = serializers.Profile.of(request, partial=True)
        profile = parts().profile
        account = (
            profile.rename(answers.account_id(request), **body)
            if body
            else profile.me(answers.account_id(request))
        )
        return answers.private(answers.user(account))


class Addresses(View):
    """GET, POST /me/addresses"""

    permission_classes = [SignedIn]

    @extend_schema(parameters=PAGE, responses=serializers.AddressList, operation_id="me_addresses_list")
    def get(self, request: Request) -> Response:
        """My address book."""
        limit, cursor = page_only(request)
        after = decode_cursor(cursor, str)
        book = parts().profile.me(answers.account_id(request)).addresses
        start = 0 if after is None else _place_after(after[0], [one.id for one in book])
        shown = book[start : start + limit]
        following = encode_cursor(shown[-1].id) if start + limit < len(book) else None
        return answers.private(page([answers.address(one) for one in shown], following))

    @extend_schema(request=serializers.Address, responses={201: serializers.AddressAnswer})
    def post(self, request: Request) -> Response:
        """Add an address; 20 at most."""
        made = parts().profile.add_address(answers.account_id(request), serializers.Address.of(request))
        return answers.private(answers.address(made), 201)


def _place_after(id: str, ids: list[str]) -> int:
    """Where the next page begins; 400 for an address that is not (or no longer) in the book."""
    if id not in ids:
        raise bad_cursor()
    return ids.index(id) + 1


class OneAddress(View):
    """GET, PUT, DELETE /me/addresses/{id}"""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.AddressAnswer)
    def get(self, request: Request, address_id: str) -> Response:
        """One address of mine; 404 for anybody else's."""
        return answers.private(
            answers.address(parts().profile.address(answers.account_id(request), address_id))
        )

    @extend_schema(request=serializers.Address, responses=serializers.AddressAnswer)
    def put(self, request: Request, address_id: str) -> Response:
        """Replace it."""
        fields = serializers.Address.of(request)
        return answers.private(
            answers.address(parts().profile.replace_address(answers.account_id(request), address_id, fields))
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, address_id: str) -> Response:
        """Remove it."""
        parts().profile.remove_address(answers.account_id(request), address_id)
        return answers.nothing()


class Export(View):
    """GET /me/export"""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.Export)
    def get(self, request: Request) -> Response:
        """Everything that this service holds about me."""
        return answers.private(
            {"account": converter.unstructure(parts().profile.export(answers.account_id(request)))}
        )


class Erase(View):
    """POST /me/erase"""

    permission_classes = [SignedIn]

    @extend_schema(request=serializers.Password, responses={204: None})
    def post(self, request: Request) -> Response:
        """Forget me. My orders stay, without my name."""
        parts().profile.erase(answers.account_id(request), **serializers.Password.of(request))
        return answers.nothing()
