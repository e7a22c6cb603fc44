// The figures of a page that stays open, such as the door's: asks its `data-from` again every few seconds, as long as
// somebody can see it.
const EVERY = 5000;

customElements.define(
  "live-counts",
  class extends HTMLElement {
    #timer = null;

    connectedCallback() {
      this.#timer = setInterval(() => this.#refresh(), EVERY);
    }

    disconnectedCallback() {
      clearInterval(this.#timer);
    }

    async #refresh() {
      if (document.hidden) return;
      try {
        const answer = await fetch(this.dataset.from, { redirect: "error", headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        const counts = await answer.json();
        for (const shown of this.querySelectorAll("[data-count]")) shown.textContent = counts[shown.dataset.count];
        this.classList.remove("is-stale");
      } catch {
        // Signed out, or without a network: what stands there may have changed since.
        this.classList.add("is-stale");
      }
    }
  },
);
