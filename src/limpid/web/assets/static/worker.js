// No module, which a page from the disk may not start as a worker.
// One photo through one network, as the command line runs it: preview, tiles or the whole, confidence, strength.
// Sides in pixels as in limpid/runtime; LARGER: times WORKING beyond which a photo is separated at that size and rebuilt.
const TILE = 512, HALO = 64, WORKING = 1024, LARGER = 1.25, PREVIEW = 640, LEAST_JUDGED = 32, WINDOW = 31, EPSILON = 0.01;
const sessions = new Map();
let files = {}; // of the page that is one file: name → Blob
let engine = null; // { ort, providers, name }

self.onmessage = async ({ data: job }) => {
  if (job.files) { files = job.files; return; }
  const started = performance.now();
  try {
    const { layers, confidence, believed } = await withAnyEngine(job);
    self.postMessage({ layers, confidence, believed, engine: engine.name, seconds: (performance.now() - started) / 1000 });
  } catch (error) {
    self.postMessage({ error: error.message || String(error) });
  }
};

async function withAnyEngine(job) {
  engine ||= await onGraphics(job.network.webgpu) || await onProcessor();
  try {
    return await separate(job);
  } catch (error) {
    if (engine.name !== "WebGPU") throw error;
    engine = await onProcessor(); // what the graphics card cannot do, the processor can
    sessions.clear();
    return separate(job);
  }
}

// WebGPU, where the page brings it and the browser has an adapter and lets WebAssembly wait for it.
async function onGraphics(brought) {
  if (!brought || !navigator.gpu || !WebAssembly.Suspending) return null;
  try {
    if (!(await navigator.gpu.requestAdapter())) return null;
    const ort = await import(place("ort.jspi.mjs"));
    ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
    return { ort, providers: ["webgpu"], name: "WebGPU" };
  } catch {
    return null;
  }
}

async function onProcessor() {
  const ort = await import(place("ort.mjs")), binary = files["ort-wasm-simd-threaded.wasm"];
  if (binary) ort.env.wasm.wasmBinary = await binary.arrayBuffer();
  else ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency || 1) : 1;
  return { ort, providers: ["wasm"], name: `WebAssembly, ${ort.env.wasm.numThreads} threads` };
}

const place = (name) => (files[name] ? URL.createObjectURL(files[name]) : new URL(name, self.location.href).href);

async function opened(file) {
  if (!sessions.has(file)) {
    const content = files[file] ? await files[file].arrayBuffer() : await (await fetch(place(file))).arrayBuffer();
    sessions.set(file, await engine.ort.InferenceSession.create(content, { executionProviders: engine.providers }));
  }
  return sessions.get(file);
}

async function separate({ network, strength, width, height, data }) {
  const session = await opened(network.file);
  const names = network.layers, primary = names[0];
  const full = planes(data, width * height);
  const { confidence, believed, layers: known } = await judged(session, network, full, width, height);
  const [w, h] = network.rebuilds && Math.max(width, height) > LARGER * WORKING ? fitted(width, height, WORKING) : [width, height];
  const seen = reduced(full, width, height, w, h);
  const found = believed === 0 ? null : known && w === width && h === height ? known : await answer(session, network, seen, w, h);
  const layers = {};
  for (const name of names) {
    const values = found && enlarged(found[name], seen, name === primary, w, h, width, height, full);
    layers[name] = pixels(data, full, values, name === primary, strength * (name === primary ? believed : 1), believed);
  }
  return { layers, confidence, believed };
}

// Whether there is anything to remove: by the change of the whole photo, seen small, and by the gate where the network has one.
async function judged(session, network, full, width, height) {
  if (!network.whole_confidence && !network.gate) return { confidence: 1, believed: 1 };
  const side = Math.min(network.preview || PREVIEW, ...(network.size || []));
  const large = Math.max(width, height) > side, [w, h] = fitted(width, height, side);
  const small = reduced(full, width, height, w, h);
  const raw = await forward(session, network, small, w, h);
  const layers = blended(small, raw, network, w, h);
  let confidence = 1, believed = 1;
  if (network.whole_confidence) {
    confidence = believed = smoothstep(meanChange(small, layers[network.layers[0]]), network.whole_confidence);
  }
  if (network.gate) {
    confidence = await probability(network, small, raw, w, h);
    believed *= smoothstep(confidence, (large && network.reduced_presence_limits) || network.presence_limits);
  }
  return { confidence, believed, layers: large ? null : layers };
}

