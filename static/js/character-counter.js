// Counts what is written in the field before it, from data-least to data-limit characters.
customElements.define(
  "character-counter",
  class extends HTMLElement {
    #spoken = null;

    connectedCallback() {
      const control = this.previousElementSibling;
      const [shown, heard] = [document.createElement("p"), document.createElement("p")];
      shown.className = "field__hint";
      shown.ariaHidden = "true";
      heard.className = "visually-hidden";
      heard.role = "status";
      this.append(shown, heard);
      const count = () => (shown.textContent = this.#text([...control.value.trim()].length));
      control.addEventListener("input", () => {
        count();
        // Said once the hands rest, not at each letter.
        clearTimeout(this.#spoken);
        this.#spoken = setTimeout(() => (heard.textContent = shown.textContent), 1000);
      });
      count();
    }

    #text(length) {
      const [least, limit] = [Number(this.dataset.least), Number(this.dataset.limit)];
      if (length < least) return `Encore ${plural(least - length)} au moins.`;
      if (length > limit) return `${plural(length - limit)} de trop.`;
      return `${plural(length)} sur ${limit.toLocaleString("fr-FR")}.`;
    }
  },
);

function plural(number) {
  return `${number.toLocaleString("fr-FR")} caractère${number > 1 ? "s" : ""}`;
}
