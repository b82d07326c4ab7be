/** The one door to the server: a client typed by openapi.json, whose failures are ApiErrors. */
import createClient from "openapi-fetch";

import { ApiError } from "./errors";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Job = Schemas["JobAnswer"];
export type Track = Schemas["TrackAnswer"];
export type SongRequest = Schemas["RequestAnswer"];
export type GenerateBody = Schemas["GenerateBody"];
export type GenerateAnswer = Schemas["GenerateAnswer"];
export type JobStatus = Schemas["JobStatus"];
export type TagCategory = Schemas["TagCategory"];
export type Config = Schemas["ConfigAnswer"];
export type Status = Schemas["StatusAnswer"];
export type JobsPage = paths["/jobs"]["get"]["responses"][200]["content"]["application/json"];

export const API_BASE = "/api";

export const api = createClient<paths>({
  baseUrl: new URL(API_BASE, location.origin).href,
  // Looked up at each call: tests put their own network in its place.
  fetch: (request) => globalThis.fetch(request),
});

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer, or an ApiError: of the server's own sentence, or of a server that could not be reached. */
export async function answer<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError({ status: 0, sentence: "", cause });
  }
  if (!outcome.response.ok) throw ApiError.of(outcome.response, outcome.error);
  return outcome.data as T;
}
