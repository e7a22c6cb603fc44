// A form that is answered with a file: the page stays, so it says that the file is on its way, and a second press on
// the same button is ignored for a while. The browser would give up the first file, which has moved the bookmark.
const PATIENCE = 15_000;

customElements.define(
  "press-once",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("submit", (event) => this.#send(event));
    }

    #send(event) {
      const button = event.submitter;
      if (button.ariaDisabled === "true") {
        event.preventDefault();
        return;
      }
      button.ariaDisabled = "true";
      setTimeout(() => (button.ariaDisabled = null), PATIENCE);
      const status = this.querySelector("[data-pressed]");
      // Beside the button, which may be far down a telephone's page.
      button.closest("li").append(status);
      status.hidden = false;
    }
  },
);
