{# Puts a form in place of its script tag, on whatever page. Comments like this one aren’t sent.

   FORMS: page, title of the frame, words of the link, height to keep free on a narrow and on a wide place before the
   form says its own. The language is that of old browsers inside apps, too (ECMAScript 2018). #}
(() => {
  const SCHOOL = {{ school.name|tojson }};
  const FORMS = {
    __proto__: null,
    "brochure": ["/brochure", `demander la brochure de l’${SCHOOL}`, `Demandez la brochure sur le site de l’${SCHOOL}`, 1290, 1170],
    "portes-ouvertes": ["/portes-ouvertes", `s’inscrire aux portes ouvertes de l’${SCHOOL}`, `Inscrivez-vous sur le site de l’${SCHOOL}`, 2320, 1975],
    "candidater": ["/candidater", `candidater à l’${SCHOOL}`, `Candidatez sur le site de l’${SCHOOL}`, 2080, 1965],
  };
  const NAMES = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
  const [LEAST, MOST, NARROW, PATIENCE] = [200, 4000, 480, 5000];

{# What a tool made of “&” and “=” is read by our server's own patterns (campaigns/mangled_queries.py); it also takes off
   the signs at the end of a value. The part behind “#” too, where a browser puts the rest of “&#038;”. #}
  const PARAMETER = new RegExp({{ parameter|tojson }}, "gi");
  const ENCODED = new RegExp({{ encoded_parameter|tojson }}, "i");
  const UNDERSCORE = new RegExp({{ underscore|tojson }}, "gi");
  const ADDRESS_VALUE = new RegExp({{ address_value|tojson }}, "i");
{# The part before and at the beginning of an address in a value: what follows is that address’s own. #}
  const ours = (text) => {
    const found = ADDRESS_VALUE.exec(text);
    return found ? text.slice(0, found.index + found[0].length) : text;
  };
  const decode = (text, levels = 4) => {
    const at = levels ? ours(text).search(ENCODED) : -1;
    if (at < 0) return text;
    const ascii = (_, code) => String.fromCharCode(parseInt(code, 16));
    return decode(text.slice(0, at) + text.slice(at).replace(/%([2-7][0-9a-f])/gi, ascii), levels - 1);
  };
  const parameters = (address) => {
    const begin = (_, known, distinct) => `&${(known || distinct).replace(UNDERSCORE, "_").toLowerCase()}=`;
    const plain = address.split("&").map((piece) => {
      const decoded = decode(piece);
      const head = ours(decoded);
      return head.replace(PARAMETER, begin) + decoded.slice(head.length);
    }).join("&");
    const found = new Map();
    for (const piece of plain.split(/[&#]/)) {
      const isAddress = ADDRESS_VALUE.test(piece) || /\/\/|%2F%2F/i.test(piece);
      const [name, value] = [...new URLSearchParams(isAddress ? piece : piece.split(/\?[a-z_][\w.-]*=/i)[0]), ["", ""]][0];
{# The first of a name counts that says something. #}
      if (value.trim() && !found.has(name)) found.set(name, value);
    }
    return found;
  };

{# Tools that put scripts off run them without saying which tag it is: then it is the first that has no form yet. #}
  const script = document.currentScript || document.querySelector('script[src*="/embed.js"][data-form]:not([data-placed])');
  if (!script) return;
  const { form, campaign, theme } = script.dataset;
  script.dataset.placed = "";
  if (!(form in FORMS)) {
    console.warn(`embed.js: data-form="${form}"? ${Object.keys(FORMS).join(", ")}`);
    return;
  }
  const [path, title, words, narrow, wide] = FORMS[form];
  const site = new URL(script.src).origin;

{# The host's name, never its address, which may say more. #}
  const query = new URLSearchParams();
  const given = parameters(location.href.slice(location.origin.length));
  for (const name of NAMES) {
    const value = (name === "utm_campaign" && campaign) || given.get(name);
    if (value) query.set(name, value.trim().slice(0, 200));
  }
  if (location.hostname) query.set("embed_host", location.hostname);
  const address = `${site}${path}?${query}`;
  const isThemed = theme === "light" || theme === "dark";
  if (isThemed) query.set("theme", theme);

  const box = document.createElement("div");
  const frame = document.createElement("iframe");
  box.className = "microsite-embed";
  frame.title = `Formulaire\u00a0: ${title}`;
  frame.loading = "lazy";
  frame.style.cssText = "display:block;width:100%;border:0";
{# A frame of another colour scheme than its page's gets an opaque background. #}
  if (isThemed) frame.style.colorScheme = theme;
  frame.src = `${site}/embed${path}?${query}`;
  script.after(box);
{# The tag itself may have kept the place free until now. #}
  script.style.display = "none";
  frame.style.height = `${box.clientWidth < NARROW ? narrow : wide}px`;
  box.append(frame);

  let isReady = false;
  let timer = 0;
  let notice = null;
  const emit = (type) => {
    const detail = { form, campaign: query.get("utm_campaign") || "" };
    box.dispatchEvent(new CustomEvent(`microsite:${type}`, { bubbles: true, detail }));
  };
  const giveUp = () => {
    notice = document.createElement("p");
    const link = document.createElement("a");
    [link.href, link.target, link.rel, link.textContent] = [address, "_blank", "noopener", words];
    notice.append("Le formulaire ne s’affiche pas ici. ", link);
    box.append(notice);
    frame.style.display = "none";
  };
{# A lazy frame isn't asked for before it is near: it is late from when it is seen. #}
  const wait = () => {
    if (!isReady && !timer) timer = setTimeout(giveUp, PATIENCE);
  };
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && wait());
  seen.observe(box);
  frame.addEventListener("load", wait);

  const welcome = () => {
    clearTimeout(timer);
    seen.disconnect();
    if (notice) notice.remove();
    frame.style.display = "block";
    if (!isReady) emit("ready");
    isReady = true;
  };
  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== site || !data || data.microsite !== 1) return;
    if (data.type === "size" && Number.isFinite(data.height)) {
      frame.style.height = `${Math.min(MOST, Math.max(LEAST, data.height))}px`;
    } else if (data.type === "ready") {
{# The first page of a frame is shown where it stands: nobody has sent anything yet. #}
      const isAnswer = isReady;
      welcome();
      if (isAnswer && data.isToBeSeen) box.scrollIntoView({ block: "start" });
    } else if (data.type === "submitted") {
      emit("submitted");
    }
  });
})();
