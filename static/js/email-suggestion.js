// Offers the likelier address when the field before it is left with a slip: gmial.com → gmail.com.
// data-usual are the domains to offer, data-known others that aren't slips.
import { afterPress } from "./after-press.js";

customElements.define(
  "email-suggestion",
  class extends HTMLElement {
    #control = null;

    connectedCallback() {
      this.#control = this.previousElementSibling;
      this.#control.addEventListener("change", () => afterPress(() => this.#suggest()));
    }

    #suggest() {
      this.replaceChildren();
      const [name, domain = ""] = this.#control.value.trim().toLowerCase().split("@");
      const usual = this.dataset.usual.split(" ");
      if (usual.includes(domain) || this.dataset.known.split(" ").includes(domain)) return;
      const meant = usual.find((candidate) => isNear(candidate, domain));
      if (name && meant) this.#offer(`${name}@${meant}`);
    }

    #offer(address) {
      const tip = document.createElement("p");
      tip.className = "field__hint";
      tip.role = "status";
      this.append(tip);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "tip";
      button.textContent = address;
      button.addEventListener("click", () => this.#accept(address));
      tip.append("Vouliez-vous écrire ", button, "\u202f?");
    }

    #accept(address) {
      this.#control.value = address;
      this.#control.dispatchEvent(new Event("input", { bubbles: true }));
      this.replaceChildren();
      this.#control.focus();
    }
  },
);

// One letter missing, one too many, one wrong, or two that changed places.
function isNear(meant, typed) {
  let same = 0;
  while (same < meant.length && meant[same] === typed[same]) same += 1;
  const [rest, other] = [meant.slice(same), typed.slice(same)];
  const isSwapped = rest[0] === other[1] && rest[1] === other[0] && rest.slice(2) === other.slice(2);
  return isSwapped || rest.slice(1) === other.slice(1) || rest.slice(1) === other || rest === other.slice(1);
}
