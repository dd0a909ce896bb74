"""Offers as wallets fetch them: by reference, and by a typed code (OpenID4VCI 1.0, section 4.1.3; DESIGN 4.4)."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from issuer.api.answers import NO_STORE, json_answer
from issuer.context import IssuerContext
from issuer.derivation import read_typeable_code
from issuer.offers import NoSuchOffer, Offer, credential_offer, offer_page
from service.rate_limits import FailureLimit, client_address


class OfferEndpoint:
    """`GET /offers/{reference}`: the offer object, for as long as the offer is open. Reading it marks it as
    opened; asking with HEAD, as programs do that preview links, does not.
    """

    def __init__(self, context: IssuerContext) -> None:
        self._context = context

    async def __call__(self, request: Request) -> Response:
        """Answer with the offer, always `application/json`, never signed; a person who opened the address in a browser
        is led to the page of the offer, and it stays as it is."""
        reference, issuer = request.path_params["reference"], self._context.issuer
        if request.headers.get("sec-fetch-dest") == "document":  # Of browsers alone: wallets may accept anything.
            page = offer_page(f"{issuer}/offers/{reference}", issuer=issuer)
            return RedirectResponse(page, status_code=303, headers=NO_STORE)
        store, now = self._context.store, self._context.clock()
        read = store.offers.peek_open_reference if request.method == "HEAD" else store.offers.open_reference
        offer = await store.database.run(read, reference, now=now)
        return offer_answer(self._context, offer)


class TypedCodeEndpoint:
    """`GET /{code}`.

    The offer that a person typed into a wallet as `host/CODE`. Unknown codes are limited per address.
    """

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._failures = FailureLimit(count=context.settings.failed_codes_per_minute)

    async def __call__(self, request: Request) -> Response:
        """Answer with the offer, or send a browser to the offer's page."""
        code = read_typeable_code(request.path_params["code"])
        if code is None:
            raise HTTPException(404)
        store, now, address = self._context.store, self._context.clock(), client_address(request)
        self._failures.check(address, now=now)
        try:
            offer = await store.database.run(store.offers.open_typed, code, now=now)
        except NoSuchOffer:
            self._failures.failed(address, now=now)
            raise
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(self._context.links_of(offer).offer_https, status_code=303, headers=NO_STORE)
        return offer_answer(self._context, offer)


def offer_answer(context: IssuerContext, offer: Offer) -> Response:
    """The offer object as a wallet reads it."""
    return json_answer(credential_offer(offer, issuer=context.issuer, secret=context.store.secret).as_json())
