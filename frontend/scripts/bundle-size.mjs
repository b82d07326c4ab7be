/** Says what the first load of the page weighs, and fails when it weighs too much. Build first: npm run build. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 200;
const DIST = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", DIST), "utf8"));

const gzipKb = (file) => gzipSync(readFileSync(new URL(file, DIST))).length / 1000;

/** A chunk with everything it imports before it can run. */
function loadedWith(key, found = new Set()) {
  if (found.has(key)) return found;
  found.add(key);
  for (const imported of manifest[key].imports ?? []) loadedWith(imported, found);
  return found;
}

const first = loadedWith("index.html");
const size = [...first].reduce((sum, key) => sum + gzipKb(manifest[key].file), 0);
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.file.endsWith(".js")) continue;
  console.log(`${first.has(key) ? "first load" : "on demand "}  ${gzipKb(chunk.file).toFixed(1).padStart(6)} kB gzip  ${chunk.file}`);
}
console.log(`JavaScript of the first load: ${size.toFixed(1)} kB gzip, at most ${LIMIT_KB}`);

if ([...first].some((key) => /wavesurfer|spectrogram/.test(key))) {
  console.error("wavesurfer.js is part of the first load; import it only where it is used.");
  process.exit(1);
}
if (size > LIMIT_KB) {
  console.error("The first load is too heavy. Load what is not needed at once with import().");
  process.exit(1);
}
