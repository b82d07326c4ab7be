import "./styles/main.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "@/app/App";
import { prefetch } from "@/app/prefetch";
import { createQueryClient } from "@/app/query-client";
import { finishRemovals } from "@/features/jobs/removals";
import { Deck } from "@/features/player/deck";
import { startTranslations } from "@/i18n";

window.addEventListener("pagehide", finishRemovals);

const queries = createQueryClient();
await Promise.all([startTranslations(), prefetch(queries)]);
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root to draw the page in.");
createRoot(root).render(
  <StrictMode>
    <App deck={new Deck()} queries={queries} />
  </StrictMode>,
);
