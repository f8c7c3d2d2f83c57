// The part of the chat page that has to live in the browser: what the person writes stays here, with a key of its
// own, until the answer has come. Everything that is shown comes from the server.
"use strict";
window.hongxin = (() => {
  const AGAIN_FOR_MS = 10 * 60 * 1000; // after that an unanswered message is not sent again without being asked
  const SLOW_MS = 8000;
  const TABLE_BYTES_MAX = 5 * 1024 * 1024;
  const PICTURE_CHARS_MAX = 600000; // one message over the socket holds a million
  const root = document.documentElement;
  let words = {}, ticket = "", pending = null, sentAt = 0, slowTimer = 0, lost = false, watched = false;

  const find = (selector) => document.querySelector(selector);
  const kept = (storage, name, value) => {
    try {
      if (value === undefined) return storage.getItem(name);
      if (value === null) storage.removeItem(name); else storage.setItem(name, value);
    } catch (error) { /* a private window may refuse to store; the page works without */ }
    return null;
  };
  // Two tabs may be two people: what waits belongs to this tab and this person.
  const mine = (name) => "hongxin:" + name + ":" + (new URLSearchParams(location.search).get("as") || "");

  // ---- size of the text ----
  const setSize = (size) => {
    root.style.setProperty("--text", size + "px");
    root.classList.toggle("hx-large", size >= 24);
    kept(localStorage, "hongxin:size", String(size));
    markSize();
    stayAtEnd();
  };
  const size = () => Number(kept(localStorage, "hongxin:size")) || 18;
  const markSize = () => document.querySelectorAll("[data-size]").forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.size === root.style.getPropertyValue("--text").replace("px", ""))));

  // ---- notices ----
  const notice = (text) => { const place = find(".hx-notice"); if (place && place.textContent !== text) place.textContent = text; };

  // ---- sending ----
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const connected = () => Boolean(window.socket && window.socket.connected && window.did_handshake);
  const keep = () => kept(sessionStorage, mine("pending"), pending && JSON.stringify(pending));
  const waiting = (is) => {
    root.classList.toggle("hx-waiting", is);
    const input = find(".hx-input");
    if (input) input.readOnly = is && pending !== null && pending.kind === "text";
    if (is) stayAtEnd();
  };

  const send = (thing) => {
    if (!connected()) { notice(words.offline || ""); return; }
    if (pending) { if (Date.now() - sentAt > SLOW_MS) transmit(); return; } // one at a time, in order
    pending = { key: newKey(), at: Date.now(), ...thing };
    keep();
    transmit();
  };
  const transmit = () => {
    notice("");
    sentAt = Date.now();
    waiting(true);
    emitEvent("hongxin_did", pending);
    clearTimeout(slowTimer);
    slowTimer = setTimeout(() => { waiting(false); notice(words.slow); }, SLOW_MS);
  };
  const settled = (key) => {
    if (!pending || pending.key !== key) return null;
    const was = pending;
    pending = null;
    keep();
    clearTimeout(slowTimer);
    waiting(false);
    return was;
  };

  // ---- the input ----
  const grow = (input) => { input.style.height = "auto"; input.style.height = input.scrollHeight + 4 + "px"; };
  const write = (text) => {
    const input = find(".hx-input");
    input.value = text;
    grow(input);
    kept(sessionStorage, mine("draft"), text || null);
  };
  const submit = () => {
    const text = find(".hx-input").value.trim();
    if (text) send({ kind: "text", text });
  };

  // ---- pictures: made smaller here; that also leaves behind where and when they were taken ----
  const shrink = async (file) => {
    const bitmap = await createImageBitmap(file);
    for (let side = 1600; side >= 200; side = Math.floor(side * 0.7)) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      const context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const image = canvas.toDataURL("image/jpeg", 0.82).split(",")[1];
      if (image.length <= PICTURE_CHARS_MAX) return image;
    }
    throw new Error("too large");
  };
  const upload = async (file) => { // a table: too large for the socket, so it goes by a request of its own
    if (file.size > TABLE_BYTES_MAX) { notice(words.file_large); return; }
    waiting(true);
    try {
      const address = "/web/file/" + ticket + "?key=" + newKey() + "&name=" + encodeURIComponent(file.name);
      const answer = await fetch(address, { method: "POST", body: file });
      notice(answer.ok ? "" : answer.status === 413 ? words.file_large : words.file_failed);
    } catch (error) { notice(words.file_failed); }
    waiting(false);
  };
  const attach = async (input) => {
    const file = input.files && input.files[0];
    if (!file) return;
    if (!file.type.startsWith("image/")) { await upload(file); input.value = ""; return; }
    try { send({ kind: "image", image: await shrink(file) }); } catch (error) { notice(words.picture_bad); }
    input.value = "";
  };
  const locate = () => {
    if (!navigator.geolocation) { notice(words.location_denied); return; }
    notice(words.location_busy);
    navigator.geolocation.getCurrentPosition(
      (found) => send({ kind: "location", point: [found.coords.latitude, found.coords.longitude] }),
      () => notice(words.location_denied),
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  };

  // ---- the newest line is in sight; a long one from its beginning ----
  const stayAtEnd = () => requestAnimationFrame(() => {
    const log = find(".hx-log");
    if (!log) return;
    const lines = log.querySelectorAll("[role=log] > .hx-line");
    const last = lines[lines.length - 1];
    if (last && last.offsetHeight > log.clientHeight) log.scrollTop += last.getBoundingClientRect().top - log.getBoundingClientRect().top - 12;
    else log.scrollTop = log.scrollHeight;
  });

  const watch = () => {
    if (watched) return;
    watched = true;
    new MutationObserver(stayAtEnd).observe(find("[role=log]"), { childList: true });
    window.socket.on("disconnect", () => { lost = true; root.classList.remove("hx-ready"); waiting(false); notice(words.lost); });
    addEventListener("resize", stayAtEnd);
  };

  // ---- called by the server ----
  const ready = (given) => {
    words = given.words;
    ticket = given.ticket;
    root.classList.add("hx-ready");
    watch();
    markSize();
    stayAtEnd();
    if (lost) { lost = false; notice(words.restored); setTimeout(() => notice(""), 4000); }
    const input = find(".hx-input");
    if (!input.value) write(kept(sessionStorage, mine("draft")) || "");
    const left = pending || JSON.parse(kept(sessionStorage, mine("pending")) || "null");
    if (left && Date.now() - left.at < AGAIN_FOR_MS) {
      pending = left;
      if (left.kind === "text") write(left.text);
      transmit(); // with its old key: done already or done now, never twice
      return;
    }
    if (left) { pending = null; keep(); if (left.kind === "text") { write(left.text); notice(words.kept); } }
    const address = new URL(location.href);
    const start = address.searchParams.get("start");
    if (start) {
      address.searchParams.delete("start"); // a reload must not scan again
      history.replaceState(null, "", address);
      send({ kind: "scan", text: start });
    }
  };
  const done = ({ key }) => {
    const was = settled(key);
    if (was && was.kind === "text") write("");
    if (was) notice("");
  };
  const refused = ({ key, why }) => { settled(key); notice(why); };

  // ---- the person ----
  document.addEventListener("click", (event) => {
    const charted = event.target.closest("[data-live]"); // away from the server the link leads to the picture
    if (charted && connected() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      emitEvent("hongxin_live", { line: charted.dataset.live });
      return;
    }
    const choice = event.target.closest("[data-press], .hx-locate, [data-size]");
    if (!choice) return;
    if (choice.dataset.size) setSize(Number(choice.dataset.size));
    else if (choice.dataset.press) send({ kind: "button", text: choice.dataset.press });
    else locate();
  });
  document.addEventListener("submit", (event) => { if (event.target.closest(".hx-composer")) { event.preventDefault(); submit(); } });
  document.addEventListener("keydown", (event) => {
    // While Chinese is being composed, Enter only ends the composition.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing && event.target.closest(".hx-input")) {
      event.preventDefault();
      submit();
    }
  });
  document.addEventListener("input", (event) => {
    const input = event.target.closest(".hx-input");
    if (input) { grow(input); kept(sessionStorage, mine("draft"), input.value || null); }
  });
  document.addEventListener("change", (event) => { if (event.target.closest(".hx-file")) attach(event.target); });
  document.addEventListener("load", (event) => { if (event.target.closest && event.target.closest(".hx-picture")) stayAtEnd(); }, true);
  document.addEventListener("error", (event) => {
    const image = event.target;
    if (!image.closest || !image.closest(".hx-picture")) return;
    const frame = image.closest(".hx-picture"); // nothing to look at: say what it would have shown
    frame.classList.add("hx-unshown");
    image.hidden = true;
    frame.append(image.dataset.unseen + image.alt);
  }, true);
  document.addEventListener("toggle", (event) => { if (event.target.matches(".hx-demo")) stayAtEnd(); }, true);

  setSize(size());
  addEventListener("DOMContentLoaded", () => {
    // On a wide screen there is room for the demo strip beside the chat.
    const wide = matchMedia("(min-width: 1000px)");
    const open = () => { const demo = find(".hx-demo"); if (demo) demo.open = wide.matches; else setTimeout(open, 30); };
    if (wide.matches) open();
  });
  return { ready, done, refused, live: hongxinDialog.open };
})();
