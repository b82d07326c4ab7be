import { answer, api, type GenerateAnswer, type GenerateBody } from "./client";

/** Asks for a song. The key is the same for every try of one wish, so that a lost answer makes no second job. */
export function placeSong(body: GenerateBody, key: string): Promise<GenerateAnswer> {
  return answer(api.POST("/generate", { body, params: { header: { "idempotency-key": key } } }));
}
