/** A quiet server: what a test does not say otherwise. Any request it has no answer for fails the test. */
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

import { SAMPLE_CONFIG, SAMPLE_STATUS, SAMPLE_TAGS, samplePage } from "./samples";

export const server = setupServer(
  http.get("*/api/config", () => HttpResponse.json(SAMPLE_CONFIG)),
  http.get("*/api/status", () => HttpResponse.json(SAMPLE_STATUS)),
  http.get("*/api/tags", () => HttpResponse.json(SAMPLE_TAGS)),
  http.get("*/api/jobs", () => HttpResponse.json(samplePage([]))),
);
