// Comfort for those with JavaScript; everything works without. Nothing is sent anywhere: the draft stays in this browser.
"use strict";
(() => {
  const KEY = "originality.draft";
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const field = form.elements.namedItem("text");
  const count = form.querySelector("[data-count]");
  const forget = form.querySelector("[data-forget]");
  const submit = form.querySelector("[type=submit]");
  const words = new Intl.Segmenter(undefined, { granularity: "word" });

  // A browser may forbid storage, or its quota may be spent: then there is no draft, and no complaint.
  const store = {
    get: () => { try { return localStorage.getItem(KEY) || ""; } catch { return ""; } },
    set: (text) => { try { text.trim() ? localStorage.setItem(KEY, text) : localStorage.removeItem(KEY); } catch { /* no draft */ } },
  };

  const tell = () => {
    // Segmenting a book at each key would stutter; past some pages an estimate does.
    const text = field.value;
    const number = text.length > 20000 ? text.split(/\s+/).filter(Boolean).length
      : [...words.segment(text)].filter((s) => s.isWordLike).length;
    count.textContent = `${number.toLocaleString("en")} ${number === 1 ? "word" : "words"}`;
    count.hidden = false;
    forget.hidden = !text && !store.get();
  };
  const grow = () => {
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  };
  const refresh = () => { tell(); grow(); };

  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { store.set(field.value); tell(); }, 250);
    grow();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  forget.addEventListener("click", () => { store.set(""); field.value = ""; refresh(); field.focus(); });
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    store.set(field.value);
    submit.dataset.label = submit.textContent;
    submit.textContent = "Reading…";
    submit.setAttribute("aria-disabled", "true");
  });
  // Coming back by the back button shows the page as it was left: with its button still busy.
  addEventListener("pageshow", () => {
    if (submit.dataset.label) submit.textContent = submit.dataset.label;
    submit.removeAttribute("aria-disabled");
  });

  if (!field.value) field.value = store.get();
  refresh();
})();
