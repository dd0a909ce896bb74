"""Every page behind the login has its door, every form its token: the tests run over the table of routes."""

import re

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from issuer.pages import page_routers
from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import Registrar

OPEN_TO_ALL = {
    "/sign-in",
    "/setup",
    "/sign-out",
    "/offer",
    "/wallet-address",
    # A person who fetches has no account here: the pages belong to the browser that opened the request.
    "/authorize",
    "/authorize/callback",
    "/authorize/nobody",
    "/authorize/nobody/done",
    # Whoever ends a power signs in at the provider; without that, these pages lead to that sign-in.
    "/powers",
    "/powers/nobody/end",
}


def routes(method: str) -> list[str]:
    """The paths of all pages that answer to a method, with something in place of their identifiers."""
    found = []
    for router in page_routers():
        assert isinstance(router, APIRouter)
        for route in router.routes:
            if isinstance(route, APIRoute) and method in (route.methods or ()):
                found.append(re.sub(r"\{[^}]+\}", "nobody", route.path))
    return found


def test_the_table_of_routes_is_read() -> None:
    """An empty table would make the other tests true of nothing."""
    assert len(routes("GET")) >= 12
    assert len(routes("POST")) >= 12


@pytest.mark.parametrize("path", sorted(set(routes("GET")) - OPEN_TO_ALL))
def test_pages_of_staff_are_closed_to_everybody_else(desk: Desk, path: str) -> None:
    """Somebody without a session is sent to sign in, and told nothing of what is there."""
    answer = desk.client.get(desk.url(path), headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/uni/sign-in")


@pytest.mark.parametrize("path", sorted(routes("POST")))
@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_no_form_works_without_its_token(still: Registrar, path: str, token: str | None) -> None:
    """Another website cannot send our forms for somebody who is signed in."""
    data = {} if token is None else {"csrf": token}
    desk = still.desk
    answer = desk.client.post(desk.url(path), data=data, headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 403, answer.text
    assert desk.context.store.offers.list_offers(now=desk.clock()) == []


@pytest.mark.parametrize("path", sorted(routes("POST")))
def test_no_form_works_from_another_site(still: Registrar, path: str) -> None:
    """Not even with the right token."""
    still.visit("/import")
    token = still.page.xpath("//input[@name='csrf']/@value")[0]
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
    desk = still.desk
    assert desk.client.post(desk.url(path), data={"csrf": token}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "path", sorted(path for path in routes("GET") if "nobody" in path and not path.startswith("/powers"))
)
def test_what_is_not_there_is_not_found(registrar: Registrar, path: str) -> None:
    """A guess at somebody else's identifier gives a page that says so, in plain words."""
    if path.endswith("/events"):
        return  # a stream that ends at once
    assert registrar.visit(path).status == 404


@pytest.mark.parametrize("path", sorted(path for path in routes("POST") if "nobody" in path))
def test_nothing_can_be_done_to_what_is_not_there(registrar: Registrar, path: str) -> None:
    """And nothing breaks."""
    registrar.visit("/import")
    registrar.send(path, results="nobody", type="micro-credential", tx_code="no", once="x", decision="revoke")
    assert registrar.status in (200, 404)


def test_a_session_that_has_ended_leads_back_to_the_page(registrar: Registrar) -> None:
    """Nothing of what was read is lost: the file waits for whoever signs in again in time, the results are kept."""
    import_id = registrar.keep_record()
    registrar.desk.clock.advance(minutes=30)
    registrar.visit(f"/results/{import_id}")
    assert registrar.at.startswith("/sign-in?next=")
    registrar.press("sign-in", login="registrator", password="a long and quiet password")
    assert registrar.at == f"/results/{import_id}"


def test_a_form_sent_after_the_session_ended_does_nothing(registrar: Registrar) -> None:
    """The token belongs to the session that is over."""
    registrar.keep_record()
    chosen = registrar.page.get_element_by_id("choose-1").get("value")
    registrar.press("show-preview", result=[chosen], type="micro-credential", tx_code="no")
    registrar.desk.clock.advance(minutes=30)
    registrar.press("make-offers")
    assert registrar.desk.context.store.offers.list_offers(now=registrar.desk.clock()) == []
    assert registrar.status in (200, 403)
