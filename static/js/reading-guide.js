// The table of contents marks the part that is being read; on a narrow screen it folds away and names it.
customElements.define(
  "reading-guide",
  class extends HTMLElement {
    #links = [];
    #parts = [];
    #summary = null;
    #title = "";
    #folds = window.matchMedia("(max-width: 63.99rem)");

    connectedCallback() {
      this.#links = [...this.querySelectorAll("a")];
      this.#parts = this.#links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
      this.#summary = this.querySelector("summary span");
      this.#title = this.#summary.textContent;
      this.addEventListener("click", (event) => event.target.closest("a") && this.#fold());
      this.#folds.addEventListener("change", () => this.#fold());
      this.#fold();
      const observer = new IntersectionObserver(() => this.#follow(), { rootMargin: "-20% 0px -70% 0px" });
      for (const part of this.#parts) observer.observe(part);
      window.addEventListener("scrollend", () => this.#follow());
      this.#follow();
    }

    #fold() {
      this.querySelector("details").open = !this.#folds.matches;
    }

    #follow() {
      const line = window.innerHeight * 0.3;
      const position = this.#parts.findLastIndex((part) => part.getBoundingClientRect().top < line);
      for (const [index, link] of this.#links.entries()) link.ariaCurrent = index === position ? "true" : null;
      const names = this.#folds.matches && position >= 0;
      this.#summary.textContent = names ? `${position + 1}. ${this.#links[position].textContent}` : this.#title;
    }
  },
);
