import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";

import { App } from "@/app/App";
import { createQueryClient } from "@/app/query-client";
import { Deck } from "@/features/player/deck";

/** The whole page at an address, and somebody to use it. */
export function renderApp(path = "/") {
  history.replaceState(null, "", path);
  const queries = createQueryClient();
  const usual = queries.getDefaultOptions();
  queries.setDefaultOptions({ ...usual, queries: { ...usual.queries, retry: false } });
  const deck = new Deck();
  const user = userEvent.setup();
  const view = render(<App deck={deck} queries={queries} />);
  return { user, deck, queries, ...view };
}
