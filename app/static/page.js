// Comfort for those with JavaScript; everything else works without. Nothing is sent anywhere: draft and versions stay in
// this browser, and an idea in an address stands behind its # sign, which browsers never send.
"use strict";
(() => {
  const DRAFT = "originality.draft";
  const VERSIONS = "originality.versions";
  const MOST_VERSIONS = 20;
  const MOST_KEPT = 20000;
  const MOST_IN_LINK = 6000;
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const field = form.elements.namedItem("text");
  const count = form.querySelector("[data-count]");
  const forget = form.querySelector("[data-forget]");
  const link = form.querySelector("[data-link]");
  const submit = form.querySelector("[type=submit]");
  const told = form.querySelector("[data-told]");
  // Made when first needed: the data of both take longer to load than all else here. Most scripts set words apart.
  let words, written;
  const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
  const counted = (text) => {
    if (!UNSPACED.test(text)) return (text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’.,-]*/gu) || []).length;
    words ??= new Intl.Segmenter(undefined, { granularity: "word" });
    return [...words.segment(text)].filter((s) => s.isWordLike).length;
  };
  const write = (number) => {
    if (number < 1000) return String(number);
    written ??= new Intl.NumberFormat(document.documentElement.lang);
    return written.format(number);
  };

  // A browser may forbid storage, or its quota may be spent: then nothing is kept, and nobody is bothered.
  const store = {
    get: (key) => { try { return localStorage.getItem(key) || ""; } catch { return ""; } },
    set: (key, text) => { try { text.trim() ? localStorage.setItem(key, text) : localStorage.removeItem(key); } catch { /* not kept */ } },
  };

  const tell = () => {
    // Segmenting a book at each key would stutter; past some pages an estimate does.
    const text = field.value;
    const number = !text ? 0 : text.length > 20000 ? text.split(/\s+/).filter(Boolean).length : counted(text);
    count.textContent = (number === 1 ? form.dataset.one : form.dataset.many).replace("#", write(number));
    count.hidden = false;
    forget.hidden = !text && !store.get(DRAFT);
    link.hidden = !text.trim();
  };
  const grow = () => {
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  };
  const put = (text, note) => {
    field.value = text;
    store.set(DRAFT, text);
    tell();
    grow();
    told.textContent = note;
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  };

  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { store.set(DRAFT, field.value); tell(); }, 250);
    told.textContent = "";
    grow();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  forget.addEventListener("click", () => put("", ""));
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    store.set(DRAFT, field.value);
    submit.dataset.label = submit.textContent;
    submit.textContent = form.dataset.busy;
    submit.setAttribute("aria-disabled", "true");
  });
  // Coming back by the back button shows the page as it was left: with its button still busy.
  addEventListener("pageshow", () => {
    if (submit.dataset.label) submit.textContent = submit.dataset.label;
    submit.removeAttribute("aria-disabled");
  });

  // --- a suggestion is taken ---
  for (const button of document.querySelectorAll("[data-take]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      put(button.form.elements.namedItem("text").value, form.dataset.taken);
    });
  }

  // --- versions ---
  const place = document.querySelector("[data-versions]");
  const versions = () => {
    try { const found = JSON.parse(store.get(VERSIONS) || "[]"); return Array.isArray(found) ? found : []; } catch { return []; }
  };
  const list = () => {
    const found = versions().filter((one) => typeof one?.text === "string" && typeof one?.verdict === "string");
    place.querySelector("ol").replaceChildren(...found.map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dir = "auto";
      button.textContent = `${one.verdict}: ${one.text.slice(0, 100)}`;
      button.addEventListener("click", () => put(one.text, ""));
      item.append(button);
      return item;
    }));
    place.hidden = !found.length;
  };
  if (place) {
    const verdict = place.dataset.verdict;
    // What was judged stands in the field as the server wrote it.
    const text = field.defaultValue;
    if (verdict && text.trim() && text.length <= MOST_KEPT) {
      const others = versions().filter((one) => one?.text !== text);
      store.set(VERSIONS, JSON.stringify([{ text, verdict }, ...others].slice(0, MOST_VERSIONS)));
    }
    place.querySelector("[data-forget-versions]").addEventListener("click", () => { store.set(VERSIONS, ""); list(); field.focus(); });
    list();
  }

  // --- a link that carries the idea ---
  const MARK = "#idea=";
  const pack = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const unpack = (packed) => new TextDecoder("utf-8", { fatal: true })
    .decode(Uint8Array.from(atob(packed.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)));
  link.addEventListener("click", async () => {
    if (field.value.length > MOST_IN_LINK) { told.textContent = form.dataset.large; return; }
    const address = `${location.origin}/${MARK}${pack(field.value)}`;
    // Where the clipboard is out of reach (an address without https), the link itself is shown to be copied by hand.
    try { await navigator.clipboard.writeText(address); told.textContent = form.dataset.copied; } catch { told.textContent = address; }
  });
  const carried = () => {
    if (!location.hash.startsWith(MARK)) return false;
    try { put(unpack(location.hash.slice(MARK.length)), ""); } catch { return false; }
    // The idea leaves the address, so that it is in no history and no bookmark by accident.
    history.replaceState(null, "", location.pathname + location.search);
    return true;
  };
  addEventListener("hashchange", carried);

  // --- a file, chosen or dropped on the field ---
  const TEXTS = /\.(txt|md|markdown|rst)$/i;
  const chooser = form.elements.namedItem("file");
  const KINDS = chooser.accept.split(",");
  const refusal = (file) => !KINDS.some((kind) => file.name.toLowerCase().endsWith(kind)) ? form.dataset.unread
    : file.size > Number(form.dataset.most) - 10000 - field.value.length * 3 ? form.dataset.heavy : "";
  const choose = () => {
    const file = chooser.files[0];
    const wrong = file ? refusal(file) : "";
    if (wrong) chooser.value = "";
    told.textContent = wrong || (file ? form.dataset.chosen.replace("#", () => file.name) : "");
  };
  chooser.addEventListener("change", choose);
  field.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); field.classList.add("over"); }
  });
  field.addEventListener("dragleave", () => field.classList.remove("over"));
  field.addEventListener("drop", async (event) => {
    field.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    if (TEXTS.test(file.name) && !refusal(file)) { chooser.value = ""; put(await file.text(), ""); return; }
    chooser.files = event.dataTransfer.files;
    choose();
  });

  if (!carried()) {
    if (!field.value) field.value = store.get(DRAFT);
    tell();
    grow();
  }
})();
