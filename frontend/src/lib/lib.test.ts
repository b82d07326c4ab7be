import { describe, expect, it } from "vitest";

import { clock, moment, span } from "./format";
import { randomKey, randomSeed } from "./random";
import { paths, routeOf } from "./route";
import { hashOf, skeletonHeights } from "./skeleton-wave";
import { readStored, writeStored } from "./stored";
import { splitTags } from "./tag-list";

describe("addresses", () => {
  it("lead to a page and back, whatever the job is called", () => {
    expect(routeOf("/")).toEqual({ page: "compose" });
    expect(routeOf("/library/")).toEqual({ page: "library" });
    expect(routeOf(paths.song("a b/ü"))).toEqual({ page: "song", jobId: "a b/ü" });
  });

  it("that lead nowhere are lost, also when they are not even text", () => {
    expect(routeOf("/song")).toEqual({ page: "lost" });
    expect(routeOf("/song/%E0%A4%A")).toEqual({ page: "lost" });
    expect(routeOf("/elsewhere")).toEqual({ page: "lost" });
  });
});

describe("times", () => {
  it("read like a clock", () => {
    expect([0, 9.9, 83.4, 600, Number.NaN, -3].map(clock)).toEqual(["0:00", "0:09", "1:23", "10:00", "0:00", "0:00"]);
  });

  it("that are left are rounded up and said in the reader's language", () => {
    expect(span(0.2, "en")).toBe("1 sec");
    expect(span(89.2, "en")).toBe("90 sec");
    expect(span(91, "en")).toBe("2 min");
    expect(span(3900, "en")).toBe("1 hr 5 min");
    expect(span(91, "zh")).toBe("2分钟");
  });

  it("of today need no date", () => {
    const now = new Date("2026-11-21T12:00:00");
    expect(moment("2026-11-21T09:05:00", "en-GB", now)).toBe("09:05");
    expect(moment("2026-11-20T09:05:00", "en-GB", now)).toContain("20 Nov");
    expect(moment("2025-11-20T09:05:00", "en-GB", now)).toContain("2025");
  });
});

describe("the waveform before there is one", () => {
  it("is the same for the same seed and another for another", () => {
    expect(skeletonHeights(7)).toEqual(skeletonHeights(7));
    expect(skeletonHeights(7)).not.toEqual(skeletonHeights(8));
    expect(hashOf("rain")).not.toBe(hashOf("rein"));
  });

  it("has 64 bars that fit their box, for every seed", () => {
    for (const seed of [0, 1, 2 ** 32 - 1, randomSeed(), 0x9e3779b9]) {
      const heights = skeletonHeights(seed);
      expect(heights).toHaveLength(64);
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(8);
      expect(Math.max(...heights)).toBeLessThanOrEqual(100);
    }
  });
});

describe("what is stored", () => {
  const text = (value: unknown) => (typeof value === "string" ? value : null);

  it("comes back", () => {
    writeStored("test", "kept");
    expect(readStored("test", text)).toBe("kept");
  });

  it("is nothing when it is damaged or of another kind", () => {
    localStorage.setItem("test", "{half");
    expect(readStored("test", text)).toBeNull();
    writeStored("test", 7);
    expect(readStored("test", text)).toBeNull();
  });
});

it("keys of requests never repeat", () => {
  const keys = new Set(Array.from({ length: 100 }, randomKey));
  expect(keys.size).toBe(100);
  expect([...keys][0]).toMatch(/^[0-9a-f]{32}$/);
});

it("tag lists are split at commas of either script and at lines, without doubles", () => {
  expect(splitTags("Jazz, Piano，Jazz、 弦乐 ,, \nDreamy\r\n")).toEqual(["Jazz", "Piano", "弦乐", "Dreamy"]);
});
