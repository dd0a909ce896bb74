// What scripts add to pages that also work without them: copying, following what happens, counting, leaving by Escape,
// showing what is typed, a warning before sign-out.
"use strict";

function enableCopying(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(source.textContent.trim());
      document.getElementById(button.dataset.copy + "-said").textContent = button.dataset.copied;
    });
  }
}

// A selector that finds the focused element again after its part was replaced, so that nobody loses their place.
function whereFocusIs(part) {
  const focused = document.activeElement;
  if (!part.contains(focused)) return "";
  if (focused.id) return `#${CSS.escape(focused.id)}`;
  const href = focused.getAttribute("href");
  return href ? `a[href="${CSS.escape(href)}"]` : "";
}

// Of a long part only what it names is read aloud, into a place that stays: a table would be read from end to end.
function tell(part) {
  const said = document.getElementById(`${part.id}-said`);
  const told = part.querySelector("[data-told]");
  if (said && told) said.textContent = told.textContent.replace(/\s+/g, " ").trim();
}

// The server only says that something changed, at first too, since something may have happened before this page listened.
// The part is then fetched again as part of its own page: one fetch at a time, so that an older page never follows a newer.
// It is compared with what the server sent, not with what is shown: scripts have added to that.
function follow(part) {
  let shown = part.innerHTML;
  let isFetching = false;
  let isBehind = false;
  const refresh = async () => {
    isBehind = true;
    if (isFetching) return;
    isFetching = true;
    try {
      while (isBehind) {
        isBehind = false;
        await fetchAgain();
      }
    } finally {
      isFetching = false;
    }
  };
  const fetchAgain = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (!fresh) {
      location.reload();
      return;
    }
    const isLive = Boolean(fresh.dataset.live);
    if (fresh.innerHTML !== shown) {
      shown = fresh.innerHTML;
      const focused = whereFocusIs(part);
      part.replaceChildren(...fresh.childNodes);
      enableCopying(part);
      if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
      tell(part);
    }
    if (!isLive) stop();
  };
  const events = new EventSource(part.dataset.live);
  let polling = 0;
  const stop = () => {
    events.close();
    clearInterval(polling);
  };
  events.addEventListener("change", refresh);
  events.addEventListener("done", () => {
    stop();
    refresh();
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED && !polling) polling = setInterval(refresh, 5000);
  });
}

// A tick changes what the rest of a form says, and the server says it: the form is sent without a decision, and the parts
// marked `data-updates` are put in place. Fields and buttons stay, so that nobody's tick, focus or click is lost. One sending
// at a time, and once more for what was ticked meanwhile: two under way could reach the server in the wrong order.
function updateOnTick(form) {
  form.querySelectorAll("[data-without-script]").forEach((one) => { one.hidden = true; });
  let sending = new AbortController();
  let isSending = false;
  let isBehind = false;
  // The decision carries all ticks itself: nothing older may follow it.
  form.addEventListener("submit", () => {
    sending.abort();
    sending = new AbortController();
  });
  form.addEventListener("change", async (event) => {
    if (event.target.name !== form.dataset.update) return;
    isBehind = true;
    if (isSending) return;
    isSending = true;
    const { signal } = sending;
    let answer;
    let fresh;
    try {
      while (isBehind) {
        isBehind = false;
        const body = new URLSearchParams(new FormData(form));
        body.append("decision", "update");
        answer = await fetch(form.action, {
          method: "POST", body, headers: { Accept: "text/html" }, credentials: "same-origin", signal,
        });
        fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      }
    } catch {
      if (!signal.aborted) form.querySelectorAll("[data-without-script]").forEach((one) => { one.hidden = false; });
      return;
    } finally {
      isSending = false;
    }
    if (signal.aborted) return;
    if (!answer.ok || !fresh.getElementById(form.id)) {
      location.reload();
      return;
    }
    for (const part of document.querySelectorAll("[data-updates]")) {
      const now = fresh.getElementById(part.id);
      if (!now || now.innerHTML === part.innerHTML) continue;
      if (now.hasAttribute("aria-label")) part.setAttribute("aria-label", now.getAttribute("aria-label"));
      const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
      part.replaceChildren(...now.childNodes);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    }
    tell(form);
  });
}

// Escape leaves a page that asks for a decision (CS-01): to a page that only shows. Nothing is sent, and nothing is lost.
function leaveOnEscape(part) {
  document.addEventListener("keydown", (event) => {
    const isWithOther = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (event.key !== "Escape" || isWithOther || event.isComposing || event.defaultPrevented) return;
    location.assign(part.dataset.escape);
  });
}

// What is typed covered can be looked at before it is sent. It is covered again then, so that no browser keeps it as a text.
function showOnWish(box) {
  const field = document.getElementById(box.dataset.shows);
  const follow = () => { field.type = box.checked ? "text" : "password"; };
  box.parentElement.hidden = false;
  box.addEventListener("change", follow);
  field.form.addEventListener("submit", () => {
    box.checked = false;
    follow();
  });
}

function warnBeforeSignOut(warning) {
  const idleMilliseconds = Number(warning.dataset.idleSeconds) * 1000;
  let timer = 0;
  const start = () => {
    clearTimeout(timer);
    warning.hidden = true;
    timer = setTimeout(() => { warning.hidden = false; }, Math.max(idleMilliseconds - 90000, 5000));
  };
  document.getElementById("stay-signed-in").addEventListener("click", async () => {
    const answer = await fetch(warning.dataset.touch, { credentials: "same-origin" });
    if (answer.ok) start();
    else location.reload();
  });
  start();
}

document.querySelectorAll("[data-live]").forEach(follow);
enableCopying(document);
document.querySelectorAll("form[data-update]").forEach(updateOnTick);
document.querySelectorAll("[data-shows]").forEach(showOnWish);
document.querySelectorAll("[data-escape]").forEach(leaveOnEscape);
const warning = document.getElementById("session-warning");
if (warning) warnBeforeSignOut(warning);
