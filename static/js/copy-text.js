// Copies the field that it holds; without it, one selects by hand.
customElements.define(
  "copy-text",
  class extends HTMLElement {
    connectedCallback() {
      const field = this.querySelector("input, textarea");
      const [button, told] = [document.createElement("button"), document.createElement("span")];
      [button.type, button.className, button.textContent] = ["button", "plain", "Copier"];
      button.setAttribute("aria-describedby", field.id);
      [told.role, told.className] = ["status", "copy__told"];
      button.addEventListener("click", async () => {
        told.textContent = (await this.#copy(field)) ? "Copié" : "Sélectionné : copiez-le au clavier";
      });
      field.addEventListener("focus", () => field.select());
      this.append(button, told);
    }

    // The clipboard is there for secure pages alone; elsewhere the older way.
    async #copy(field) {
      try {
        await navigator.clipboard.writeText(field.value);
        return true;
      } catch {
        field.select();
        return document.execCommand("copy");
      }
    }
  },
);
