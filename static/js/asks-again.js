// For an element that asks its `data-from` again every few seconds, as long as somebody can see it, and shows the answer.
export class AsksAgain extends HTMLElement {
  #timer = null;

  connectedCallback() {
    this.#timer = setInterval(() => this.#refresh(), this.every);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  async #refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(this.dataset.from, { redirect: "error", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      this.show(await answer.json());
      this.classList.remove("is-stale");
    } catch {
      // Signed out, or without a network: what stands there may have changed since.
      this.classList.add("is-stale");
    }
  }
}
