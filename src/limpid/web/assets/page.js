// Hold O to see the original; keys of Compare live.
(() => {
  const typing = (event) => /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
  const original = (on) => document.querySelector("#slider")?.classList.toggle("original", on);
  const keys = { n: "next_network", i: "next_image", "+": "crop_larger", "-": "crop_smaller", p: "next_layout" };
  document.addEventListener("keydown", (event) => {
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "o" || event.key === "O") original(true);
    else if (keys[event.key]) document.querySelector(`#${keys[event.key]}`)?.click();
  });
  document.addEventListener("keyup", (event) => { if (event.key === "o" || event.key === "O") original(false); });
})();
