// What the back-office's pages use.
import "./copy-text.js";
import "./error-summary.js";
import "./form-field.js";
import "./frame-preview.js";
import "./live-counts.js";
import "./press-once.js";
