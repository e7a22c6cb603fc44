// The figures of a page that stays open, such as the door's.
import { AsksAgain } from "./asks-again.js";

customElements.define(
  "live-counts",
  class extends AsksAgain {
    every = 5000;

    show(counts) {
      for (const shown of this.querySelectorAll("[data-count]")) shown.textContent = counts[shown.dataset.count];
    }
  },
);
