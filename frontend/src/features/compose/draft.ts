/**
 * What a person is composing: a reducer and its way to and from the server's words.
 *
 * null means "the server's default", so that no default is written twice. Knows nothing of React.
 */
import type { Config, GenerateBody, SongRequest } from "@/api/client";
import { splitTags } from "@/lib/tag-list";

export interface Draft {
  title: string;
  mode: "vocal" | "instrumental";
  promptMode: "tags" | "natural";
  prompt: string;
  tags: readonly string[];
  /** The tags as a loaded song was given them, letter by letter: sent again until they are changed. */
  tagText: string | null;
  lyrics: string;
  duration: number | null;
  topKBackbone: number | null;
  temperature: number | null;
  topKSuperres: number | null;
  numTracks: number | null;
  seed: number | null;
  /** Keep the seed after generating; otherwise it is used once. */
  seedLocked: boolean;
}

export const EMPTY_DRAFT: Draft = {
  title: "",
  mode: "vocal",
  promptMode: "tags",
  prompt: "",
  tags: [],
  tagText: null,
  lyrics: "",
  duration: null,
  topKBackbone: null,
  temperature: null,
  topKSuperres: null,
  numTracks: null,
  seed: null,
  seedLocked: false,
};

export type DraftAction =
  | { type: "changed"; to: Partial<Draft> }
  | { type: "loaded"; request: SongRequest; title: string }
  | { type: "generated" }
  | { type: "reset" };

export function draftReducer(draft: Draft, action: DraftAction): Draft {
  switch (action.type) {
    case "changed":
      return { ...draft, ...(action.to.tags && action.to.tags !== draft.tags && { tagText: null }), ...action.to };
    case "loaded":
      return draftOf(action.request, action.title);
    case "generated":
      return draft.seedLocked ? draft : { ...draft, seed: null };
    case "reset":
      return EMPTY_DRAFT;
  }
}

/** The draft that makes the same songs again: its seed is locked. */
function draftOf(request: SongRequest, title: string): Draft {
  return {
    title,
    mode: request.mode,
    promptMode: request.prompt_mode,
    prompt: request.prompt,
    tags: splitTags(request.tags),
    tagText: request.tags,
    lyrics: request.lyrics,
    duration: request.duration,
    topKBackbone: request.top_k_bb,
    temperature: request.temperature,
    topKSuperres: request.top_k_sr,
    numTracks: request.num_tracks,
    seed: request.seed,
    seedLocked: true,
  };
}

/** How long the song is to be: what was chosen, else what the model is best at, else the server's default. */
export function minutesOf(draft: Draft, config: Config | undefined): number | null {
  return draft.duration ?? config?.engine?.suggested_minutes ?? config?.limits["duration"]?.default ?? null;
}

/** The request to send: only what the chosen modes read, and only what was chosen. `assembled` is the prompt that its tags make. */
export function bodyOf(draft: Draft, assembled: string): GenerateBody {
  return {
    mode: draft.mode,
    prompt_mode: draft.promptMode,
    title: draft.title.trim(),
    ...(draft.promptMode === "natural" ? { prompt: draft.prompt } : { tags: draft.tagText ?? assembled }),
    ...(draft.mode === "vocal" && { lyrics: draft.lyrics }),
    ...(draft.duration !== null && { duration: draft.duration }),
    ...(draft.topKBackbone !== null && { top_k_bb: draft.topKBackbone }),
    ...(draft.temperature !== null && { temperature: draft.temperature }),
    ...(draft.topKSuperres !== null && { top_k_sr: draft.topKSuperres }),
    ...(draft.numTracks !== null && { num_tracks: draft.numTracks }),
    ...(draft.seed !== null && { seed: draft.seed }),
  };
}

/** A stored draft, field by field: whatever is missing or of another kind is the empty draft's. */
export function readDraft(value: unknown): Draft | null {
  if (typeof value !== "object" || value === null) return null;
  const field = (name: keyof Draft): unknown => Reflect.get(value, name);
  const text = (name: keyof Draft) => (typeof field(name) === "string" ? String(field(name)) : "");
  const number = (name: keyof Draft) => {
    const stored = field(name);
    return typeof stored === "number" && Number.isFinite(stored) ? stored : null;
  };
  const tags = field("tags");
  return {
    title: text("title"),
    mode: field("mode") === "instrumental" ? "instrumental" : "vocal",
    promptMode: field("promptMode") === "natural" ? "natural" : "tags",
    prompt: text("prompt"),
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string") : [],
    tagText: typeof field("tagText") === "string" ? text("tagText") : null,
    lyrics: text("lyrics"),
    duration: number("duration"),
    topKBackbone: number("topKBackbone"),
    temperature: number("temperature"),
    topKSuperres: number("topKSuperres"),
    numTracks: number("numTracks"),
    seed: number("seed"),
    seedLocked: field("seedLocked") === true,
  };
}
