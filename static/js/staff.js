// What the back-office's pages use.
import "./copy-text.js";
import "./error-summary.js";
import "./export-progress.js";
import "./form-field.js";
import "./frame-preview.js";
import "./live-counts.js";
