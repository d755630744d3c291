import json

import pytest
import urllib3

from cart.clients import CatalogClient, CatalogUnavailable
from cart.domain import Money, Offer
from chassis.clients import ServiceClient
from chassis.clients.client import transport

ROW = {
    "sku": "cup", "product_id": "p1", "slug": "cup", "title": "Cup", "attributes": {"colour": "red"},
    "image": {"alt": "A cup"}, "price": {"amount": 1200, "currency": "EUR"}, "availability": "low",
    "tax_class": "standard", "weight": 300,
}  # fmt: skip


def catalogue(answer):
    """Return a transport with this response, and the list that collects the requested URLs."""
    asked = []

    def send(method, url, **_):
        asked.append(url)
        status, body = answer(url) if callable(answer) else answer
        return status, {}, json.dumps(body).encode()

    return transport.override(send), asked


def test_a_row_of_the_catalogue_becomes_an_offer():
    wire, asked = catalogue((200, [ROW]))

    with wire:
        offers = CatalogClient(ServiceClient("catalog")).offers(["cup", "pot"])

    assert [url.split("/api/")[1] for url in asked] == ["catalog/internal/skus?sku=cup%2Cpot"]
    assert offers == {
        "cup": Offer("cup", "p1", "Cup", "cup", Money(1200), "low", {"alt": "A cup"}, {"colour": "red"})
    }


def test_many_skus_are_requested_in_urls_under_the_limit():
    wire, asked = catalogue((200, []))

    with wire:
        CatalogClient(ServiceClient("catalog")).offers([f"{n:064}" for n in range(200)])

    assert len(asked) == 4
    assert max(map(len, asked)) < 8000


def _broken(url):
    raise urllib3.exceptions.HTTPError


@pytest.mark.parametrize(
    "answer",
    [_broken, (503, {}), (500, {}), (403, {"type": "forbidden"}), (200, [{"sku": "cup"}]), (200, None)],
)
def test_an_unusable_response_means_that_the_catalogue_is_unavailable(answer):
    wire, _ = catalogue(answer)

    with wire, pytest.raises(CatalogUnavailable):
        CatalogClient(ServiceClient("catalog")).offers(["cup"])