// What the gate makes of a photo and of the layers found in it; it sees the photo mirrored to multiples of 16.
async function probability(network, image, raw, width, height) {
  const session = await opened(network.gate);
  const [w, h] = [Math.max(width, LEAST_JUDGED), Math.max(height, LEAST_JUDGED)];
  const photo = padded(image, width, height, w, h, last);
  const [wide, tall] = [Math.ceil(w / 16) * 16, Math.ceil(h / 16) * 16];
  const tensor = (values, x, y) => new engine.ort.Tensor("float32", values, [1, 3, y, x]);
  const given = { mirrored: tensor(padded(photo, w, h, wide, tall, mirrored), wide, tall), input: tensor(photo, w, h) };
  for (const name of ["transmission", "reflection"]) given[name] = tensor(padded(raw[name], width, height, w, h, last), w, h);
  return (await session.run(given)).presence.data[0];
}

// Whole where the layers may be found at a smaller size, otherwise in tiles of which the surroundings are cut off.
async function answer(session, network, image, width, height) {
  if (network.rebuilds || (width <= TILE && height <= TILE)) {
    self.postMessage({ progress: 0.3 });
    return run(session, network, image, width, height);
  }
  const out = Object.fromEntries(network.layers.map((name) => [name, new Float32Array(3 * width * height)]));
  const step = TILE - 2 * HALO, rows = starts(height, step), columns = starts(width, step);
  let done = 0;
  for (const top of rows) for (const left of columns) {
    const tall = Math.min(TILE, height - top), wide = Math.min(TILE, width - left);
    const part = await run(session, network, cut(image, width, height, top, left, tall, wide), wide, tall);
    const [y, x] = [top ? HALO : 0, left ? HALO : 0];
    for (const name of network.layers) paste(out[name], width, height, part[name], wide, tall, top, left, y, x);
    self.postMessage({ progress: ++done / (rows.length * columns.length) });
  }
  return out;
}

function starts(length, step) {
  const found = [0];
  while (found.at(-1) + TILE < length) found.push(found.at(-1) + step);
  return found;
}

async function run(session, network, image, width, height) {
  return blended(image, await forward(session, network, image, width, height), network, width, height);
}

async function forward(session, network, image, width, height) {
  const up = (side) => Math.ceil(Math.max(side, network.minimum) / network.multiple) * network.multiple;
  const [tall, wide] = network.size || [up(height), up(width)];
  if (tall < height || wide < width) throw new Error(`the network takes ${wide} × ${tall} pixels at most`);
  const fed = padded(image, width, height, wide, tall, last);
  const answered = await session.run({ [session.inputNames[0]]: new engine.ort.Tensor("float32", fed, [1, 3, tall, wide]) });
  const layers = {};
  for (const name of network.layers) layers[name] = cut(answered[name].data, wide, tall, 0, 0, height, width);
  for (const name of Object.keys(answered)) answered[name].dispose();
  return layers;
}

const last = (place, length) => Math.min(place, length - 1);
const mirrored = (place, length) => (place < length ? place : 2 * length - 2 - place);

// More columns at the right and rows at the bottom; ``from`` says which one of the image each of them is.
function padded(image, width, height, wide, tall, from) {
  if (wide === width && tall === height) return image;
  const out = new Float32Array(3 * tall * wide);
  for (let c = 0; c < 3; c++) for (let y = 0; y < tall; y++) for (let x = 0; x < wide; x++) {
    out[(c * tall + y) * wide + x] = image[(c * height + from(y, height)) * width + from(x, width)];
  }
  return out;
}

// Small changes are taken back where they are small on average around a pixel.
function blended(image, layers, network, width, height) {
  if (!network.local_confidence) return layers;
  const primary = network.layers[0], n = width * height, change = new Float64Array(n), out = {};
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) change[i] += Math.abs(image[c * n + i] - unit(layers[primary][c * n + i])) / 3;
  const believed = localMean(change, width, height, WINDOW).map((mean) => smoothstep(mean, network.local_confidence));
  for (const name of network.layers) {
    const start = name === primary ? image : new Float32Array(3 * n);
    out[name] = layers[name].map((value, i) => start[i] + believed[i % n] * (value - start[i]));
  }
  return out;
}

// Mean over a square of odd side around each place; at the border only what is there counts.
function localMean(values, width, height, side) {
  const sums = new Float64Array((width + 1) * (height + 1)), out = new Float64Array(width * height), r = side >> 1;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const i = (y + 1) * (width + 1) + x + 1;
    sums[i] = values[y * width + x] + sums[i - 1] + sums[i - width - 1] - sums[i - width - 2];
  }
  const s = (y, x) => sums[y * (width + 1) + x];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const [t, b, l, e] = [Math.max(0, y - r), Math.min(height, y + r + 1), Math.max(0, x - r), Math.min(width, x + r + 1)];
    out[y * width + x] = (s(b, e) - s(t, e) - s(b, l) + s(t, l)) / ((b - t) * (e - l));
  }
  return out;
}

