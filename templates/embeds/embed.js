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

{# As campaigns/mangled_links.py mends our own links: whatever a tool made of “&”, known names in any case, signs at the
   end. The part behind “#” too, where a browser puts the rest of “&#038;”. #}
  const parameters = (address) => {
    const and = "(?:&|%26|(?:\\\\|%5C)u0026)(?:(?:amp|(?:#|%23)0{0,3}38)(?:;|%3B)){0,3}|[?#]|%3F";
    const sign = new RegExp(
      `(?:${and}|;|%3B)(?:\\+|%20){0,3}(${NAMES.join("|")})(?:=|%3D)|(?:${and})(?:\\+|%20){0,3}([A-Z_][\\w.-]*)(?:=|%3D)|#`,
      "gi",
    );
    const plain = address.replace(sign, (_, known, other) => `&${known ? known.toLowerCase() : other || ""}=`);
    const given = [...new URLSearchParams(plain)];
    const last = given[given.length - 1];
    if (last[0].startsWith("utm_") && !last[1].includes("(")) last[1] = last[1].replace(/[\s\u200b.,;:!?…'"’”»<>)\]}]+$/, "");
{# The first of a name counts. #}
    return new Map(given.reverse());
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
  const given = parameters(location.href);
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
