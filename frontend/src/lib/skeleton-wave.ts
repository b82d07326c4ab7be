/** The heights of a waveform that is not known yet: the same for the same seed, so that nothing jumps. */

const BARS = 64;

/** Percentages, shaped like a song: low at both ends, restless between. */
export function skeletonHeights(seed: number): readonly number[] {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return Array.from({ length: BARS }, (_, index) => {
    // One step of a xorshift generator.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    const swell = Math.sin((Math.PI * (index + 0.5)) / BARS) ** 0.6;
    return Math.round(8 + 84 * swell * (0.35 + (0.65 * state) / 2 ** 32));
  });
}

/** A number for a text (FNV-1a), so that a song's words have a shape before it has a seed. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
