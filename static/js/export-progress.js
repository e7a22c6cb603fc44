// Shows how far an export is, and the page anew once it is done.
const ASKS_EVERY = 1500;

customElements.define(
  "export-progress",
  class extends HTMLElement {
    #timer = null;

    connectedCallback() {
      this.#timer = setInterval(() => this.#refresh(), ASKS_EVERY);
    }

    disconnectedCallback() {
      clearInterval(this.#timer);
    }

    async #refresh() {
      if (document.hidden) return;
      try {
        const answer = await fetch(this.dataset.from, { redirect: "error", headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        this.#show(await answer.json());
        this.classList.remove("is-stale");
      } catch {
        // Signed out, or without a network: what stands there may have changed since.
        this.classList.add("is-stale");
      }
    }

    #show({ done, written, total, told }) {
      if (done) {
        location.reload();
        return;
      }
      const bar = this.querySelector("progress");
      if (total) {
        bar.max = total;
        bar.value = written;
      }
      this.querySelector("[data-told]").textContent = told;
    }
  },
);
