// Tells what is wrong with an answer once its field is left, and stops telling as soon as it is right.
// The server judges; its own sentences come along as data-missing and data-mistyped.
import { afterPress } from "./after-press.js";

// Only what can't be right: the server knows the rest.
const SHAPES = { email: /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/, tel: /(\d\D*){6}/ };

customElements.define(
  "form-field",
  class extends HTMLElement {
    #control = null;
    #told = null;
    #isTouched = false;

    connectedCallback() {
      this.#control = this.querySelector("input, select, textarea");
      this.#told = this.querySelector(".field__error");
      this.addEventListener("input", () => this.#type());
      // Left untouched, it isn't wrong yet.
      this.addEventListener("focusout", () => this.#isTouched && afterPress(() => this.#tell(this.#fault())));
    }

    #type() {
      this.#isTouched = true;
      if (this.#told && !this.#fault()) this.#tell("");
    }

    #fault() {
      const { type, value } = this.#control;
      if (type === "radio") return this.querySelector(":checked") ? "" : this.dataset.missing;
      if (!value.trim()) return this.dataset.missing ?? "";
      return SHAPES[type]?.test(value.trim()) === false ? this.dataset.mistyped : "";
    }

    #tell(message) {
      this.#told?.remove();
      this.#told = message ? this.#note(message) : null;
      if (message) this.#control.before(this.#told);
      for (const control of this.querySelectorAll("input, select, textarea")) control.ariaInvalid = message ? "true" : null;
      (this.querySelector("fieldset") ?? this).classList.toggle("field--wrong", Boolean(message));
      this.#describe();
    }

    #note(message) {
      const note = document.createElement("p");
      note.className = "field__error";
      note.id = `${this.#control.id}-erreur`;
      note.innerHTML = '<span class="visually-hidden">Erreur\u00a0: </span>';
      note.append(message);
      return note;
    }

    #describe() {
      const described = this.querySelector("fieldset") ?? this.#control;
      const notes = [...described.parentElement.querySelectorAll(":scope > p[id]")].map((note) => note.id);
      if (notes.length) described.setAttribute("aria-describedby", notes.join(" "));
      else described.removeAttribute("aria-describedby");
    }
  },
);
