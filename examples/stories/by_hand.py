"""A person at a browser, from a request that they cannot answer yet to the answer.

    holder = Holder(services, "Per", login="per")
    asked = ask(services, TEMPLATES / "unemployment-insurance.toml")
    lacking = holder.opens(asked["request"])     # what is missing
    holder.fetches()                             # by signing in at the source, and back to the very same request
    shared = holder.shares(asked["id"])

The provider where the person signs in is a real one (`examples/provider.py`), and so are all pages. The wallet is made
in the browser; the commands open the same one, since they know its passphrase.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from examples.browsing import Browser
from examples.services import Services
from examples.stories.telling import Shared, verdict

SIGN_IN_WORD = "a word to sign in with in a story"


def account(login: str, *, born: str, given_name: str, family_name: str) -> dict[str, str]:
    """What the provider knows of somebody who has an account there."""
    claims = {"birthdate": born, "given_name": given_name, "family_name": family_name}
    return {"sub": login, "password": SIGN_IN_WORD} | claims


@dataclass
class Holder:
    """Somebody with a wallet that is open in their browser, and an account at the provider."""

    services: Services
    person: str
    login: str
    browser: Browser = field(default_factory=Browser)

    def __post_init__(self) -> None:
        passphrase = (self.services.data / "passphrase").read_text().strip()
        self._passphrase = passphrase
        self.browser.opens(self.services.urls["wallet"])
        self.browser.presses("begin")
        self.browser.presses("create", name=self.person, passphrase=passphrase)

    def opens(self, link: str) -> list[str]:
        """Look at a request: says yes to who asks, and reads what the wallet lacks; nothing when it lacks nothing."""
        self.browser.opens(f"{self.services.urls['wallet']}/present?{urlsplit(link).query}")
        self.browser.presses("arrival-continue")
        self._reads_on()
        return self.browser.reads("//*[@id='lacking']//li/strong") if self.browser.has("lacking") else []

    def fetches(self, *, courses: Sequence[str] = ()) -> list[str]:
        """Fetch what is lacking: sign in at the source, tick the courses with these codes alone where there are any to
        choose from, say yes, and be back at the very same request. Returns what was there to choose from."""
        request = self._request()
        self.browser.presses("fetch-1-1")
        if self.browser.has("sign-in"):  # The provider may know this browser already.
            self.browser.presses("sign-in", username=self.login, password=SIGN_IN_WORD)
        there = self.browser.reads("//label[starts-with(@for, 'course-')]") if courses else []
        ticked = [self._tick_of(code) for code in courses]
        self.browser.presses("allow", **({"course": ticked} if courses else {}))
        assert self._request() == request, "back at the very same request"
        return there

    def _tick_of(self, code: str) -> str:
        (box,) = self.browser.values(f"//input[@name='course' and @id=//label[contains(., '{code}')]/@for]/@value")
        return box

    def reviews(self) -> str:
        """Everything that stands on the page before the decision, the real values among it."""
        self._reads_on()
        assert self.browser.has("decide-share")
        return " ".join(self.browser.reads("//main"))

    def shares(self, request_id: str, *, yes_to: str = "") -> Shared:
        """Decide and confirm; what the wallet says, and what the receiver knows. `yes_to` names the items that need a
        yes of their own, such as a failed grade."""
        own = f"//input[@name='yes' and @id=//label[contains(., '{yes_to}')]/@for]/@value"
        self.browser.presses("decide-share", **({"yes": self.browser.values(own)} if yes_to else {}))
        assert self.browser.has("passphrase"), "the share is confirmed with the passphrase"
        self.browser.presses("decide-share", passphrase=self._passphrase)
        (outcome,) = self.browser.values("//*[@id='outcome']/@data-outcome")
        return Shared(request_id, {"outcome": outcome}, verdict(self.services, request_id))

    def _reads_on(self) -> None:
        """A request for certain values is explained on a page of its own, before anything else."""
        if self.browser.has("step-read"):
            self.browser.presses("step-read")

    def _request(self) -> str:
        return self.browser.url.partition("?")[0].rpartition("/")[2]
