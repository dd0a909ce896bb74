// The Digital Credentials API, where the browser has it: the page asks, the browser lets the person choose a wallet, and
// the answer goes back to the page that asked. Without it, or without scripts, the links and the QR code are all there is.
"use strict";
(() => {
  const place = document.getElementById("digital");
  if (!place || !("DigitalCredential" in window) || !navigator.credentials) return;
  if (window.DigitalCredential.userAgentAllowsProtocol?.(place.dataset.protocol) === false) return;
  const button = document.getElementById("digital-share");
  const said = document.getElementById("digital-said");

  async function post(address, members) {
    const body = members === undefined ? undefined : JSON.stringify(members);
    const headers = { Accept: "application/json", "Content-Type": "application/json" };
    const answer = await fetch(address, { method: "POST", body, headers });
    // An answer that did not hold is told on the page itself, as one that came by a link.
    if (!answer.ok && answer.status !== 400) throw new Error(String(answer.status));
    return answer.json();
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "";
    try {
      const asked = await post(place.dataset.begin);
      const requests = [{ protocol: asked.protocol, data: asked.data }];
      const given = await navigator.credentials.get({ mediation: "required", digital: { requests } });
      await post(asked.answer, { protocol: given.protocol, data: given.data });
      window.location.reload();
    } catch {
      said.textContent = place.dataset.failed;
      button.disabled = false;
    }
  });
  place.hidden = false;
})();
