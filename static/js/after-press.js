// A message that appears while a finger is down moves what is under it, and the press would hit something else.
let isDown = false;
window.addEventListener("pointerdown", () => (isDown = true), true);
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => (isDown = false), true);

// Act at once, or once the press has had its effect.
export function afterPress(act) {
  if (!isDown) act();
  else window.addEventListener("pointerup", () => setTimeout(act), { once: true });
}
