// Inside another site's frame: tells the page around it how tall this one is, and what became of the form.
import "./character-counter.js";
import "./email-suggestion.js";
import "./error-summary.js";
import "./form-field.js";
import "./sending-form.js";

const page = document.querySelector(".frame");
let told = 0;

// To whoever frames this page: its origin can't be known here (a sandbox hides it, a policy may drop the referrer).
// Hence nothing of the visitor is ever said.
function tell(message) {
  window.parent.postMessage({ microsite: 1, ...message }, "*");
}

function tellHeight() {
  const height = Math.ceil(page.getBoundingClientRect().height);
  if (Math.abs(height - told) < 1) return;
  told = height;
  tell({ type: "size", height });
}

tellHeight();
const isToBeSeen = page.dataset.state !== "form" || Boolean(document.querySelector("error-summary"));
tell({ type: "ready", isToBeSeen });
// Gone back to, or loaded again, it is the same thank-you page.
const [arrival] = performance.getEntriesByType("navigation");
if (page.dataset.state === "thanks" && arrival.type === "navigate") tell({ type: "submitted" });
new ResizeObserver(tellHeight).observe(page);
