// Hold O to see the original; keys of Compare live; names for those who hear the page.
(() => {
  const typing = (event) => /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
  const original = (on) => document.querySelector("#slider")?.classList.toggle("original", on);
  const keys = { n: "next_network", i: "next_image", "+": "crop_larger", "-": "crop_smaller", p: "next_layout" };
  document.addEventListener("keydown", (event) => {
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "o" || event.key === "O") original(true);
    else if (keys[event.key]) document.querySelector(`#${keys[event.key]}`)?.click();
  });
  // Gradio's empty places have a label without a role, which is read to nobody, and its download arrows have no name.
  const named = () => {
    document.querySelectorAll(".empty[aria-label]:not([role])").forEach((one) => one.setAttribute("role", "img"));
    document.querySelectorAll("a.download-link:not([aria-label])").forEach((one) => one.setAttribute("aria-label", "Download"));
  };
  new MutationObserver(named).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("keyup", (event) => { if (event.key === "o" || event.key === "O") original(false); });
})();
