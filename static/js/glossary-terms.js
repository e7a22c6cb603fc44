// A term's definition opens where one reads. Without the Popover API its link leads to the glossary.
// What the bar of the three doors covers on a phone.
const FOOT = 64;

customElements.define(
  "glossary-terms",
  class extends HTMLElement {
    #box = null;
    #term = null;

    connectedCallback() {
      if (!HTMLElement.prototype.togglePopover) return;
      for (const term of this.querySelectorAll("a.term")) {
        term.role = "button";
        term.ariaExpanded = "false";
      }
      this.addEventListener("click", (event) => this.#toggle(event));
      this.addEventListener("keydown", (event) => event.key === " " && this.#toggle(event));
    }

    #toggle(event) {
      const term = event.target.closest("a.term");
      if (!term) return;
      event.preventDefault();
      if (this.#term === term) this.#close();
      else this.#open(term);
    }

    #open(term) {
      this.#close();
      const entry = document.getElementById(term.hash.slice(1));
      const box = document.createElement("div");
      box.className = "definition";
      box.popover = "auto";
      box.role = "status";
      // Next in the reading order to its term.
      term.after(box);
      box.showPopover();
      const name = document.createElement("strong");
      name.textContent = entry.textContent;
      name.lang = entry.lang;
      box.append(name, entry.nextElementSibling.firstElementChild.textContent);
      this.#place(box, term);
      box.addEventListener("toggle", (event) => event.newState === "closed" && this.#forget(box));
      term.ariaExpanded = "true";
      [this.#box, this.#term] = [box, term];
    }

    #close() {
      this.#box?.hidePopover();
    }

    #forget(box) {
      box.remove();
      if (box !== this.#box) return;
      this.#term.ariaExpanded = "false";
      [this.#box, this.#term] = [null, null];
    }

    #place(box, term) {
      const at = term.getClientRects()[0];
      const room = document.documentElement.clientWidth - box.offsetWidth - 16;
      box.style.insetInlineStart = `${Math.max(16, Math.min(at.left, room)) + window.scrollX}px`;
      const isBelow = at.bottom + box.offsetHeight + 6 < window.innerHeight - FOOT;
      const top = isBelow ? at.bottom + 6 : at.top - box.offsetHeight - 6;
      box.style.insetBlockStart = `${top + window.scrollY}px`;
    }
  },
);
