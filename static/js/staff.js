// What the back-office's pages use.
import "./error-summary.js";
import "./form-field.js";
import "./live-counts.js";