// A layer found at a smaller size, at full size: enlarged, with the share of the photo's finer detail that it takes at the smaller
// size (a guided filter). Of the first layer the change is enlarged, which is smooth where the layer has detail.
function enlarged(layer, seen, isPrimary, w, h, width, height, full) {
  if (w === width && h === height) return layer;
  const small = isPrimary ? layer.map((value, i) => seen[i] - value) : layer;
  const n = w * h, out = new Float32Array(full.length);
  for (let c = 0; c < 3; c++) {
    const guide = seen.subarray(c * n, (c + 1) * n), values = small.subarray(c * n, (c + 1) * n);
    const [rough, base, slope] = [guide, values, slopes(guide, values, w, h)].map((one) => scaled(one, w, h, width, height));
    for (let i = 0, at = c * width * height; i < rough.length; i++, at++) {
      const found = base[i] + slope[i] * (full[at] - rough[i]);
      out[at] = isPrimary ? full[at] - found : found;
    }
  }
  return out;
}

// Of the regression of one plane of a layer on that of the photo, in squares of 3, averaged over them.
function slopes(guide, layer, w, h) {
  const mean = (values) => localMean(values, w, h, 3), product = (a, b) => Float64Array.from(a, (value, i) => value * b[i]);
  const [g, l, gl, gg] = [guide, layer, product(guide, layer), product(guide, guide)].map(mean);
  return Float32Array.from(mean(gl.map((value, i) => (value - g[i] * l[i]) / (gg[i] - g[i] * g[i] + EPSILON))));
}

function pixels(data, full, values, isPrimary, amount, confidence) {
  const n = data.length / 4, out = new Uint8ClampedArray(data);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) {
    const was = full[c * n + i], is = values ? unit(values[c * n + i]) : 0;
    const value = isPrimary ? (values ? was + amount * (is - was) : was) : confidence * is;
    out[4 * i + c] = Math.round(255 * value);
  }
  return out;
}

const unit = (value) => Math.min(1, Math.max(0, value));
const smoothstep = (value, [low, high]) => { const t = unit((value - low) / (high - low)); return t * t * (3 - 2 * t); };
const fitted = (w, h, longest) => { const s = Math.min(1, longest / Math.max(w, h)); return [Math.max(1, nearest(w * s)), Math.max(1, nearest(h * s))]; };
const nearest = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value)); // halves to even, as the command line

// The photo in a smaller size, of eight bits as before.
function reduced(image, width, height, w, h) {
  return w === width && h === height ? image : scaled(image, width, height, w, h).map((value) => Math.round(255 * value) / 255);
}

function planes(data, n) {
  const out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) out[c * n + i] = data[4 * i + c] / 255;
  return out;
}

function meanChange(image, primary) {
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += Math.abs(image[i] - unit(primary[i]));
  return sum / image.length;
}

function cut(image, width, height, top, left, tall, wide) {
  const out = new Float32Array(3 * tall * wide);
  for (let c = 0; c < 3; c++) for (let y = 0; y < tall; y++) {
    const from = (c * height + top + y) * width + left;
    out.set(image.subarray(from, from + wide), (c * tall + y) * wide);
  }
  return out;
}

function paste(out, width, height, part, wide, tall, top, left, skipY, skipX) {
  for (let c = 0; c < 3; c++) for (let y = skipY; y < tall; y++) {
    const from = (c * tall + y) * wide;
    out.set(part.subarray(from + skipX, from + wide), (c * height + top + y) * width + left + skipX);
  }
}

// Planes resized: by averages of areas when smaller, bilinearly when larger.
function scaled(image, w, h, width, height) {
  if (w === width && h === height) return image;
  const count = image.length / (w * h), across = weights(w, width), down = weights(h, height);
  const middle = new Float32Array(count * h * width), out = new Float32Array(count * height * width);
  for (let row = 0; row < count * h; row++) for (let x = 0; x < width; x++) {
    let sum = 0;
    for (const [from, share] of across[x]) sum += share * image[row * w + from];
    middle[row * width + x] = sum;
  }
  for (let c = 0; c < count; c++) for (let y = 0; y < height; y++) for (const [from, share] of down[y]) {
    const [source, target] = [(c * h + from) * width, (c * height + y) * width];
    for (let x = 0; x < width; x++) out[target + x] += share * middle[source + x];
  }
  return out;
}

function weights(from, to) {
  const scale = from / to, found = [];
  for (let i = 0; i < to; i++) {
    const taps = [];
    if (scale > 1) {
      for (let j = Math.floor(i * scale); j < Math.min(from, Math.ceil((i + 1) * scale - 1e-9)); j++) {
        taps.push([j, (Math.min(j + 1, (i + 1) * scale) - Math.max(j, i * scale)) / scale]);
      }
    } else {
      const place = Math.max(0, (i + 0.5) * scale - 0.5), j = Math.min(from - 1, Math.floor(place)), part = place - j;
      taps.push([j, 1 - part], [Math.min(from - 1, j + 1), part]);
    }
    found.push(taps);
  }
  return found;
}
