// Takes the focus when the page comes back with something to correct, and leads to each field.
customElements.define(
  "error-summary",
  class extends HTMLElement {
    connectedCallback() {
      this.focus();
      this.scrollIntoView({ block: "center" });
    }
  },
);
