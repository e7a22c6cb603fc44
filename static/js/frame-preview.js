// As tall as the framed form says it is, as on a partner's page; without it, the frame scrolls.
customElements.define(
  "frame-preview",
  class extends HTMLElement {
    connectedCallback() {
      const frame = this.querySelector("iframe");
      window.addEventListener("message", ({ source, data }) => {
        if (source !== frame.contentWindow || !data || data.microsite !== 1 || data.type !== "size") return;
        if (Number.isFinite(data.height)) frame.style.blockSize = `${Math.min(4000, Math.max(200, data.height))}px`;
      });
    }
  },
);
