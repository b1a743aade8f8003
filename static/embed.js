/**
 * Daybreak's sign-up form for any page, inline or as a pop-up; docs/embedding.md says how.
 *
 * It keeps no cookies, asks no third party and works under a strict Content-Security-Policy: nodes
 * are made one by one (no innerHTML, so Trusted Types may be on), styles are a constructed sheet in
 * a shadow root, and all it needs is script-src and connect-src for this host.
 */
(() => {
  "use strict";

  const script =
    document.currentScript ??
    document.querySelector('script[data-newsletter][src*="/embed.js"]:not([data-seen])');
  if (!script?.dataset.newsletter) {
    console.warn("Daybreak: the script element needs data-newsletter.");
    return;
  }
  const options = script.dataset;
  options.seen = "";
  const base = new URL(".", script.src);
  const newsletter = options.newsletter;
  const popup = options.mode === "popup";
  const preview = "preview" in options;

  const SUPPRESSED_MS = 30 * 24 * 3600e3;
  // A form token is used for an hour: the server refuses one that is a day old, and a tab may stay
  // open for a week.
  const TOKEN_MAX_AGE_MS = 3600e3;
  // A server that does not answer within this time counts as one that is not there.
  const LIMIT_MS = 15e3;
  // The form can be sent without a token, so nobody has to wait longer for one.
  const TOKEN_LIMIT_MS = 5e3;
  // A phone from 2015 needs some seconds for a proof of work.
  const SOLVE_LIMIT_MS = 60e3;
  // A visitor who pressed a link waits no longer than this for the pop-up.
  const OPEN_LIMIT_MS = 4e3;

  // --- What is remembered: one entry in this site's localStorage, never an address --------------

  const KEY = `daybreak:${newsletter}`;

  function remember(value) {
    if (preview) return;
    try {
      localStorage.setItem(KEY, value);
    } catch {}
  }

  /** Whether the pop-up must stay closed for this visitor; also if nothing can be stored. */
  function isSuppressed() {
    if (preview) return false;
    try {
      localStorage.setItem(`${KEY}:test`, "");
      localStorage.removeItem(`${KEY}:test`);
      const was = localStorage.getItem(KEY);
      return was === "subscribed" || Date.now() - was < SUPPRESSED_MS;
    } catch {
      return true;
    }
  }

  // --- Server -----------------------------------------------------------------------------------

  const address = (path, query = "") => new URL(`embed/${encodeURIComponent(newsletter)}/${path}${query}`, base);

  const hostedPage = () => new URL(form?.page ?? `newsletters/${encodeURIComponent(newsletter)}/`, base);

  async function fetchJson(url, { limit = LIMIT_MS, ...init } = {}) {
    const stop = new AbortController();
    const clock = setTimeout(() => stop.abort(), limit);
    try {
      const answer = await fetch(url, {
        credentials: "omit",
        headers: { Accept: "application/json" },
        signal: stop.signal,
        ...init,
      });
      return await answer.json();
    } finally {
      clearTimeout(clock);
    }
  }

  /** Fail if the promise takes longer; what it stands for goes on. */
  function within(limit, promise) {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("too late")), limit));
    return Promise.race([promise, late]);
  }

  async function fetchForm() {
    const query = new URLSearchParams({
      lang: options.lang ?? (script.closest("[lang]") ?? document.documentElement).lang,
    });
    for (const name of ["accent", "background"]) if (options[name]) query.set(name, options[name]);
    const found = await fetchJson(address("form.json", `?${query}`));
    if (!found?.texts) throw new Error("the server's answer is no form");
    return found;
  }

  let pendingToken = null;

  /** Fetch, when the visitor begins to type, the token that shows that a person opened the form. */
  function fetchToken() {
    if (pendingToken && Date.now() - pendingToken.at < TOKEN_MAX_AGE_MS) return pendingToken;
    const at = Date.now();
    const answer = fetchJson(address("opened.json"), { limit: TOKEN_LIMIT_MS }).catch(() => null);
    // Without a token the form is sent all the same, and asks again if it has to be sent again.
    pendingToken = { at, answer: answer.then((found) => found ?? ((pendingToken = null), {})) };
    pendingToken.solution = pendingToken.answer.then(({ challenge }) => challenge && solve(challenge)).catch(() => "");
    // The server takes a sender who is faster than this for a program.
    pendingToken.usable = pendingToken.answer.then(({ wait = 2500 }) => new Promise((done) => setTimeout(done, wait)));
    return pendingToken;
  }

  let solver;

  /** Solve a proof of work; the solver is loaded only when one is asked for. */
  async function solve(challenge) {
    solver ??= import(new URL("embed/solve.js", base));
    return (await solver).solve(challenge);
  }

  /** What is sent besides the visitor's own fields. */
  const hidden = (opened) => ({ opened, lang: form.lang, page: options.page || location.origin + location.pathname });

  let opened = "";

  async function send(fields) {
    if (preview) return { state: "sent" };
    const token = fetchToken();
    await token.usable;
    opened = (await token.answer).opened ?? "";
    const solution = (await within(SOLVE_LIMIT_MS, token.solution).catch(() => "")) ?? "";
    const body = new URLSearchParams({ ...fields, ...hidden(opened), solution });
    const post = () => fetchJson(address(""), { method: "POST", body });
    const answer = await post();
    if (answer?.state !== "challenge") return answer;
    try {
      body.set("solution", await within(SOLVE_LIMIT_MS, solve(answer.challenge)));
    } catch {
      return answer;
    }
    return post();
  }

  // --- Drawing ----------------------------------------------------------------------------------

  const FONTS = {
    sans: 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",sans-serif',
    serif: '"Iowan Old Style",Charter,"Source Serif 4","Noto Serif",Georgia,"Times New Roman",serif',
  };

  const STYLES = `
.page{all:initial;display:block;min-height:inherit}
*{box-sizing:border-box;margin:0}
.box{font:1em/1.5 var(--font);color:var(--ink);background:var(--paper);padding:1.5em;min-height:inherit;border:1px solid #8885;border-top:3px solid var(--accent);border-radius:var(--radius);overflow-wrap:break-word;text-align:start}
h1,h2{font-size:1.375em;line-height:1.2;letter-spacing:-.01em;text-wrap:balance}
:is(h1,h2):focus{outline:0}
.promise{margin-top:.4em;font-size:1.0625em;text-wrap:pretty}
form{margin-top:1.1em}
label{display:block;margin-bottom:.35em;font-weight:600;font-size:.875em}
.row{display:flex;flex-wrap:wrap;gap:.6em}
input,button{font:inherit;min-height:3em;border-radius:min(var(--radius),1.5em)}
input{flex:1 1 13em;min-width:0;padding:.5em .8em;border:1.5px solid var(--edge);background:var(--paper);color:var(--ink);-webkit-appearance:none;appearance:none}
[dir=rtl] input,[dir=rtl]>.promise{text-align:right}
[dir=ltr]>.promise{text-align:left}
input[aria-invalid]{border:2px solid var(--bad)}
button{cursor:pointer;padding:.5em 1.4em;border:1px solid transparent;background:var(--accent);color:var(--paper);font-weight:700}
.row button{flex:0 1 auto}
button:hover{text-decoration:underline;text-underline-offset:.2em}
button[aria-disabled]{opacity:.75;cursor:progress}
.quiet{background:0 0;color:var(--ink);border-color:var(--edge);font-weight:600}
.x{float:inline-end;min-height:2.75em;margin:-.75em;margin-inline-start:.5em;padding:.25em .75em;border-color:transparent;font-size:.875em}
a{color:var(--accent);font-weight:600}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.fine{margin-top:.9em;color:var(--soft);font-size:.8125em}
.problem{margin-bottom:.75em;padding-inline-start:.75em;border-inline-start:4px solid var(--bad);color:var(--bad);font-weight:600;font-size:.9375em}
.problem:empty,.choices:empty{display:none}
.choices{margin-top:.6em}
.extra,.status{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
dialog.box{width:min(30em,100vw - 2em);max-width:none;max-height:calc(100dvh - 2em);min-height:0;margin:auto;padding:2em;overflow:auto;overscroll-behavior:contain;border:0;border-top:3px solid var(--accent);box-shadow:0 1em 4em rgb(0 0 0/.35)}
dialog h2{font-size:1.75em}
dialog.box::backdrop{background:rgb(0 0 0/.55)}
dialog[open]:not(:modal){position:fixed;inset:0;box-shadow:0 0 0 100vmax rgb(0 0 0/.55)}
@media(max-width:32em){dialog.box{width:100%;margin:auto 0 0;padding:1.5em 1.25em max(1.5em,env(safe-area-inset-bottom));border-end-start-radius:0;border-end-end-radius:0}.row button{flex:1 1 100%}}
@media(prefers-reduced-motion:no-preference){dialog[open]{animation:in .3s ease-out}@keyframes in{from{opacity:0;transform:translateY(1.5em)}}}
`;

  let form, host, root, waiting, box, input, button, problem, choices, status;

  /** Make an element; an attribute that is false or null is left out. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter(Boolean));
    return element;
  }

  function mark(element, attribute, on) {
    if (on) element.setAttribute(attribute, "true");
    else element.removeAttribute(attribute);
  }

  function place() {
    host = document.createElement("daybreak-form");
    const target = options.target && document.querySelector(options.target);
    if (target) target.append(host);
    else if (popup || !document.body.contains(script)) document.body.append(host);
    else if (script.parentElement.localName === "daybreak-form") host = script.parentElement;
    else script.after(host);
    const height = popup ? 0 : roomNeeded();
    root = host.attachShadow({ mode: "open" });
    addStyles(`:host{display:block;min-height:${height}px}`);
    // Until the form is there, or if it never comes, the link inside of the element is shown.
    root.append((waiting = make("slot")));
  }

  /** The height to keep free until the form is there: what stands around it must not move then. */
  function roomNeeded() {
    host.style.display = "block";
    const { offsetWidth: width, offsetHeight: kept } = host;
    host.style.display = "";
    // A form of average texts; in a narrow column its button gets a line of its own.
    return Math.max(kept, width < 320 ? 428 : width < 370 ? 416 : width < 500 ? 356 : 280);
  }

  function addStyles(text) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    } catch {
      // For Safari before 16.4; under a strict policy its style element needs the script's nonce.
      root.append(make("style", { nonce: script.nonce || null }, text));
    }
  }

  /** The colours for light and dark: those of the page around the form, unless its owner chose. */
  function colours() {
    const { light, dark } = form;
    const { theme } = options;
    const rule = (colour) => `.box{${Object.keys(light).map((name) => `--${name}:${colour(name)}`).join(";")}}`;
    if (CSS.supports("color", "light-dark(#fff,#000)")) {
      const scheme = { light: "light", dark: "dark", auto: "light dark" }[theme] ?? "inherit";
      return `.page{color-scheme:${scheme}}${rule((name) => `light-dark(${light[name]},${dark[name]})`)}`;
    }
    // Browsers before 2024 cannot tell what the page declares.
    const first = rule((name) => (theme === "dark" ? dark : light)[name]);
    return theme === "auto" ? `${first}@media(prefers-color-scheme:dark){${rule((name) => dark[name])}}` : first;
  }

  function applyStyles() {
    addStyles(STYLES + colours());
    const parent = script.parentElement ?? document.body;
    const font = options.font === "page" ? getComputedStyle(parent).fontFamily : FONTS[options.font];
    box.style.setProperty("--font", font ?? FONTS.sans);
    box.style.setProperty("--radius", `${Math.min(parseFloat(options.radius ?? 4) || 0, 32)}px`);
  }

  function heading(text) {
    return make(options.heading === "1" ? "h1" : "h2", { id: "title", tabindex: -1, part: "title" }, text);
  }

  function draw() {
    const { texts, promise } = form;
    const own = options.text;
    input = make("input", {
      id: "email", type: "email", name: "email", autocomplete: "email", inputmode: "email",
      spellcheck: "false", autocapitalize: "none", maxlength: 320, dir: "ltr", "aria-required": "true",
      "aria-describedby": "problem wording", part: "field", focus: fetchToken,
      // What was offered was meant for the address that is being changed now.
      input: () => choices.firstChild && showProblem(""),
    });
    button = make("button", { type: "submit", part: "button" }, options.button || texts.button);
    problem = make("p", { id: "problem", class: "problem", role: "alert", part: "problem" });
    choices = make("div", { class: "row choices" });
    status = make("p", { class: "status", role: "status" });
    const honeypot = make("input", { id: "website", name: "website", tabindex: -1, autocomplete: "off" });
    const fields = make(
      "form",
      { novalidate: "", rel: "noopener", submit: (event) => onSubmit(event, honeypot.value) },
      make("label", { for: "email" }, texts.label),
      problem,
      make("div", { class: "row" }, input, button),
      choices,
      make("div", { class: "extra", "aria-hidden": "true" }, make("label", { for: "website" }, texts.trap), honeypot),
      status,
      make("p", { id: "wording", class: "fine" }, form.wording),
    );
    box = make(
      popup ? "dialog" : "section",
      { class: "box", lang: form.lang, dir: form.dir, part: "box", "aria-labelledby": "title", "aria-describedby": popup && "promise" },
      popup && make("button", { type: "button", class: "quiet x", part: "close", click: () => box.close() }, texts.close, make("span", { "aria-hidden": "true" }, " \u00d7")),
      heading(options.title || (popup ? texts.welcome : texts.title)),
      make("p", { id: "promise", class: "promise", lang: !own && promise.lang, dir: !own && promise.dir, part: "text" }, own || promise.text),
      fields,
    );
    applyStyles();
    // The page can style the host: properties that are inherited from it end at this element.
    waiting.replaceWith(make("div", { class: "page" }, box));
  }

  function emit(name) {
    host.dispatchEvent(
      new CustomEvent(`daybreak:${name}`, { bubbles: true, composed: true, detail: { newsletter } }),
    );
  }

  // --- Signing up -------------------------------------------------------------------------------

  let busy = false;
  // What the visitor had decided, beside the address, when no answer came.
  let unsent = {};

  function onSubmit(event, website) {
    // The button for our own page has an address of its own.
    if (event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    submit({ ...unsent, website });
  }

  async function submit(extra = {}) {
    if (busy) return;
    // The button that was pressed is about to go.
    if (choices.contains(root.activeElement)) button.focus();
    showProblem("");
    setBusy(true);
    let answer;
    try {
      answer = await send({ email: input.value, ...extra });
    } catch (error) {
      console.warn("Daybreak:", error);
    }
    setBusy(false);
    if (answer?.state === "sent") sent(answer);
    else if (answer?.state === "address") offerCorrection(answer);
    else if (answer?.state === "challenge") showProblem(form.texts.elsewhere, ...ownPage(form.texts.elsewhereLink, ""));
    else offerAgain(extra);
  }

  function setBusy(value) {
    busy = value;
    if (value) button.textContent = form.texts.busy;
    status.textContent = value ? form.texts.busy : "";
    mark(button, "aria-disabled", value);
  }

  /** Show a problem and what can be done about it; only one of all buttons is loud, the way on. */
  function showProblem(text, ...actions) {
    problem.textContent = text && `${form.texts.error} ${text}`;
    mark(input, "aria-invalid", false);
    button.textContent = options.button || form.texts.button;
    choices.replaceChildren(...actions.filter(Boolean));
    const wayOn = choices.querySelector("button:not(.quiet)");
    button.classList.toggle("quiet", Boolean(wayOn));
    return wayOn;
  }

  /** Say that the address is wrong or looks mistyped; offer a better one if there is one. */
  function offerCorrection({ message, use, keep }) {
    const choice = ({ label, email }, quiet, fields) => {
      const click = () => ((input.value = email), submit(fields));
      return make("button", { type: "button", class: quiet, "aria-describedby": "problem", click }, label);
    };
    const wayOn = showProblem(message, use && choice(use, ""), keep && choice(keep, "quiet", { sure: keep.email }));
    mark(input, "aria-invalid", true);
    (wayOn ?? input).focus();
  }

  /** Nobody knows whether the address has arrived. A second sign-up of it is none (signup.enrol). */
  function offerAgain(extra) {
    unsent = extra;
    showProblem(form.texts.failed, ...ownPage(form.texts.hosted, "quiet"));
    button.textContent = form.texts.again;
  }

  /** Make the button that posts the address to our own page, where no address is put into a URL. */
  function ownPage(label, quiet) {
    const fields = Object.entries(hidden(opened)).map(([name, value]) => make("input", { type: "hidden", name, value }));
    document.addEventListener("securitypolicyviolation", leaveAnyway);
    const post = { formaction: address(""), formmethod: "post", formtarget: "_blank" };
    return [...fields, make("button", { ...post, class: quiet }, label)];
  }

  /** A page's policy may forbid it to post forms; then our page opens without the address. */
  function leaveAnyway({ effectiveDirective, blockedURI }) {
    if (effectiveDirective === "form-action" && blockedURI.startsWith(base.origin)) open(hostedPage(), "_blank", "noopener");
  }

  function sent({ message }) {
    remember("subscribed");
    const title = heading(form.texts.sentTitle);
    const text = make("p", { id: "promise", class: "promise" }, form.texts.sentText);
    for (const child of [...box.children]) if (!child.matches(".x")) child.remove();
    // The address, if it was mended.
    box.append(title, text, ...(message ? [make("p", { class: "promise" }, message)] : []));
    title.focus();
    emit("subscribed");
  }

  // --- The pop-up -------------------------------------------------------------------------------

  /** Whether not to interrupt: the visitor types, watches in full screen, or answers a dialog. */
  function isEngaged() {
    const active = document.activeElement;
    return (
      document.hidden ||
      document.fullscreenElement ||
      active?.isContentEditable ||
      active?.matches("input,textarea,select,iframe,daybreak-form") ||
      document.querySelector("dialog[open],[aria-modal=true]")
    );
  }

  /** Keep Tab inside the dialog. A modal dialog alone lets it out to the browser's own bars. */
  function trapFocus(event) {
    if (event.key !== "Tab") return;
    const stops = [...box.querySelectorAll("button,a,input:not([tabindex])")];
    const back = event.shiftKey;
    const onward = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    const active = root.activeElement ?? box;
    if (stops.some((stop) => active.compareDocumentPosition(stop) & onward)) return;
    event.preventDefault();
    (back ? stops.at(-1) : stops[0]).focus();
  }

  let built = null;

  async function build() {
    form = await fetchForm();
    place();
    draw();
    box.addEventListener("keydown", trapFocus);
    box.addEventListener("pointerdown", (event) => outside(event) && box.close());
    box.addEventListener("close", () => {
      if (!isSuppressed()) remember(Date.now());
      emit("closed");
    });
  }

  // The visitor is on the way to another page.
  let leaving = false;

  /** Open the pop-up; return whether it is open. Focus returns to `opener` when it is closed. */
  async function show(opener) {
    try {
      built ??= build();
      await built;
    } catch (error) {
      built = null;
      console.warn("Daybreak:", error);
      return false;
    }
    if (leaving || box.open) return true;
    // The page may have replaced its content.
    if (!host.isConnected) document.body.append(host);
    // A preview takes no focus: the editor is typing beside it.
    if (preview) return !box.setAttribute("open", "");
    // Safari gives no focus to what is clicked.
    opener?.focus({ preventScroll: true });
    box.showModal();
    root.getElementById("title").focus();
    emit("shown");
    return true;
  }

  function outside({ clientX, clientY }) {
    const { left, right, top, bottom } = box.getBoundingClientRect();
    return clientX < left || clientX > right || clientY < top || clientY > bottom;
  }

  /** Show the pop-up after the scroll depth or the time that is set, whichever comes first. */
  function schedule() {
    const unset = options.afterScroll === undefined && options.afterSeconds === undefined;
    const depth = parseFloat(options.afterScroll ?? (unset ? 50 : NaN));
    let seconds = parseFloat(options.afterSeconds ?? (unset ? 30 : NaN));
    let scrolled = false;
    let due = false;

    function check() {
      if (due || !(scrolled || seconds <= 0) || isEngaged()) return;
      due = true;
      clearInterval(clock);
      removeEventListener("scroll", onScroll);
      if (!isSuppressed()) show();
    }
    function onScroll() {
      const depthNow = ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100;
      scrolled ||= depthNow >= depth;
      check();
    }
    // Only the time during which the page is visible counts.
    const clock = setInterval(() => {
      if (!document.hidden) seconds -= 1;
      check();
    }, 1000);
    addEventListener("scroll", onScroll, { passive: true });
  }

  // --- Start ------------------------------------------------------------------------------------

  function start() {
    if (!popup) {
      place();
      // This page is an iframe of ours, which is itself loaded lazily.
      if (options.page !== undefined) return appear();
      // It is drawn shortly before it is scrolled to: a form that nobody reaches costs no request.
      const observer = new IntersectionObserver(arrive, { rootMargin: "600px" });
      observer.observe(host);
    } else {
      document.addEventListener("click", onOpen);
      if (preview) show();
      else if (globalThis.HTMLDialogElement && !isSuppressed()) schedule();
    }
  }

  function arrive(entries, observer) {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    appear();
  }

  async function appear() {
    try {
      form = await fetchForm();
      draw();
    } catch (error) {
      leaveLink();
      console.warn("Daybreak:", error);
    }
  }

  /** Leave a link to our page in place of the form; an empty frame would be worse than the jump. */
  function leaveLink() {
    addStyles(":host{min-height:0}");
    // The builder's line has a link already, and boxes that kept the form's place free.
    for (const room of host.querySelectorAll(":scope>span[aria-hidden]")) room.remove();
    if (host.querySelector("a[href]")) return;
    // The texts in the visitor's language would have come with the form.
    const page = hostedPage();
    host.prepend(make("a", { href: page }, options.title || page.host + page.pathname));
  }

  let opening = false;

  /** Let the page's own link or button open the pop-up, even if it was closed before. */
  async function onOpen(event) {
    const own = event.composedPath().find((node) => node.dataset?.daybreakOpen === newsletter);
    // With one of these keys a link opens elsewhere, which is the browser's part.
    if (!own || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (opening) return goOn(own);
    opening = true;
    leaving = false;
    mark(own, "aria-busy", true);
    const shown = await within(OPEN_LIMIT_MS, show(own)).catch(() => false);
    opening = false;
    mark(own, "aria-busy", false);
    if (!shown) goOn(own);
  }

  /** Follow the link that was pressed, or go to our own page if it leads nowhere. */
  function goOn(own) {
    leaving = true;
    const link = own.closest("a[href]");
    const [path, id] = (link?.href ?? "").split("#");
    const leads = path !== location.href.split("#")[0] ? /^(?!javascript:|$)/.test(path) : id && document.getElementById(id);
    const url = leads ? link.href : hostedPage();
    // A browser may refuse a new window so long after the click.
    if (!open(url, link?.target || "_self")) location.assign(url);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
