// The page: reads a photo into pixels, hands it to the worker, shows what comes back.
const at = (id) => document.getElementById(id);
const LARGEST = 50e6; // pixels
let photo = null;

// The page that is one file has the others inside, by name; elsewhere they lie beside it.
const files = {};
for (const one of document.querySelectorAll("script[data-file]")) files[one.dataset.file] = await blob(one);
const worker = new Worker(files["worker.js"] ? URL.createObjectURL(files["worker.js"]) : "worker.js");
worker.onerror = (event) => { at("go").disabled = false; say(`This did not work: ${event.message || "the worker does not start"}`); };
if (files["worker.js"]) worker.postMessage({ files });
const networks = JSON.parse(await (files["networks.json"] ? files["networks.json"].text() : (await fetch("networks.json")).text()));
for (const network of networks) at("network").add(new Option(`${network.label} (${network.task})`, network.file));

if ("serviceWorker" in navigator && window.isSecureContext && !files["worker.js"]) {
  await navigator.serviceWorker.register("service_worker.js").catch(() => undefined); // without it the page works all the same
}

async function blob(element) {
  const type = element.dataset.file.endsWith("js") ? "text/javascript" : "application/octet-stream";
  const found = await (await fetch(`data:${type};base64,${element.textContent}`)).blob();
  element.remove(); // the text of a network takes more room than the network
  return found;
}

const say = (text) => { at("said").textContent = text; };

async function open(file) {
  try {
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    if (bitmap.width * bitmap.height > LARGEST) throw new Error("it has more than 50 megapixels");
    const canvas = at("before");
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    photo = context.getImageData(0, 0, bitmap.width, bitmap.height);
    at("view").style.display = "block";
    at("after").getContext("2d").clearRect(0, 0, at("after").width, at("after").height);
    at("tools").hidden = true;
    at("go").disabled = false;
    say(`${photo.width} × ${photo.height} pixels`);
  } catch (error) {
    photo = null;
    at("go").disabled = true;
    say(`This photo cannot be read: ${error.message || "it is damaged or of an unknown kind"}.`);
  }
}

function clean() {
  const network = networks.find((one) => one.file === at("network").value);
  at("go").disabled = true;
  at("progress").hidden = false;
  at("progress").value = 0;
  say("Working…");
  worker.postMessage({ network, strength: Number(at("strength").value), width: photo.width, height: photo.height, data: photo.data });
}

worker.onmessage = ({ data }) => {
  if (data.progress !== undefined) { at("progress").value = data.progress; return; }
  at("go").disabled = false;
  at("progress").hidden = true;
  if (data.error) { say(`This did not work: ${data.error}`); return; }
  show(data);
};

async function show({ layers, confidence, believed, seconds, engine }) {
  const [primary] = Object.keys(layers);
  const after = at("after");
  [after.width, after.height] = [photo.width, photo.height];
  const links = at("downloads");
  links.replaceChildren();
  for (const name of Object.keys(layers).reverse()) { // the first layer is what stays on the canvas
    after.getContext("2d").putImageData(new ImageData(layers[name], photo.width, photo.height), 0, 0);
    const blob = await new Promise((done) => after.toBlob(done, "image/png"));
    const link = document.createElement("a");
    Object.assign(link, { href: URL.createObjectURL(blob), download: `${name}.png`, textContent: `Download ${name}` });
    links.prepend(link, " ");
  }
  at("tools").hidden = false;
  slide();
  const facts = `${photo.width} × ${photo.height} in ${seconds.toFixed(1)} s (${engine})`;
  say(believed === 0 ? `Nothing to remove was found (${Math.round(100 * confidence)} % sure that there is something); the photo comes back as it was. ${facts}` : `Done: ${primary}, ${facts}.`);
}

const slide = () => { at("after").style.clipPath = `inset(0 0 0 ${at("slider").value}%)`; };
at("slider").addEventListener("input", slide);
at("photo").addEventListener("change", (event) => event.target.files[0] && open(event.target.files[0]));
at("go").addEventListener("click", clean);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]); });
document.addEventListener("paste", (event) => { if (event.clipboardData.files[0]) open(event.clipboardData.files[0]); });
