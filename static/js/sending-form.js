// Sends once: a second press while the first is on its way does nothing. After a while it may be pressed again, for the
// sending may have been stopped; what arrives twice is kept once.
const PATIENCE = 15_000;

customElements.define(
  "sending-form",
  class extends HTMLElement {
    #label = "";

    connectedCallback() {
      this.addEventListener("submit", (event) => this.#send(event));
      // Back from the next page, the form is as it was left.
      window.addEventListener("pageshow", () => this.#rest());
    }

    get #button() {
      return this.querySelector("[data-sending]");
    }

    #send(event) {
      if (this.#button.ariaDisabled === "true") {
        event.preventDefault();
        return;
      }
      this.#label = this.#button.textContent;
      this.#button.ariaDisabled = "true";
      this.#button.textContent = this.#button.dataset.sending;
      setTimeout(() => this.#rest(), PATIENCE);
    }

    #rest() {
      if (this.#label) this.#button.textContent = this.#label;
      this.#button.ariaDisabled = null;
    }
  },
);
