"""Accessibility of a page by axe-core: the rules of WCAG 2.2 AA, none broken."""

from typing import Any
from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_AXE = Axe()
_copies: WeakKeyDictionary[Browser, Page] = WeakKeyDictionary()
"""Where pages with JavaScript off are shown again, in each browser; closed with it."""
_SCRIPTS_ARE_OFF = """() => {
    const probe = document.createElement("div");
    probe.innerHTML = "<noscript><i></i></noscript>";
    return probe.querySelector("i") !== null;
}"""


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe objects to on the page as it is now, in whatever state it is.

    axe is a script: a page with JavaScript off is shown again, element by element the same, where scripts may run: in
    one further page for all that are looked at, since to open one takes longer than to look.
    """
    page.wait_for_load_state()  # The last click may still be bringing the page.
    if page.evaluate(_SCRIPTS_ARE_OFF):
        return _violations_of_copy(page)
    options = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = _AXE.run(page, options=options).response["violations"]
    return found


def assert_accessible(page: Page) -> None:
    """Fail with each broken rule, the element that breaks it and what would mend it."""
    lines = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n"
        + "\n".join(f"    {node['target']}  {node['html'][:160]}\n      {_why(node)}" for node in rule["nodes"])
        for rule in violations(page)
    ]
    assert not lines, f"{page.url}\n" + "\n".join(lines)


def _violations_of_copy(page: Page) -> list[dict[str, Any]]:
    browser = page.context.browser
    assert browser is not None
    copy = _copies.get(browser)
    if copy is None:
        copy = _copies[browser] = browser.new_context().new_page()
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    copy.emulate_media(color_scheme="dark" if is_dark else "light")
    if page.viewport_size is not None:
        copy.set_viewport_size(page.viewport_size)
    content = page.content().replace("<noscript>", "<div>").replace("</noscript>", "</div>")
    copy.route(page.url, lambda route: route.fulfill(body=content, content_type="text/html; charset=utf-8"))
    try:
        copy.goto(page.url)
        return violations(copy)
    finally:
        copy.unroute(page.url)
        copy.goto("about:blank")  # What follows events on the page follows them no longer.
        copy.context.clear_cookies()


def _why(node: dict[str, Any]) -> str:
    return "; ".join(item["message"] for kind in ("any", "all", "none") for item in node.get(kind, []))
