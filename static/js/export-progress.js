// Shows how far an export is, and the page anew once it is done.
import { AsksAgain } from "./asks-again.js";

customElements.define(
  "export-progress",
  class extends AsksAgain {
    every = 1500;

    show({ done, written, total, told }) {
      if (done) {
        location.reload();
        return;
      }
      const bar = this.querySelector("progress");
      if (total) {
        bar.max = total;
        bar.value = written;
      }
      this.querySelector("[data-told]").textContent = told;
    }
  },
);
