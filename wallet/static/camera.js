// Scanning a QR code with the camera. The browser reads what the camera sees where it can; else single pictures go to the
// wallet, two a second at most, one after the other. What was found is sent as the page's own form, as if it were pasted.
"use strict";

const MILLISECONDS_BETWEEN_FRAMES = 500;
const WIDEST = 1024;

async function browserReader() {
  if (!window.BarcodeDetector) return null;
  const formats = await BarcodeDetector.getSupportedFormats();
  if (!formats.includes("qr_code")) return null;
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  return async (video) => (await detector.detect(video))[0]?.rawValue;
}

function walletReader(form) {
  const canvas = document.createElement("canvas");
  return async (video) => {
    const scale = Math.min(1, WIDEST / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const body = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });
    const headers = { "Content-Type": "image/jpeg", "X-CSRF-Token": form.elements.csrf.value, Accept: "application/json" };
    const answer = await fetch(form.dataset.frames, { method: "POST", body, headers, credentials: "same-origin" });
    // The wallet has locked itself meanwhile: its own page says so.
    const isPage = !(answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    if (isPage || answer.status === 403) location.reload();
    return answer.ok && !isPage ? (await answer.json()).text : undefined;
  };
}

function scanner(form) {
  const [video, start, stop, said] = ["camera", "scan", "scan-stop", "scanner-said"].map((id) => document.getElementById(id));
  let stream = null;
  let turn = 0;

  const off = (sentence) => {
    turn += 1;
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    const hadFocus = document.activeElement === stop;
    video.hidden = stop.hidden = true;
    start.hidden = start.disabled = false;
    if (sentence) said.textContent = sentence;
    if (hadFocus) start.focus();
  };

  const look = async (mine) => {
    const read = (await browserReader()) ?? walletReader(form);
    while (mine === turn) {
      const next = new Promise((done) => { setTimeout(done, MILLISECONDS_BETWEEN_FRAMES); });
      // A frame that could not be read, or sent, is followed by another.
      const text = video.videoWidth ? await read(video).catch(() => undefined) : undefined;
      if (mine === turn && text) {
        off(form.dataset.found);
        form.elements.scanned.value = text;
        form.submit();
        return;
      }
      await next;
    }
  };

  const faults = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none", OverconstrainedError: "none" };
  start.addEventListener("click", async () => {
    start.disabled = true;
    const mine = ++turn;
    try {
      const asked = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (mine !== turn) { // The person left, or stopped, while the browser asked.
        asked.getTracks().forEach((track) => track.stop());
        return;
      }
      stream = asked;
      video.srcObject = stream;
      video.hidden = stop.hidden = false;
      start.hidden = true;
      stop.focus();
      said.textContent = form.dataset.looking;
      await video.play();
      await look(mine);
    } catch (error) {
      if (mine === turn) off(form.dataset[faults[error.name] ?? "failed"]);
    }
  });
  stop.addEventListener("click", () => off(form.dataset.off));
  window.addEventListener("pagehide", () => off(""));
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) off(form.dataset.off); });
  form.hidden = false;
}

const scannerForm = document.getElementById("scanner");
if (scannerForm && window.isSecureContext && navigator.mediaDevices?.getUserMedia) scanner(scannerForm);
