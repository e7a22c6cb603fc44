// Everything works without these; each makes one thing more comfortable.
import "./character-counter.js";
import "./email-suggestion.js";
import "./error-summary.js";
import "./form-field.js";
import "./glossary-terms.js";
import "./reading-guide.js";
import "./sending-form.js";
