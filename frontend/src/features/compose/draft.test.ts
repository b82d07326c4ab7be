import { describe, expect, it } from "vitest";

import { SAMPLE_CONFIG, sampleJob } from "@/testing/samples";

import { bodyOf, draftReducer, EMPTY_DRAFT, minutesOf, readDraft, type Draft } from "./draft";

const draftWith = (to: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...to });

describe("the draft", () => {
  it("keeps its lyrics while it is instrumental, but does not send them", () => {
    const written = draftWith({ lyrics: "words" });
    const instrumental = draftReducer(written, { type: "changed", to: { mode: "instrumental" } });
    expect(instrumental.lyrics).toBe("words");
    expect(bodyOf(instrumental, "")).not.toHaveProperty("lyrics");
    expect(bodyOf(written, "")).toHaveProperty("lyrics", "words");
  });

  it("sends the description of its prompt mode only", () => {
    const both = draftWith({ prompt: "a calm piece", tags: ["Jazz"] });
    expect(bodyOf({ ...both, promptMode: "natural" }, "Jazz")).toMatchObject({ prompt: "a calm piece" });
    expect(bodyOf({ ...both, promptMode: "natural" }, "Jazz")).not.toHaveProperty("tags");
    expect(bodyOf(both, "Jazz")).toMatchObject({ tags: "Jazz" });
    expect(bodyOf(both, "Jazz")).not.toHaveProperty("prompt");
  });

  it("leaves to the server whatever was not chosen", () => {
    expect(bodyOf(EMPTY_DRAFT, "")).toEqual({ mode: "vocal", prompt_mode: "tags", title: "", tags: "", lyrics: "" });
    const chosen = draftWith({ duration: 8, topKBackbone: 5, temperature: 0.6, topKSuperres: 1, numTracks: 4, seed: 0 });
    expect(bodyOf(chosen, "")).toMatchObject({
      duration: 8,
      top_k_bb: 5,
      temperature: 0.6,
      top_k_sr: 1,
      num_tracks: 4,
      seed: 0,
    });
  });

  it("is as long as was chosen, else as the model is best at, else as the server says", () => {
    const best = {
      ...SAMPLE_CONFIG,
      engine: SAMPLE_CONFIG.engine && { ...SAMPLE_CONFIG.engine, suggested_minutes: 1 },
    };
    expect(minutesOf(draftWith({ duration: 5 }), best)).toBe(5);
    expect(minutesOf(EMPTY_DRAFT, best)).toBe(1);
    expect(minutesOf(EMPTY_DRAFT, SAMPLE_CONFIG)).toBe(3);
    expect(minutesOf(EMPTY_DRAFT, undefined)).toBeNull();
  });

  it("uses a seed once unless it is locked", () => {
    expect(draftReducer(draftWith({ seed: 5 }), { type: "generated" }).seed).toBeNull();
    expect(draftReducer(draftWith({ seed: 5, seedLocked: true }), { type: "generated" }).seed).toBe(5);
  });

  it("made of a job asks for the same songs again", () => {
    const { request, title } = sampleJob();
    const draft = draftReducer(EMPTY_DRAFT, { type: "loaded", request, title });
    // The prompt is not read in tags mode, so it is not sent.
    expect({ prompt: "", ...bodyOf(draft, draft.tags.join(", ")) }).toEqual({ ...request, title });
  });

  it("made of a job sends its description letter by letter, and its tags until they are changed", () => {
    const { request } = sampleJob();
    const load = (to: Partial<typeof request>) =>
      draftReducer(EMPTY_DRAFT, { type: "loaded", request: { ...request, ...to }, title: "" });
    const draft = load({ tags: "Piano,Jazz, Jazz " });
    expect(bodyOf(draft, "Jazz, Piano")).toMatchObject({ tags: "Piano,Jazz, Jazz " });
    const same = draftReducer(draft, { type: "changed", to: { title: "Steam", tags: draft.tags } });
    expect(bodyOf(same, "Jazz, Piano")).toMatchObject({ tags: "Piano,Jazz, Jazz " });
    const changed = draftReducer(draft, { type: "changed", to: { tags: ["Jazz"] } });
    expect(bodyOf(changed, "Jazz")).toMatchObject({ tags: "Jazz" });
    expect(draftReducer(changed, { type: "changed", to: draft })).toEqual(draft);
    const natural = load({ prompt_mode: "natural", prompt: "A calm piece.\n" });
    expect(bodyOf(natural, "")).toMatchObject({ prompt: "A calm piece.\n" });
  });

  it("survives storage, and damage to what was stored", () => {
    const draft = draftWith({ title: "Rain", tags: ["Jazz"], tagText: "Jazz,", duration: 5, seed: 9, seedLocked: true, mode: "instrumental" });
    expect(readDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft);
    expect(readDraft({ tags: [1, "Jazz"], tagText: 1, duration: "5", mode: "opera" })).toEqual(draftWith({ tags: ["Jazz"] }));
    expect(readDraft("draft")).toBeNull();
  });
});
