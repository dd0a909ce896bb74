// Passkeys: ask the device, put its answer into the page's own form, and send that. Nothing is kept here.
"use strict";

function toBytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// What the server asks for is JSON; the browser wants bytes in some places.
function read(asked) {
  const options = { ...asked, challenge: toBytes(asked.challenge) };
  if (asked.user) options.user = { ...asked.user, id: toBytes(asked.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (asked[list]) options[list] = asked[list].map((one) => ({ ...one, id: toBytes(one.id) }));
  }
  if (asked.extensions) options.extensions = { prf: { eval: { first: toBytes(asked.extensions.prf.eval.first) } } };
  return options;
}

function answerOf(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });
}

async function made(options) {
  const credential = await navigator.credentials.create({ publicKey: options });
  const prf = credential.getClientExtensionResults().prf;
  let output = prf?.results?.first;
  if (prf?.enabled && !output) {
    // Most devices tell only when they sign what their function gives.
    const { challenge, extensions, timeout } = options;
    const allowCredentials = [{ type: "public-key", id: credential.rawId }];
    const publicKey = { challenge, extensions, timeout, allowCredentials, rpId: options.rp.id, userVerification: "required" };
    const signed = await navigator.credentials.get({ publicKey });
    output = signed.getClientExtensionResults().prf?.results?.first;
  }
  if (!output) {
    // It will not be kept here: let the device forget it, where the browser can say so.
    await PublicKeyCredential.signalUnknownCredential?.({ rpId: options.rp.id, credentialId: credential.id });
  }
  return [credential, output];
}

async function signed(options) {
  const credential = await navigator.credentials.get({ publicKey: options });
  return [credential, credential.getClientExtensionResults().prf?.results?.first];
}

async function askedFor(form) {
  return form.dataset.asked ? JSON.parse(form.dataset.asked) : fetched(form.dataset.askedAt);
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error("not asked");
  return answer.json();
}

function ready(form) {
  const said = document.getElementById("passkey-said");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "";
    button.disabled = true;
    try {
      const options = read(await askedFor(form));
      const [credential, output] = form.dataset.passkey === "create" ? await made(options) : await signed(options);
      form.elements.answer.value = answerOf(credential);
      if (form.elements.prf) form.elements.prf.value = output ? toText(output) : "";
      const name = document.getElementById("name");
      if (form.dataset.passkey === "get" && form.elements.name && name) form.elements.name.value = name.value;
      form.submit();
    } catch (error) {
      said.textContent = error.name === "InvalidStateError" && form.dataset.known ? form.dataset.known : form.dataset.stopped;
      button.disabled = false;
      button.focus();
    }
  });
}

// A passkey in place of the passphrase of a decision. It decides nothing: that is for the buttons of the form.
function confirming(button) {
  const form = button.form;
  const said = document.getElementById("passkey-said");
  button.hidden = false;
  button.addEventListener("click", async () => {
    said.textContent = "";
    button.disabled = true;
    try {
      const credential = await navigator.credentials.get({ publicKey: read(await fetched(button.dataset.confirmAt)) });
      form.elements.answer.value = answerOf(credential);
      form.elements.passphrase.required = false;
      said.textContent = button.dataset.confirmed;
    } catch {
      said.textContent = button.dataset.stopped;
    }
    button.disabled = false;
    button.focus();
  });
}

const canUsePasskeys = window.isSecureContext && window.PublicKeyCredential && navigator.credentials;
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (canUsePasskeys) ready(form);
  else document.getElementById("passkey-unsupported")?.removeAttribute("hidden");
}
if (canUsePasskeys) document.querySelectorAll("[data-confirm-at]").forEach(confirming);
