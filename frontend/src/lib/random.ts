/** Random numbers that also work where crypto.randomUUID does not: a page served over plain HTTP. */

/** The largest seed the server takes (openapi.json, GenerateBody.seed). */
export const MAX_SEED = 0xffff_ffff;

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
